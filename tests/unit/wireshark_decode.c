/* SPDX-License-Identifier: BSD-3-Clause */
/* The decoder over many messages: a line of hex in, a JSON object out, for tests in other
 * languages. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/mikey/decode.h"
#include "common/mikey/message.h"

enum { LINE_MAX_LEN = 2 * MIKEY_MESSAGE_MAX + 2 };

int main(void)
{
	static char line[LINE_MAX_LEN];
	static uint8_t message[MIKEY_MESSAGE_MAX];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		ssize_t len = 0;
		int err;

		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '\0')
			len = mikey_decode_input((const uint8_t *)line, strlen(line), message,
				sizeof(message), NULL);
		if (len < 0) {
			fprintf(stderr, "not hex: %s\n", line);
			return 1;
		}
		err = mikey_decode_json(stdout, message, (size_t)len);
		if (err != 0 && err != -EBADMSG) {
			fprintf(stderr, "decoder: %s\n", strerror(-err));
			return 1;
		}
	}
	return ferror(stdin) || fflush(stdout) != 0;
}
