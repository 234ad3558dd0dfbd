/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flood DEVICE FILE RATE SECONDS: sends the frames of FILE (2 octets length, big-endian, and the
 * frame), over and over, RATE a second, on a raw socket. Prints how many were sent. On SIGTERM it
 * ends early.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAMES_MAX = 65536, FILE_MAX = 64 << 20, BURST = 8, NS_PER_SECOND = 1000000000 };

static volatile sig_atomic_t stop;

static void on_term(int number)
{
	(void)number;
	stop = 1;
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Points frames into a copy of the file. Returns their number. */
static size_t frames_read(const char *path, struct iovec *frames)
{
	unsigned char *octets = malloc(FILE_MAX);
	FILE *f = fopen(path, "rb");
	size_t len, at = 0, n = 0;

	if (!octets || !f)
		die(path);
	len = fread(octets, 1, FILE_MAX, f);
	fclose(f);
	while (at + 2 <= len && n < FRAMES_MAX) {
		size_t size = (size_t)(octets[at] << 8 | octets[at + 1]);

		if (size > len - at - 2)
			break;
		frames[n++] = (struct iovec){octets + at + 2, size};
		at += 2 + size;
	}
	if (n == 0 || at != len) {
		errno = EINVAL;
		die(path);
	}
	return n;
}

static int port_open(const char *device)
{
	struct sockaddr_ll where = {.sll_family = AF_PACKET,
		.sll_protocol = 0, /* receives nothing */
		.sll_ifindex = (int)if_nametoindex(device)};
	int sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (sock < 0 || where.sll_ifindex == 0 ||
		bind(sock, (const struct sockaddr *)&where, sizeof(where)) < 0)
		die(device);
	return sock;
}

/* A burst from *next on. A device that is full takes fewer. */
static unsigned int send_some(int sock, struct iovec *frames, size_t n, size_t *next)
{
	struct mmsghdr messages[BURST];
	int sent;

	memset(messages, 0, sizeof(messages));
	for (unsigned int i = 0; i < BURST; i++) {
		messages[i].msg_hdr.msg_iov = &frames[(*next + i) % n];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	*next = (*next + BURST) % n;
	sent = sendmmsg(sock, messages, BURST, 0);
	if (sent < 0 && errno != ENOBUFS && errno != EINTR)
		die("send");
	return sent < 0 ? 0 : (unsigned int)sent;
}

int main(int argc, char **argv)
{
	static struct iovec frames[FRAMES_MAX];
	struct timespec at;
	unsigned long long sent = 0, bursts;
	long long gap_ns;
	size_t n, next = 0;
	int sock;

	if (argc != 5 || atof(argv[3]) <= 0) {
		fprintf(stderr, "usage: flood DEVICE FILE RATE SECONDS\n");
		return 2;
	}
	n = frames_read(argv[2], frames);
	sock = port_open(argv[1]);
	signal(SIGTERM, on_term);
	bursts = (unsigned long long)(atof(argv[3]) * atof(argv[4]) / BURST);
	gap_ns = (long long)(BURST * 1e9 / atof(argv[3]));
	clock_gettime(CLOCK_MONOTONIC, &at);
	for (unsigned long long i = 0; i < bursts && !stop; i++) {
		sent += send_some(sock, frames, n, &next);
		at.tv_nsec += gap_ns;
		at.tv_sec += at.tv_nsec / NS_PER_SECOND;
		at.tv_nsec %= NS_PER_SECOND;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
	}
	printf("%llu\n", sent);
	return 0;
}
