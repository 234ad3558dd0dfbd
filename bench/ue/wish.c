/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/ue/wish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/ue/hex.h"
#include "bench/ue/options.h"

static const char letters_all[] = "DEFGHIJKLMNO";

enum { N_FLAGS = 12, SRTP_SALT = 14 };

int wish_flags(const char *letters)
{
	int flags = 0;
	for (const char *s = letters; *s != '\0'; s++) {
		const char *at = strchr(letters_all, *s);
		if (*s == '-') {
			continue;
		}
		if (at == NULL || *s == 'K') {
			usage_error("--flags %s: letters of D E F G H I J L M N O", letters);
		}
		flags |= 1 << (N_FLAGS - 1 - (int)(at - letters_all));
	}
	return flags;
}

void wish_flags_text(uint16_t flags, char *out)
{
	for (int i = 0; i < N_FLAGS; i++) {
		out[i] = (char)(flags >> (N_FLAGS - 1 - i) & 1 ? letters_all[i] : '-');
	}
	out[N_FLAGS] = '\0';
}

static uint8_t type_of(const char *name)
{
	for (uint8_t t = MIKEY_TGK; t <= MIKEY_GTGK_SALT; t++) {
		if (strcmp(name, ue_key_type_name(t)) == 0) {
			return t;
		}
	}
	usage_error("--keys: '%s' is not one of TGK TGK+SALT TEK TEK+SALT GTGK GTGK+SALT", name);
}

static void take_key(char *text, struct ue_key_wish *k)
{
	char *save, *end;
	const char *name = strtok_r(text, ":", &save);
	const char *len = strtok_r(NULL, ":", &save), *spi = strtok_r(NULL, ":", &save);
	memset(k, 0, sizeof(*k));
	k->type = type_of(name != NULL ? name : "");
	k->salt_len = ue_key_type_has_salt(k->type) ? SRTP_SALT : 0;
	if (len != NULL) {
		const unsigned long n = strtoul(len, &end, 10);
		if (*end != '\0' || n < 16 || n > CRYPTO_INKEY_MAX) {
			usage_error("--keys: '%s' is not a length of 16 to 64 octets", len);
		}
		k->key_len = (uint8_t)n;
	}
	if (spi != NULL) {
		const ssize_t n = hex_decode(spi, k->spi, sizeof(k->spi));
		if (n <= 0) {
			usage_error("--keys: '%s' is not an SPI in hex", spi);
		}
		k->spi_len = (uint8_t)n;
	}
}

unsigned int wish_keys(const char *list, struct ue_key_wish keys[UE_KEYS_MAX])
{
	char copy[UE_KEYS_MAX * (16 + 2 * UE_SPI_MAX)];
	unsigned int n = 0;
	char *save;
	if (strcmp(list, "none") == 0) {
		return 0;
	}
	if (strlen(list) >= sizeof(copy)) {
		usage_error("--keys: too long");
	}
	strcpy(copy, list);
	for (char *k = strtok_r(copy, ",", &save); k != NULL; k = strtok_r(NULL, ",", &save)) {
		if (n == UE_KEYS_MAX) {
			usage_error("--keys: at most %d", UE_KEYS_MAX);
		}
		take_key(k, &keys[n++]);
	}
	if (n == 0) {
		usage_error("--keys: none given (say 'none' to ask for no session key)");
	}
	return n;
}

void wish_ticket_type(const char *text, uint16_t *type, uint8_t *subtype, uint8_t *version)
{
	unsigned int t, s, v;
	char rest;
	if (sscanf(text, "%u,%u,%u%c", &t, &s, &v, &rest) != 3 || t > 65535 || s > 255 || v > 255) {
		usage_error("--ticket-type %s: needs TYPE,SUBTYPE,VERSION such as 1,1,1 or 2,0,0",
			text);
	}
	*type = (uint16_t)t;
	*subtype = (uint8_t)s;
	*version = (uint8_t)v;
}
