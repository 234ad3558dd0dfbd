/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tkms-control sends, as the data plane takes it: messages one after the other, each
 * [type][flags][length, 2 octets][octets]; the octets travel in a memfd. The highest bit of flags:
 * inline instead; the next one: a length that is not that of the memfd. Behind the link are the
 * real snapshot and the real subscriber table.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/link.h"
#include "dataplane/load.h"
#include "dataplane/log.h"
#include "tests/fuzz/fuzz.h"

enum { HEAD = 4, INLINE = 0x80, OTHER_LENGTH = 0x40, MESSAGES_MAX = 16 };

static struct shared shared;
static struct load load;
static struct ipc_snapshot incoming;

static void require(bool ok)
{
	if (!ok)
		abort();
}

static int on_snapshot(void *arg, const uint8_t *buf, size_t len)
{
	struct snapshot *s = NULL;
	const char *why = NULL;
	int err = ipc_snapshot_decode(&incoming, buf, len);

	(void)arg;
	if (!err) {
		err = snapshot_build(&s, load.crypto, &incoming, &why);
		require(err ? why != NULL : s != NULL);
	}
	if (!err)
		snapshot_publish(&shared, s);
	return err;
}

static int on_subscribers(void *arg, const uint8_t *buf, size_t len, uint32_t flags)
{
	(void)arg;
	return load_part(&load, buf, len, flags);
}

static void on_hello(void *arg, struct ipc_hello *hello)
{
	(void)arg;
	hello->epoch = shared.snapshot ? shared.snapshot->epoch : 0;
}

static void on_contact(void *arg, uint32_t status)
{
	(void)arg;
	(void)status;
}

static void nothing(void *arg)
{
	(void)arg;
}

static void send_message(int sock, const uint8_t *head, const uint8_t *octets, uint32_t len)
{
	struct ipc_header h = {.magic = IPC_MAGIC,
		.version = IPC_VERSION,
		.type = head[0],
		.seq = 1,
		.flags = head[1] & 0x0f,
		.length = len};
	void *map = NULL;
	int fd = -1;

	if (head[1] & INLINE) {
		require(ipc_send(sock, &h, octets, len, -1) == 0);
		return;
	}
	if (len > 0) {
		fd = ipc_memfd_create("fuzz", len, &map);
		require(fd >= 0);
		memcpy(map, octets, len);
	}
	if (head[1] & OTHER_LENGTH)
		h.length = (uint32_t)head[1] << 12 | len;
	require(ipc_send(sock, &h, NULL, 0, fd) == 0 || fd < 0);
	if (fd >= 0)
		ipc_memfd_release(fd, map, len);
}

static void drain(int sock)
{
	uint8_t octets[4096];

	while (recv(sock, octets, sizeof(octets), MSG_DONTWAIT) > 0)
		;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct link_handlers handlers = {.snapshot = on_snapshot,
		.subscribers = on_subscribers,
		.hello = on_hello,
		.contact = on_contact,
		.lost = nothing,
		.released = nothing};
	struct link l;
	int pair[2];

	(void)log_set_level("error");
	load = (struct load){.shared = &shared, .crypto = crypto_open("openssl")};
	require(load.crypto && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) == 0);
	link_init(&l, "/nowhere", &handlers);
	l.sock = pair[0];
	for (unsigned int n = 0; n < MESSAGES_MAX && size >= HEAD && l.sock >= 0; n++) {
		uint32_t len = (uint32_t)(data[2] << 8 | data[3]);

		if (len > size - HEAD)
			len = (uint32_t)(size - HEAD);
		send_message(pair[1], data, data + HEAD, len);
		link_receive(&l, 0);
		drain(pair[1]);
		data += HEAD + len;
		size -= HEAD + len;
	}
	close(pair[1]);
	if (l.sock >= 0)
		link_receive(&l, 0);
	require(l.sock < 0);
	load_abort(&load);
	shared_clear(&shared);
	crypto_close(load.crypto);
	return 0;
}
