/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a payload to the part of a parsed structure that it stands for. The first of a kind counts:
 * each function returns false, and changes nothing, when the part is there already. Internal.
 */
#ifndef TKMS_MIKEY_PARTS_H
#define TKMS_MIKEY_PARTS_H

#include "common/mikey/payload.h"

static inline bool part_set_t(struct mikey_t *t, const struct mikey_payload_view *p)
{
	if (t->present)
		return false;
	*t = (struct mikey_t){.present = true, .type = p->type, .value = p->data};
	return true;
}

static inline bool part_set_id(struct mikey_id *id, const struct mikey_payload_view *p)
{
	if (id->present)
		return false;
	*id = (struct mikey_id){.present = true, .type = p->type, .data = p->data};
	return true;
}

static inline bool part_set_rand(struct mikey_randr *r, const struct mikey_payload_view *p)
{
	if (r->present)
		return false;
	*r = (struct mikey_randr){.present = true, .data = p->data};
	return true;
}

static inline bool part_set_kemac(struct mikey_kemac *k, const struct mikey_payload_view *p)
{
	if (k->present)
		return false;
	*k = (struct mikey_kemac){
		.present = true,
		.encr_alg = p->type,
		.mac_alg = p->mac_alg,
		.data = p->data,
		.mac = p->mac,
	};
	return true;
}

static inline bool part_set_v(struct mikey_v *v, const struct mikey_payload_view *p)
{
	if (v->present)
		return false;
	*v = (struct mikey_v){.present = true, .auth_alg = p->type, .mac = p->data};
	return true;
}

static inline bool part_set_ticket(struct mikey_ticket *t, const struct mikey_payload_view *p)
{
	if (t->present)
		return false;
	*t = p->ticket;
	return true;
}

#endif
