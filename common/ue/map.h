/* SPDX-License-Identifier: BSD-3-Clause */
/* The GENERIC-ID map: crypto sessions of a Ticket Transfer (RFC 6043 6.1.1). */
#ifndef TKMS_UE_MAP_H
#define TKMS_UE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "common/mikey/message.h"
#include "common/ue/ue.h"

enum {
	UE_CS_MAX = 16,
	UE_CS_POLICIES_MAX = 8,
	UE_SRTP_DATA_LEN = 4,	   /* SSRC */
	UE_SRTP_DATA_ROC_LEN = 10, /* SSRC, ROC, SEQ: S flag */
	UE_MAP_OCTETS = UE_CS_MAX * (7 + UE_CS_POLICIES_MAX + UE_SRTP_DATA_ROC_LEN + UE_SPI_MAX),
};

/* One crypto session of a map. */
struct ue_cs {
	uint8_t cs_id;
	uint8_t prot_type; /* UE_PROT_SRTP */
	uint8_t s_flag;
	uint8_t n_policies;
	uint8_t policies[UE_CS_POLICIES_MAX];
	uint8_t session_data_len; /* 0: left to the responder */
	uint8_t spi_len;	  /* 0: left to the responder */
	uint8_t session_data[UE_SRTP_DATA_ROC_LEN];
	uint8_t spi[UE_SPI_MAX];
};

struct ue_map {
	unsigned int n;
	struct ue_cs cs[UE_CS_MAX];
};

/* Copies the map out of a message; UE_MAP if it is not GENERIC-ID, too large, without sessions, or
 * a CS ID repeats. */
enum ue_result ue_map_read(struct ue_map *map, const struct mikey_message *m);

/* CS ID map info. Octets written, 0 if it does not fit. */
size_t ue_map_encode(const struct ue_map *map, uint8_t *out, size_t cap);

/* Gives a crypto session an SSRC. */
enum ue_result ue_cs_draw_ssrc(const struct ue *ue, struct ue_cs *cs, unsigned int index);

#endif
