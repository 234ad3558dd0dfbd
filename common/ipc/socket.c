/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/ipc/ipc.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/ipc/cursor.h"

enum { HEADER_LEN = 40, FDS_MAX = 4 };

static void header_encode(const struct ipc_header *h, uint8_t out[HEADER_LEN])
{
	struct ipc_writer w = {.buf = out, .cap = HEADER_LEN};

	ipc_put_uint(&w, h->magic, 4);
	ipc_put_uint(&w, h->version, 2);
	ipc_put_uint(&w, h->type, 2);
	ipc_put_uint(&w, h->seq, 8);
	ipc_put_uint(&w, h->epoch, 8);
	ipc_put_uint(&w, h->status, 4);
	ipc_put_uint(&w, h->flags, 4);
	ipc_put_uint(&w, h->length, 4);
	ipc_put_uint(&w, h->reserved, 4);
}

static void header_decode(struct ipc_header *h, const uint8_t in[HEADER_LEN])
{
	struct ipc_reader r = {.buf = in, .len = HEADER_LEN};

	h->magic = (uint32_t)ipc_get_uint(&r, 4);
	h->version = (uint16_t)ipc_get_uint(&r, 2);
	h->type = (uint16_t)ipc_get_uint(&r, 2);
	h->seq = ipc_get_uint(&r, 8);
	h->epoch = ipc_get_uint(&r, 8);
	h->status = (uint32_t)ipc_get_uint(&r, 4);
	h->flags = (uint32_t)ipc_get_uint(&r, 4);
	h->length = (uint32_t)ipc_get_uint(&r, 4);
	h->reserved = (uint32_t)ipc_get_uint(&r, 4);
}

int ipc_send(int sock, const struct ipc_header *h, const void *body, size_t len, int fd)
{
	uint8_t header[HEADER_LEN];
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {0};
	/* sendmsg() does not write through it */
	struct iovec iov[2] = {{header, sizeof(header)}, {(void *)(uintptr_t)body, len}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = len ? 2 : 1};
	ssize_t n;

	if (fd >= 0 ? len != 0 : h->length != len)
		return -EINVAL;
	header_encode(h, header);
	if (fd >= 0) {
		struct cmsghdr *c;

		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	return 0; /* a SEQPACKET datagram goes whole or not at all */
}

/* Takes the descriptors out of a message: the only one, or -1 and *unexpected set when there is
 * anything else. */
static int take_fd(struct msghdr *msg, bool *unexpected)
{
	int found = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (found < 0) {
				found = fd;
			} else {
				close(fd);
				*unexpected = true;
			}
		}
	}
	if (msg->msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		*unexpected = true;
	return found;
}

static int check_received(const struct ipc_header *h, size_t body, int fd)
{
	if (h->magic != IPC_MAGIC)
		return -EBADMSG;
	if (h->version != IPC_VERSION)
		return -EPROTONOSUPPORT;
	if (fd < 0)
		return h->length == body ? 0 : -EBADMSG;
	if (body != 0)
		return -EBADMSG;
	return ipc_memfd_check(fd, h->length);
}

int ipc_receive(int sock, struct ipc_header *h, void *body, size_t cap, int *fd)
{
	uint8_t header[HEADER_LEN];
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov[2] = {{header, sizeof(header)}, {body, cap}};
	struct msghdr msg = {.msg_iov = iov,
		.msg_iovlen = cap ? 2 : 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf)};
	bool unexpected = false;
	int err = 0;
	ssize_t n;

	*fd = -1;
	memset(h, 0, sizeof(*h));
	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	*fd = take_fd(&msg, &unexpected);
	if (n == 0)
		err = -ECONNRESET;
	else if (n < HEADER_LEN || unexpected)
		err = -EBADMSG;
	if (!err) {
		header_decode(h, header);
		err = check_received(h, (size_t)n - HEADER_LEN, *fd);
	}
	if (err) {
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
		return err;
	}
	return (int)(n - HEADER_LEN);
}

int ipc_check_peer(int sock)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	return len == sizeof(cred) && (cred.uid == 0 || cred.uid == geteuid()) ? 0 : -EACCES;
}
