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

void ops_prf(struct engine *e, const struct crypto_prf_op *op)
{
	if (e->n_prf == OPS_MAX)
		ops_prf_run(e);
	e->prf[e->n_prf++] = *op;
}

void ops_mac(struct engine *e, const struct crypto_mac_op *op)
{
	if (e->n_mac == OPS_MAX)
		ops_mac_run(e);
	e->mac[e->n_mac++] = *op;
}

void ops_cm(struct engine *e, const struct crypto_cm_op *op)
{
	if (e->n_cm == OPS_MAX)
		ops_cm_run(e);
	e->cm[e->n_cm++] = *op;
}
