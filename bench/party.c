/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/party.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bench/rng.h"
#include "common/crypto/secret.h"

static const char uid_domain[] = "@ims.mnc001.mcc001.3gppnetwork.org";
static const uint64_t generated_seed = 0x746b6d732d62656e;

static int hex_decode(const char *hex, uint8_t *out, size_t cap)
{
	size_t len = strlen(hex) / 2;

	if (strlen(hex) % 2 || len == 0 || len > cap)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		char octet[3] = {hex[2 * i], hex[2 * i + 1], 0};

		if (!isxdigit((unsigned char)octet[0]) || !isxdigit((unsigned char)octet[1]))
			return -EINVAL;
		out[i] = (uint8_t)strtoul(octet, NULL, 16);
	}
	return (int)len;
}

/* The octets may still move: callers keep offsets until the whole file is read. */
static int add_octets(struct parties *p, size_t *cap, const void *data, size_t len, size_t *off)
{
	while (p->octets_len + len > *cap) {
		size_t bigger = *cap ? *cap * 2 : 4096;
		char *grown = realloc(p->octets, bigger);

		if (!grown)
			return -ENOMEM;
		p->octets = grown;
		*cap = bigger;
	}
	memcpy(p->octets + p->octets_len, data, len);
	*off = p->octets_len;
	p->octets_len += len;
	return 0;
}

struct loader {
	struct parties *p;
	size_t octets_cap;
	size_t party_cap;
	size_t (*offsets)[2]; /* psk_id, uid */
};

static int grow_parties(struct loader *l)
{
	size_t bigger = l->party_cap ? l->party_cap * 2 : 64;
	struct party *party = realloc(l->p->party, bigger * sizeof(*party));
	size_t(*offsets)[2];

	if (!party)
		return -ENOMEM;
	l->p->party = party;
	offsets = realloc(l->offsets, bigger * sizeof(*offsets));
	if (!offsets)
		return -ENOMEM;
	l->offsets = offsets;
	l->party_cap = bigger;
	return 0;
}

static int add_record(struct loader *l, struct crypto *ctx, json_t *record, const char **why)
{
	const char *psk_id = json_string_value(json_object_get(record, "psk_id"));
	const char *psk = json_string_value(json_object_get(record, "psk"));
	json_t *first = json_array_get(json_object_get(record, "uids"), 0);
	const char *uid = json_string_value(first);
	uint8_t raw_id[255];
	const void *id = psk_id;
	int id_len;
	struct party *party;

	*why = "needs psk_id, psk and uids";
	if (!psk_id || !psk || !uid)
		return -EINVAL;
	id_len = (int)strlen(psk_id);
	if (strncmp(psk_id, "hex:", 4) == 0) {
		id_len = hex_decode(psk_id + 4, raw_id, sizeof(raw_id));
		id = raw_id;
	}
	*why = "psk_id has 1 to 255 octets, a uid 1 to 255";
	if (id_len < 1 || id_len > 255 || strlen(uid) < 1 || strlen(uid) > 255)
		return -EINVAL;
	if (l->p->n == l->party_cap && grow_parties(l) < 0)
		return -ENOMEM;
	party = &l->p->party[l->p->n];
	memset(party, 0, sizeof(*party));
	*why = "psk has 16 to 32 octets in hex";
	int psk_len = hex_decode(psk, party->psk, sizeof(party->psk));
	if (psk_len < 16)
		return -EINVAL;
	party->psk_len = (uint8_t)psk_len;
	party->psk_id.len = (uint16_t)id_len;
	party->uid.len = (uint16_t)strlen(uid);
	if (add_octets(l->p, &l->octets_cap, id, party->psk_id.len, &l->offsets[l->p->n][0]) < 0 ||
		add_octets(l->p, &l->octets_cap, uid, party->uid.len, &l->offsets[l->p->n][1]) < 0)
		return -ENOMEM;
	crypto_key_prepare(ctx, party->psk, party->psk_len, &party->prepared);
	l->p->n++;
	return 0;
}

static int load_lines(struct loader *l, struct crypto *ctx, FILE *in, const char *path, size_t max)
{
	char *line = NULL;
	size_t cap = 0, number = 0;
	int r = 0;

	while (r == 0 && l->p->n < max && getline(&line, &cap, in) >= 0) {
		const char *why = "is not JSON";
		json_t *record;

		number++;
		if (line[strspn(line, " \t\r\n")] == '\0')
			continue;
		record = json_loads(line, 0, NULL);
		r = record ? add_record(l, ctx, record, &why) : -EINVAL;
		json_decref(record);
		if (r == -EINVAL)
			fprintf(stderr, "tkms-bench: %s:%zu: %s\n", path, number, why);
	}
	if (r == 0 && ferror(in))
		r = -EIO;
	if (line)
		secret_wipe(line, cap);
	free(line);
	return r;
}

int parties_load(struct parties *p, struct crypto *ctx, const char *path, size_t max)
{
	struct loader l = {.p = p};
	FILE *in = fopen(path, "re");
	int r;

	memset(p, 0, sizeof(*p));
	if (!in)
		return -errno;
	r = load_lines(&l, ctx, in, path, max);
	fclose(in);
	for (size_t i = 0; i < p->n; i++) {
		p->party[i].psk_id.data = (const uint8_t *)p->octets + l.offsets[i][0];
		p->party[i].uid.data = (const uint8_t *)p->octets + l.offsets[i][1];
	}
	free(l.offsets);
	if (r < 0)
		parties_clear(p);
	return r;
}

int parties_generate(
	struct parties *p, struct crypto *ctx, size_t n, size_t uid_len, size_t psk_len)
{
	enum { PSK_ID_LEN = 14 };
	size_t domain_len = sizeof(uid_domain) - 1;
	char number[32];

	memset(p, 0, sizeof(*p));
	p->octets_len = n * (uid_len + PSK_ID_LEN);
	p->octets = malloc(p->octets_len + 1);
	p->party = calloc(n, sizeof(*p->party));
	if (!p->octets || !p->party) {
		parties_clear(p);
		return -ENOMEM;
	}
	p->n = n;
	for (size_t i = 0; i < n; i++) {
		char *psk_id = p->octets + i * (uid_len + PSK_ID_LEN), *uid = psk_id + PSK_ID_LEN;
		struct party *party = &p->party[i];
		struct rng rng;

		snprintf(number, sizeof(number), "%09zu", i);
		memcpy(psk_id, "b-tid", 5);
		memcpy(psk_id + 5, number, 9);
		memset(uid, 'u', uid_len);
		memcpy(uid + uid_len - domain_len, uid_domain, domain_len);
		memcpy(uid + uid_len - domain_len - 9, number, 9);
		party->psk_id = (struct identity){(const uint8_t *)psk_id, PSK_ID_LEN};
		party->uid = (struct identity){(const uint8_t *)uid, (uint16_t)uid_len};
		rng_seed(&rng, generated_seed + i);
		rng_fill(&rng, party->psk, psk_len);
		party->psk_len = (uint8_t)psk_len;
		crypto_key_prepare(ctx, party->psk, psk_len, &party->prepared);
	}
	return 0;
}

int parties_print(const struct parties *p, FILE *out)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct party *party = &p->party[i];

		fprintf(out, "{\"psk_id\": \"%.*s\", \"psk\": \"", party->psk_id.len,
			(const char *)party->psk_id.data);
		for (unsigned int k = 0; k < party->psk_len; k++)
			fprintf(out, "%02x", party->psk[k]);
		fprintf(out, "\", \"uids\": [\"%.*s\"]}\n", party->uid.len,
			(const char *)party->uid.data);
	}
	return fflush(out) == 0 && !ferror(out) ? 0 : -EIO;
}

void parties_clear(struct parties *p)
{
	if (p->party)
		secret_wipe(p->party, p->n * sizeof(*p->party));
	free(p->party);
	free(p->octets);
	memset(p, 0, sizeof(*p));
}
