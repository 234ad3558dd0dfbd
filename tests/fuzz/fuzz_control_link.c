/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a data plane sends, as tkms-control takes it: HELLO, acknowledgements, statistics. Datagrams
 * one after the other, each [kind][length, 2 octets][octets]. Kind: the type of message of a right
 * header whose seq, status and epoch are the first octets; 0xff: the octets as they are.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/control_kit.h"
#include "tests/fuzz/fuzz.h"

enum { HEAD = 3, RAW = 0xff, FIELDS = 3, DATAGRAMS_MAX = 32 };

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void send_datagram(int sock, uint8_t kind, const uint8_t *octets, size_t len)
{
	struct ipc_header h = {.magic = IPC_MAGIC, .version = IPC_VERSION, .type = kind};

	if (kind == RAW) {
		(void)send(sock, octets, len, MSG_NOSIGNAL); /* it may have hung up */
		return;
	}
	if (len >= FIELDS) {
		h.seq = octets[0];
		h.status = octets[1];
		h.epoch = octets[2];
		octets += FIELDS;
		len -= FIELDS;
	}
	h.length = (uint32_t)len;
	(void)ipc_send(sock, &h, octets, len, -1);
}

/* Takes what control sends, as a data plane does: nothing stays with it. */
static void drain(int sock)
{
	static uint8_t octets[65536];
	struct ipc_header h;
	int fd;

	while (ipc_receive(sock, &h, octets, sizeof(octets), &fd) >= 0) {
		require(h.type == IPC_SNAPSHOT || h.type == IPC_SUBSCRIBERS || h.type == IPC_DRAIN);
		if (fd >= 0)
			close(fd);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control *c = control_kit();
	int sock = control_kit_connect("dataplane.sock", SOCK_SEQPACKET);

	control_kit_turn(c);
	for (unsigned int n = 0; n < DATAGRAMS_MAX && size >= HEAD; n++) {
		size_t len = (size_t)(data[1] << 8 | data[2]);

		if (len > size - HEAD)
			len = size - HEAD;
		send_datagram(sock, data[0], data + HEAD, len);
		control_kit_turn(c);
		drain(sock);
		data += HEAD + len;
		size -= HEAD + len;
	}
	close(sock);
	control_kit_turn(c);
	require(!link_status(c->link)->is_connected);
	return 0;
}
