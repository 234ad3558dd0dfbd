/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ue/map.h"

#include <string.h>

#include "common/ue/sp.h"

static enum ue_result read_cs(
	struct ue_cs *out, const struct mikey_message *m, const struct mikey_cs *cs)
{
	memset(out, 0, sizeof(*out));
	if (cs->policies.len > UE_CS_POLICIES_MAX || cs->spi.len > UE_SPI_MAX) {
		return UE_MAP;
	}
	if (cs->prot_type != UE_PROT_SRTP) {
		return UE_SECURITY_POLICY;
	}
	if (cs->session_data.len != 0 &&
		cs->session_data.len != (cs->s_flag ? UE_SRTP_DATA_ROC_LEN : UE_SRTP_DATA_LEN)) {
		return UE_SESSION_DATA;
	}
	out->cs_id = cs->cs_id;
	out->prot_type = cs->prot_type;
	out->s_flag = cs->s_flag;
	out->n_policies = (uint8_t)cs->policies.len;
	out->session_data_len = (uint8_t)cs->session_data.len;
	out->spi_len = (uint8_t)cs->spi.len;
	memcpy(out->policies, mikey_at(m->octets, cs->policies), cs->policies.len);
	memcpy(out->session_data, mikey_at(m->octets, cs->session_data), cs->session_data.len);
	memcpy(out->spi, mikey_at(m->octets, cs->spi), cs->spi.len);
	return UE_OK;
}

enum ue_result ue_map_read(struct ue_map *map, const struct mikey_message *m)
{
	struct mikey_cs cs;
	map->n = 0;
	if (m->map_type != MIKEY_MAP_GENERIC_ID || m->n_cs == 0 || m->n_cs > UE_CS_MAX) {
		return UE_MAP;
	}
	for (unsigned int i = 0; i < m->n_cs; i++) {
		if (!mikey_cs_get(m, i, &cs)) {
			return UE_MAP;
		}
		enum ue_result r = read_cs(&map->cs[i], m, &cs);
		if (r != UE_OK) {
			return r;
		}
		for (unsigned int j = 0; j < i; j++) {
			if (map->cs[j].cs_id == cs.cs_id) {
				return UE_MAP;
			}
		}
	}
	map->n = m->n_cs;
	return UE_OK;
}

size_t ue_map_encode(const struct ue_map *map, uint8_t *out, size_t cap)
{
	size_t n = 0;
	for (unsigned int i = 0; i < map->n; i++) {
		const struct ue_cs *cs = &map->cs[i];
		if (cap - n < 6u + cs->n_policies + cs->session_data_len + cs->spi_len) {
			return 0;
		}
		out[n++] = cs->cs_id;
		out[n++] = cs->prot_type;
		out[n++] = (uint8_t)((cs->s_flag ? 0x80 : 0) | cs->n_policies);
		memcpy(out + n, cs->policies, cs->n_policies);
		n += cs->n_policies;
		out[n++] = 0;
		out[n++] = cs->session_data_len;
		memcpy(out + n, cs->session_data, cs->session_data_len);
		n += cs->session_data_len;
		out[n++] = cs->spi_len;
		memcpy(out + n, cs->spi, cs->spi_len);
		n += cs->spi_len;
	}
	return n;
}

enum ue_result ue_cs_draw_ssrc(const struct ue *ue, struct ue_cs *cs, unsigned int index)
{
	cs->s_flag = 0;
	cs->session_data_len = UE_SRTP_DATA_LEN;
	return ue->random(
		       ue->random_arg, UE_DRAW_SSRC, index, cs->session_data, UE_SRTP_DATA_LEN) == 0
		       ? UE_OK
		       : UE_RANDOM;
}
