/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/engine/slot.h"

void ops_prf_run(struct engine *e)
{
	if (e->n_prf)
		crypto_prf(e->crypto, e->prf, e->n_prf);
	e->n_prf = 0;
}

void ops_mac_run(struct engine *e)
{
	if (e->n_mac)
		crypto_mac(e->crypto, e->mac, e->n_mac);
	e->n_mac = 0;
}

void ops_cm_run(struct engine *e)
{
	if (e->n_cm)
		crypto_cm(e->crypto, e->cm, e->n_cm);
	e->n_cm = 0;
}
