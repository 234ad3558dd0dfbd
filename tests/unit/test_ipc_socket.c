/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/ipc/ipc.h"

static int pair[2];

static void setup(void)
{
	cr_assert_eq(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
}

static void teardown(void)
{
	close(pair[0]);
	close(pair[1]);
}

TestSuite(ipc_socket, .init = setup, .fini = teardown);

static struct ipc_header header(uint16_t type, uint32_t length)
{
	return (struct ipc_header){.magic = IPC_MAGIC,
		.version = IPC_VERSION,
		.type = type,
		.seq = 0x1122334455667788,
		.epoch = 42,
		.status = 5,
		.flags = IPC_LOAD_LAST,
		.length = length};
}

static unsigned int open_fds(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

Test(ipc_socket, inline_message_arrives_with_its_header)
{
	struct ipc_header h = header(IPC_HELLO, 5), got;
	char body[16];
	int fd;

	cr_assert_eq(ipc_send(pair[0], &h, "hello", 5, -1), 0);
	cr_assert_eq(ipc_receive(pair[1], &got, body, sizeof(body), &fd), 5);
	cr_assert_eq(fd, -1);
	cr_assert_arr_eq(body, "hello", 5);
	cr_assert_eq(memcmp(&h, &got, sizeof(h)), 0);
	cr_assert_eq(ipc_receive(pair[1], &got, body, sizeof(body), &fd), -EAGAIN);
}

Test(ipc_socket, memfd_arrives_and_is_wiped_for_both)
{
	struct ipc_header h = header(IPC_SNAPSHOT, 6), got;
	static const char zeros[6];
	void *mine, *theirs;
	char body[16];
	int fd, sent = ipc_memfd_create("test", 6, &mine);

	cr_assert_geq(sent, 0);
	memcpy(mine, "secret", 6);
	cr_assert_eq(ipc_send(pair[0], &h, NULL, 0, sent), 0);
	cr_assert_eq(ipc_receive(pair[1], &got, body, sizeof(body), &fd), 0);
	cr_assert_geq(fd, 0);
	cr_assert_neq(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	cr_assert_eq(ipc_memfd_map(fd, got.length, &theirs), 0);
	cr_assert_arr_eq((char *)theirs, "secret", 6);
	ipc_memfd_close(fd, theirs, got.length);
	cr_assert_arr_eq((char *)mine, zeros, 6);
	ipc_memfd_close(sent, mine, 6);
}

Test(ipc_socket, memfd_cannot_be_resized)
{
	void *map;
	int fd = ipc_memfd_create("test", 4096, &map);

	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, 0), -1);
	cr_assert_eq(ftruncate(fd, 8192), -1);
	ipc_memfd_close(fd, map, 4096);
	cr_assert_eq(ipc_memfd_create("test", 0, &map), -EINVAL);
}

Test(ipc_socket, an_empty_load_needs_no_memfd)
{
	struct ipc_header h = header(IPC_SUBSCRIBERS, 0), got;
	void *map = &h;
	char body[16];
	int fd;

	cr_assert_eq(ipc_send(pair[0], &h, NULL, 0, -1), 0);
	cr_assert_eq(ipc_receive(pair[1], &got, body, sizeof(body), &fd), 0);
	cr_assert_eq(fd, -1);
	cr_assert_eq(ipc_memfd_map(fd, got.length, &map), 0);
	cr_assert_null(map);
	ipc_memfd_close(fd, map, got.length);
}

/* Sends fd with a header that claims length; the receiver refuses and keeps no descriptor. */
static void assert_refused(int fd_sent, uint32_t length)
{
	struct ipc_header h = header(IPC_SNAPSHOT, length), got;
	unsigned int before = open_fds();
	char body[16];
	int fd;

	cr_assert_eq(ipc_send(pair[0], &h, NULL, 0, fd_sent), 0);
	cr_assert_eq(ipc_receive(pair[1], &got, body, sizeof(body), &fd), -EBADMSG);
	cr_assert_eq(fd, -1);
	cr_assert_eq(open_fds(), before);
}

Test(ipc_socket, descriptors_that_are_no_sealed_memfd_are_refused)
{
	int plain = memfd_create("plain", MFD_CLOEXEC | MFD_ALLOW_SEALING),
	    file = open("/dev/zero", O_RDWR);
	void *map;
	int sealed = ipc_memfd_create("short", 100, &map);

	cr_assert(plain >= 0 && file >= 0 && sealed >= 0);
	cr_assert_eq(ftruncate(plain, 4096), 0);
	assert_refused(plain, 10);
	assert_refused(file, 10);
	assert_refused(sealed, 101);
	cr_assert_eq(ipc_memfd_map(plain, 10, &map), -EBADMSG);
	close(plain);
	close(file);
	close(sealed);
}

Test(ipc_socket, wrong_headers_and_lengths_are_refused)
{
	struct ipc_header h = header(IPC_HELLO, 5), got;
	char body[16];
	int fd;

	cr_assert_eq(
		ipc_send(pair[0], &h, "hell", 4, -1), -EINVAL, "length is not that of the body");
	cr_assert_eq(send(pair[0], "x", 1, 0), 1);
	cr_assert_eq(ipc_receive(pair[1], &got, body, sizeof(body), &fd), -EBADMSG, "short");
	h.magic++;
	cr_assert_eq(ipc_send(pair[0], &h, "hello", 5, -1), 0);
	cr_assert_eq(ipc_receive(pair[1], &got, body, sizeof(body), &fd), -EBADMSG, "magic");
	h.magic--;
	h.version++;
	cr_assert_eq(ipc_send(pair[0], &h, "hello", 5, -1), 0);
	cr_assert_eq(ipc_receive(pair[1], &got, body, sizeof(body), &fd), -EPROTONOSUPPORT);
	h.version--;
	cr_assert_eq(ipc_send(pair[0], &h, "hello", 5, -1), 0);
	cr_assert_eq(ipc_receive(pair[1], &got, body, 4, &fd), -EBADMSG, "longer than the buffer");
	close(pair[0]);
	cr_assert_eq(ipc_receive(pair[1], &got, body, sizeof(body), &fd), -ECONNRESET);
	pair[0] = -1;
}

Test(ipc_socket, several_descriptors_are_refused_and_closed)
{
	struct ipc_header h = header(IPC_SNAPSHOT, 0), got;
	uint8_t raw[40];
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	struct iovec iov = {raw, sizeof(raw)};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	unsigned int before = open_fds();
	char body[16];
	int fd;

	cr_assert_eq(ipc_send(pair[0], &h, NULL, 0, -1), 0);
	cr_assert_eq(recv(pair[1], raw, sizeof(raw), 0), sizeof(raw));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(c), (int[]){0, 1}, 2 * sizeof(int));
	cr_assert_eq(sendmsg(pair[0], &msg, 0), sizeof(raw));
	cr_assert_eq(ipc_receive(pair[1], &got, body, sizeof(body), &fd), -EBADMSG);
	cr_assert_eq(open_fds(), before);
}

Test(ipc_socket, peer_of_the_same_user_is_accepted)
{
	cr_assert_eq(ipc_check_peer(pair[0]), 0);
	cr_assert_lt(ipc_check_peer(-1), 0);
}
