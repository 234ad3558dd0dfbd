/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/fuzz/mikey_walk.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mikey/decode.h"

/* abort() and not assert(): it must hold in release builds too. */
static void require(bool ok)
{
	if (!ok)
		abort();
}

/* Keeps the compiler from leaving out reads. */
static volatile uint8_t sink;

static void check_span(const uint8_t *octets, size_t len, struct mikey_span s)
{
	uint8_t all = 0;

	require((size_t)s.off + s.len <= len);
	for (size_t i = 0; i < s.len; i++)
		all |= octets[s.off + i];
	sink = all;
}

static void check_t(const uint8_t *octets, size_t len, const struct mikey_t *t)
{
	uint8_t t64[8];

	check_span(octets, len, t->value);
	if (!t->present)
		return;
	require(t->value.len == 4 || t->value.len == 8);
	mikey_t64(t64, octets, t);
	require(mikey_ntp_seconds(octets, t) >= -1);
}

static void check_v(const uint8_t *octets, size_t len, const struct mikey_v *v)
{
	check_span(octets, len, v->mac);
	if (v->present)
		require(mikey_mac_len(v->auth_alg) == v->mac.len);
}

static void check_keys(const uint8_t *data, size_t len)
{
	struct mikey_key keys[MIKEY_KEYS_MAX];
	unsigned int n;
	enum mikey_parse res = mikey_parse_keys(keys, MIKEY_KEYS_MAX, &n, data, len);

	require(res == MIKEY_PARSE_OK || res == MIKEY_PARSE_MALFORMED);
	require(n <= MIKEY_KEYS_MAX);
	for (unsigned int i = 0; i < n; i++) {
		check_span(data, len, keys[i].key);
		check_span(data, len, keys[i].salt);
		check_span(data, len, keys[i].spi);
		check_span(data, len, keys[i].valid_from);
		check_span(data, len, keys[i].valid_to);
		require(keys[i].type <= MIKEY_MPK && keys[i].kv <= MIKEY_KV_INTERVAL);
	}
}

static void check_kemac(const uint8_t *octets, size_t len, const struct mikey_kemac *k)
{
	check_span(octets, len, k->data);
	check_span(octets, len, k->mac);
	if (!k->present)
		return;
	require(mikey_mac_len(k->mac_alg) == k->mac.len);
	check_keys(mikey_at(octets, k->data), k->data.len);
}

static void walk_tp_data(const uint8_t *octets, size_t len, struct mikey_span data)
{
	struct mikey_tp_data tp;
	enum mikey_parse res = mikey_parse_tp_data(&tp, octets, data);

	require(res == MIKEY_PARSE_OK || res == MIKEY_PARSE_MALFORMED);
	check_span(octets, len, tp.idr_kms.data);
	check_span(octets, len, tp.idr_i.data);
	check_t(octets, len, &tp.trs);
	check_t(octets, len, &tp.tre);
	check_t(octets, len, &tp.trr);
	check_kemac(octets, len, &tp.kemac);
	for (unsigned int i = 0; i < tp.n_idr_app && i < MIKEY_IDRAPP_MAX; i++)
		check_span(octets, len, tp.idr_app[i].data);
	for (unsigned int i = 0; i < tp.n_idr_r && i < MIKEY_IDRR_MAX; i++)
		check_span(octets, len, tp.idr_r[i].data);
}

static void walk_ticket_data(const uint8_t *octets, size_t len, struct mikey_span data)
{
	struct mikey_ticket_data td;
	enum mikey_parse res = mikey_parse_ticket_data(&td, octets, data);

	require((res == MIKEY_PARSE_UNSUPPORTED) == td.auth_unknown);
	check_span(octets, len, td.thdr);
	check_t(octets, len, &td.t);
	check_span(octets, len, td.rand.data);
	check_kemac(octets, len, &td.kemac);
	check_span(octets, len, td.idr_psk.data);
	check_v(octets, len, &td.v);
	if (res != MIKEY_PARSE_OK)
		return;
	require(td.t.present && td.rand.present && td.kemac.present && td.v.present);
	require(td.v.mac.off + td.v.mac.len == data.off + data.len);
}

static void walk_initiator_data(const uint8_t *octets, size_t len, struct mikey_span data)
{
	struct mikey_initiator_data id;
	enum mikey_parse res = mikey_parse_initiator_data(&id, octets, data);

	require((res == MIKEY_PARSE_UNSUPPORTED) == id.auth_unknown);
	check_v(octets, len, &id.vi);
	check_v(octets, len, &id.vr);
	if (res != MIKEY_PARSE_OK)
		return;
	require(id.vi.present && id.vr.present && id.vi.mac.off < id.vr.mac.off);
	require(id.vr.mac.off + id.vr.mac.len == data.off + data.len);
}

static void walk_ticket(const uint8_t *octets, size_t len, const struct mikey_ticket *t)
{
	check_span(octets, len, t->body);
	check_span(octets, len, t->tp_data);
	check_span(octets, len, t->ticket_data);
	check_span(octets, len, t->initiator_data);
	if (!t->present)
		return;
	require((size_t)t->tp_data.off + t->tp_data.len <= (size_t)t->body.off + t->body.len);
	walk_tp_data(octets, len, t->tp_data);
	if (t->initiator_len_off == 0)
		return;
	require(t->initiator_len_off + 2 == t->initiator_data.off);
	require(t->initiator_data.off + t->initiator_data.len == t->body.off + t->body.len);
	walk_ticket_data(octets, len, t->ticket_data);
	walk_initiator_data(octets, len, t->initiator_data);
}

static void walk_map(const struct mikey_message *m)
{
	unsigned int n = m->map_type == MIKEY_MAP_GENERIC_ID ? m->n_cs : 0;
	struct mikey_cs cs;

	check_span(m->octets, m->len, m->map);
	for (unsigned int i = 0; i < n; i++) {
		require(mikey_cs_get(m, i, &cs));
		check_span(m->octets, m->len, cs.policies);
		check_span(m->octets, m->len, cs.session_data);
		check_span(m->octets, m->len, cs.spi);
	}
	require(!mikey_cs_get(m, n, &cs));
}

static bool same_span(struct mikey_span a, struct mikey_span b)
{
	return a.off == b.off && a.len == b.len;
}

/* In two steps, as the data plane does it, comes out what comes out in one. */
static void check_two_steps(
	enum mikey_parse res, const struct mikey_message *m, const uint8_t *octets, size_t len)
{
	struct mikey_message two;

	if (mikey_parse_header(&two, octets, len) != MIKEY_PARSE_OK)
		return;
	require(mikey_parse_payloads(&two) == res);
	require(two.octets == m->octets && two.len == m->len && two.csb_id == m->csb_id);
	require(two.unsupported_error == m->unsupported_error && two.v_last == m->v_last);
	require(same_span(two.map, m->map) && same_span(two.t.value, m->t.value));
	for (unsigned int i = MIKEY_IDRI; i <= MIKEY_IDRAPP; i++)
		require(same_span(two.idr[i].data, m->idr[i].data));
	for (unsigned int i = MIKEY_RANDRI; i <= MIKEY_RANDRKMS; i++)
		require(same_span(two.randr[i].data, m->randr[i].data));
	require(same_span(two.tp.body, m->tp.body) && same_span(two.ticket.body, m->ticket.body));
	require(same_span(two.kemac.data, m->kemac.data) && same_span(two.v.mac, m->v.mac));
}

enum mikey_parse mikey_walk(const uint8_t *octets, size_t len)
{
	struct mikey_message m;
	enum mikey_parse res = mikey_parse_header(&m, octets, len);

	require(res != MIKEY_PARSE_UNSUPPORTED);
	require((res == MIKEY_PARSE_SHORT) == (len < MIKEY_HDR_LEN));
	res = mikey_parse_message(&m, octets, len);
	check_two_steps(res, &m, octets, len);
	require((res == MIKEY_PARSE_UNSUPPORTED) == (m.unsupported_error != 0));
	require(m.ts_unknown == (m.unsupported_error == MIKEY_ERR_INVALID_TS));
	require(m.auth_unknown == (m.unsupported_error == MIKEY_ERR_INVALID_MAC));
	if (res == MIKEY_PARSE_OK)
		walk_map(&m);
	check_t(octets, len, &m.t);
	for (unsigned int i = MIKEY_IDRI; i <= MIKEY_IDRAPP; i++)
		check_span(octets, len, m.idr[i].data);
	for (unsigned int i = MIKEY_RANDRI; i <= MIKEY_RANDRKMS; i++)
		check_span(octets, len, m.randr[i].data);
	check_kemac(octets, len, &m.kemac);
	check_v(octets, len, &m.v);
	if (res == MIKEY_PARSE_OK && m.v_last)
		require(m.v.present && (size_t)m.v.mac.off + m.v.mac.len == len);
	require(m.sp_off == 0 || m.sp_off < len);
	walk_ticket(octets, len, &m.tp);
	walk_ticket(octets, len, &m.ticket);
	return res;
}

void mikey_walk_parts(const uint8_t *octets, size_t len)
{
	struct mikey_span all = {0, (uint16_t)len};

	if (len > MIKEY_MESSAGE_MAX)
		return;
	walk_tp_data(octets, len, all);
	walk_ticket_data(octets, len, all);
	walk_initiator_data(octets, len, all);
	check_keys(octets, len);
}

static int write_away(int (*decode)(FILE *out, const uint8_t *octets, size_t len),
	const uint8_t *octets, size_t len)
{
	char *text = NULL;
	size_t text_len = 0;
	FILE *out = open_memstream(&text, &text_len);
	int res;

	require(out != NULL);
	res = decode(out, octets, len);
	require(fclose(out) == 0 && text_len > 0);
	free(text);
	return res;
}

void mikey_walk_decode(const uint8_t *octets, size_t len)
{
	int text = write_away(mikey_decode_text, octets, len);
	int json = write_away(mikey_decode_json, octets, len);

	require(text == json && (text == 0 || text == -EBADMSG));
}
