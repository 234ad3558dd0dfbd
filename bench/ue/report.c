/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/ue/report.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "bench/ue/hex.h"
#include "bench/ue/wish.h"
#include "common/crypto/secret.h"
#include "common/mikey/message.h"

enum { FINGERPRINT = 8, TEXT_MAX = 2 * UE_SPI_MAX + 1, NTP_TO_UNIX = 2208988800u };

void report_begin(struct report *r, const struct options *o, struct crypto *crypto,
	const char *command, FILE *talk)
{
	*r = (struct report){
		.o = o,
		.crypto = crypto,
		.talk = o->json ? NULL : talk,
		.json = o->json ? json_object() : NULL,
		.command = command,
	};
	if (o->json && r->json == NULL) {
		usage_error("out of memory");
	}
}

static void set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0) {
		usage_error("out of memory");
	}
}

int report_end(struct report *r, int status)
{
	if (r->json == NULL) {
		return status;
	}
	set(r->json, "exit_status", json_integer(status));
	const int bad = json_dumpf(r->json, stdout, JSON_INDENT(1)) != 0 || putchar('\n') == EOF ||
			fflush(stdout) != 0;
	json_decref(r->json);
	r->json = NULL;
	return bad && status == EXIT_OK ? EXIT_USAGE : status;
}

void report_say(const struct report *r, const char *format, ...)
{
	va_list args;
	if (r->talk == NULL) {
		return;
	}
	va_start(args, format);
	(void)vfprintf(r->talk, format, args);
	(void)fputc('\n', r->talk);
	va_end(args);
}

int report_failure(struct report *r, const char *step, int status, const char *why)
{
	if (r->json != NULL) {
		set(r->json, "failed_step", json_string(step));
		set(r->json, "error", json_string(why));
	}
	(void)fprintf(stderr, "tkms-ue: %s: %s\n", step, why);
	return status;
}

static void asked_json(struct report *r, const struct asked *a)
{
	json_t *j = json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:f}", "result",
		a->status == EXIT_SILENT ? "NO_ANSWER" : ue_result_name(a->result), "sent",
		(int)a->net.sent, "received", (int)a->net.received, "unverified_errors",
		(int)a->net.hints, "init_octets", (int)a->init_len, "resp_octets", (int)a->resp_len,
		"total_ms", (double)a->net.total_us / 1e3);
	if (j == NULL) {
		usage_error("out of memory");
	}
	if (a->address[0] != '\0') {
		set(j, "address", json_string(a->address));
		set(j, "rtt_ms", json_real((double)a->net.rtt_us / 1e3));
	}
	if (a->info.verified && a->info.has_time) {
		set(j, "clock_offset_ms", json_real((double)a->info.offset_us / 1e3));
	}
	if (a->info.error_no >= 0) {
		set(j, "error_no", json_integer(a->info.error_no));
	}
	set(r->json, strcmp(a->step, "REQUEST") == 0 ? "request" : "resolve", j);
}

void report_asked(struct report *r, const struct asked *a, const char *who)
{
	if (r->json != NULL) {
		asked_json(r, a);
	}
	report_say(r, "   %s_INIT  %s -> KMS  %zu octets, MAC with %s's own key", a->step, who,
		a->init_len, who);
	if (a->status != EXIT_OK) {
		return;
	}
	report_say(r,
		"   %s_RESP  KMS -> %s  %zu octets from %s after %.2f ms (%u sent), MAC correct",
		a->step, who, a->resp_len, a->address, (double)a->net.rtt_us / 1e3, a->net.sent);
}

static void time_text(const uint8_t *octets, const struct mikey_t *t, char *out, size_t cap)
{
	const time_t s = (time_t)(mikey_ntp_seconds(octets, t) - NTP_TO_UNIX);
	struct tm tm;
	if (gmtime_r(&s, &tm) == NULL || strftime(out, cap, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
		(void)snprintf(out, cap, "?");
	}
}

void report_ticket(struct report *r, const struct ue_ticket *t)
{
	char flags[13], until[32] = "";
	struct mikey_tp_data tp;
	unsigned int n = 0;
	wish_flags_text(t->flags, flags);
	while (ue_keyset_session_key(&t->keys, n) != NULL) {
		n++;
	}
	if (ue_ticket_policy(t, &tp) == UE_OK && tp.tre.present) {
		time_text(t->body, &tp.tre, until, sizeof(until));
	}
	report_say(r, "   ticket of type %u,%u,%u, flags %s, %u octets, %u session key%s%s%s%s",
		t->type, t->subtype, t->version, flags, t->body_len, n, n == 1 ? "" : "s",
		until[0] != '\0' ? ", valid until " : "", until,
		t->flags & MIKEY_FLAG_K ? "; the KMS changed what was asked for (K)" : "");
	if (r->json == NULL) {
		return;
	}
	json_t *j = json_pack("{s:[i,i,i], s:s, s:i, s:i, s:b}", "type", t->type, t->subtype,
		t->version, "flags", flags, "octets", t->body_len, "session_keys", (int)n,
		"changed_by_kms", (t->flags & MIKEY_FLAG_K) != 0);
	if (j == NULL) {
		usage_error("out of memory");
	}
	if (until[0] != '\0') {
		set(j, "valid_until", json_string(until));
	}
	set(r->json, "ticket", j);
}

/* A MAC under the key: says whether two keys are equal, and nothing else about them. */
static const char *fingerprint(
	struct crypto *ctx, const struct ue_session *s, char out[2 * FINGERPRINT + 1])
{
	static const char label[] = "tkms-ue fingerprint of a session key";
	uint8_t mac[CRYPTO_SHA256_LEN];
	const struct crypto_mac_op op = {
		.key = s->tek,
		.key_len = s->tek_len,
		.seg = {{(const uint8_t *)label, sizeof(label)}, {s->salt, s->salt_len}},
		.n_segments = 2,
		.out = mac,
		.hash = CRYPTO_SHA256,
	};
	crypto_mac(ctx, &op, 1);
	return hex_encode(mac, FINGERPRINT, out);
}

static const char *srtp_name(const struct ue_session *s, char out[40])
{
	(void)snprintf(out, 40, "AES_CM_%d_HMAC_SHA1_%d", s->srtp.key_len * 8, s->srtp.tag_len * 8);
	return out;
}

static json_t *session_json(const struct report *r, const struct ue_session *s)
{
	char text[TEXT_MAX], srtp[40];
	json_t *j = json_pack("{s:i, s:s, s:s, s:s}", "cs_id", s->cs_id, "key_type",
		ue_key_type_name(s->key_type), "spi", hex_encode(s->spi, s->spi_len, text), "srtp",
		srtp_name(s, srtp));
	if (j == NULL) {
		usage_error("out of memory");
	}
	(void)snprintf(text, sizeof(text), "%08x", s->ssrc);
	set(j, "ssrc", json_string(text));
	if (r->o->show_keys) {
		set(j, "tek", json_string(hex_encode(s->tek, s->tek_len, text)));
		set(j, "salt", json_string(hex_encode(s->salt, s->salt_len, text)));
		secret_wipe(text, sizeof(text));
	}
	return j;
}

static void say_session(const struct report *r, const struct ue_session *s)
{
	char spi[TEXT_MAX], srtp[40], tek[TEXT_MAX], salt[TEXT_MAX];
	report_say(r, "   session %u: %s, SSRC %08x, key from %s with SPI %s", s->cs_id,
		srtp_name(s, srtp), s->ssrc, ue_key_type_name(s->key_type),
		hex_encode(s->spi, s->spi_len, spi));
	if (r->o->show_keys) {
		report_say(r, "     key %s salt %s", hex_encode(s->tek, s->tek_len, tek),
			hex_encode(s->salt, s->salt_len, salt));
		secret_wipe(tek, sizeof(tek));
		secret_wipe(salt, sizeof(salt));
	}
}

void report_sessions(struct report *r, const struct ue_sessions *s)
{
	char print[2 * FINGERPRINT + 1];
	json_t *list = json_array();
	for (unsigned int i = 0; i < s->n; i++) {
		json_t *j = session_json(r, &s->s[i]);
		set(j, "fingerprint", json_string(fingerprint(r->crypto, &s->s[i], print)));
		(void)json_array_append_new(list, j);
		say_session(r, &s->s[i]);
		report_say(r, "     fingerprint %s", print);
	}
	if (r->json != NULL) {
		set(r->json, "sessions", list);
	} else {
		json_decref(list);
	}
}

static int same_session(const struct ue_session *a, const struct ue_session *b)
{
	return a->cs_id == b->cs_id && a->ssrc == b->ssrc && a->tek_len == b->tek_len &&
	       a->salt_len == b->salt_len && a->tek_len != 0 &&
	       secret_equal(a->tek, b->tek, a->tek_len) &&
	       secret_equal(a->salt, b->salt, a->salt_len);
}

int report_both(struct report *r, const struct ue_sessions *a, const struct ue_sessions *b)
{
	char pa[2 * FINGERPRINT + 1], pb[2 * FINGERPRINT + 1];
	int equal = a->n == b->n && a->n != 0;
	json_t *list = json_array();
	for (unsigned int i = 0; i < a->n && i < b->n; i++) {
		const int same = same_session(&a->s[i], &b->s[i]);
		json_t *j = session_json(r, &a->s[i]);
		set(j, "fingerprint_from", json_string(fingerprint(r->crypto, &a->s[i], pa)));
		set(j, "fingerprint_to", json_string(fingerprint(r->crypto, &b->s[i], pb)));
		set(j, "equal", json_boolean(same));
		(void)json_array_append_new(list, j);
		say_session(r, &a->s[i]);
		report_say(r, "     fingerprints: A %s, B %s", pa, pb);
		equal = equal && same;
	}
	if (r->json != NULL) {
		set(r->json, "sessions", list);
		set(r->json, "keys_equal", json_boolean(equal));
	} else {
		json_decref(list);
	}
	return equal;
}
