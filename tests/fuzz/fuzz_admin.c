/* SPDX-License-Identifier: BSD-3-Clause */
/* The operator's socket: whatever is written to it, every answer is one JSON object a line, says
 * "ok" or an error, and never has a PSK or a sealing key. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/control_kit.h"
#include "tests/fuzz/fuzz.h"

enum { ANSWER_MAX = 1 << 20 };

static void require(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_admin: %s\n", what);
	abort();
}

static void check_line(const char *line, size_t len)
{
	json_error_t error;
	json_t *json = json_loadb(line, len, 0, &error), *ok = json_object_get(json, "ok");

	require(json && json_is_boolean(ok), "no answer");
	require(json_is_true(ok) || json_string_length(json_object_get(json, "error")) > 0,
		"no error");
	json_decref(json);
}

static void check_answers(int sock)
{
	static char text[ANSWER_MAX];
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(text) && (n = recv(sock, text + len, sizeof(text) - len, 0)) > 0)
		len += (size_t)n;
	for (char *line = text, *end; (end = memchr(line, '\n', len)) != NULL; line = end + 1) {
		check_line(line, (size_t)(end - line));
		len -= (size_t)(end - line) + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control *c = control_kit();
	int sock = control_kit_connect("control.sock", SOCK_STREAM);

	while (size > 0) {
		ssize_t n = send(sock, data, size, MSG_NOSIGNAL);

		control_kit_turn(c);
		if (n <= 0)
			break; /* it has hung up */
		data += n;
		size -= (size_t)n;
	}
	control_kit_turn(c);
	check_answers(sock);
	close(sock);
	control_kit_turn(c);
	return 0;
}
