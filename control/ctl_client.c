/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/config.h"
#include "control/ctl.h"
#include "control/unix_socket.h"
#include "control/wiping_alloc.h"

#define DEFAULT_SOCKET "/run/tkms/control.sock"

enum { RESPONSE_MAX = 64 << 20, READ_STEP = 65536 };

struct ctl_client {
	int sock;
	char *buf;
	size_t len, cap;
};

int ctl_fail(const char *format, ...)
{
	va_list args;

	fputs("tkmsctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return CTL_FAILED;
}

/* --socket; else that of the configuration; else, when nobody named one and there is none, the
 * usual place. */
static int socket_path(const struct ctl_options *o, char *path, size_t cap)
{
	struct config_errors errors = {0};
	struct config *config;
	int err;

	if (o->socket || (!o->is_config_given && access(o->config, R_OK) < 0)) {
		err = snprintf(path, cap, "%s", o->socket ? o->socket : DEFAULT_SOCKET) >= (int)cap
			      ? -ENAMETOOLONG
			      : 0;
		return err ? ctl_fail("name of the socket is too long") : CTL_OK;
	}
	err = config_load(o->config, &config, &errors);
	if (err)
		fputs(errors.text ? errors.text : "out of memory\n", stderr);
	free(errors.text);
	if (err)
		return CTL_FAILED;
	err = config_path(config->node.run_dir, "control.sock", path, cap);
	config_free(config);
	return err ? ctl_fail("name of the socket is too long") : CTL_OK;
}

/*
 * Who listens must be root or us. Root also asks the process of a service user: one that owns the
 * socket's directory, where nobody else can put a socket.
 */
static int check_server(int sock, const char *path)
{
	int err = ipc_check_peer(sock);
	struct ucred cred;
	socklen_t len = sizeof(cred);
	struct stat st;
	char *copy;

	if (err != -EACCES || geteuid() != 0)
		return err;
	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	err = stat(dirname(copy), &st) < 0 ? -errno : 0;
	free(copy);
	if (err)
		return err;
	return st.st_uid == cred.uid && !(st.st_mode & (S_IWGRP | S_IWOTH)) ? 0 : -EACCES;
}

struct ctl_client *ctl_connect(const struct ctl_options *o)
{
	struct ctl_client *client;
	char path[4096];
	int sock;

	if (socket_path(o, path, sizeof(path)) != CTL_OK)
		return NULL;
	sock = unix_socket_connect(path, SOCK_STREAM);
	if (sock < 0) {
		ctl_fail("%s: %s%s", path, strerror(-sock),
			sock == -ENOENT || sock == -ECONNREFUSED ? " (is tkms-control running?)"
			: sock == -EACCES ? " (run it as root, or as the user of tkms-control)"
					  : "");
		return NULL;
	}
	client = calloc(1, sizeof(*client));
	if (!client || check_server(sock, path) < 0) {
		ctl_fail(client ? "%s belongs to neither root, nor us, nor a user whose directory "
				  "it is in"
				: "%s: out of memory",
			path);
		free(client);
		close(sock);
		return NULL;
	}
	client->sock = sock;
	return client;
}

void ctl_disconnect(struct ctl_client *client)
{
	if (!client)
		return;
	close(client->sock);
	wiping_free(client->buf);
	free(client);
}

static int send_all(int sock, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(sock, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int send_request(struct ctl_client *client, json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	json_free_t free_text;
	int err;

	json_decref(request);
	if (!text)
		return -ENOMEM;
	err = send_all(client->sock, text, strlen(text));
	if (!err)
		err = send_all(client->sock, "\n", 1);
	json_get_alloc_funcs(NULL, &free_text);
	free_text(text);
	return err;
}

/* One line into buf. Its length without the line end, or -errno. */
static long receive_line(struct ctl_client *client)
{
	client->len = 0;
	for (;;) {
		char *end;
		ssize_t n;

		if (client->cap - client->len < READ_STEP) {
			size_t cap = client->cap ? client->cap * 2 : 2 * READ_STEP;
			char *grown = cap > RESPONSE_MAX ? NULL : wiping_realloc(client->buf, cap);

			if (!grown)
				return cap > RESPONSE_MAX ? -EMSGSIZE : -ENOMEM;
			client->buf = grown;
			client->cap = cap;
		}
		n = recv(client->sock, client->buf + client->len, client->cap - client->len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ECONNRESET;
		end = memchr(client->buf + client->len, '\n', (size_t)n);
		client->len += (size_t)n;
		if (end)
			return end - client->buf;
	}
}

json_t *ctl_request(struct ctl_client *client, json_t *request)
{
	json_t *response, *result = NULL;
	long len = request ? send_request(client, request) : -ENOMEM;

	if (len == 0)
		len = receive_line(client);
	if (len < 0) {
		ctl_fail("tkms-control: %s", len == -ECONNRESET || len == -EPIPE
						     ? "connection closed"
						     : strerror((int)-len));
		return NULL;
	}
	response = json_loadb(client->buf, (size_t)len, 0, NULL);
	if (json_is_true(json_object_get(response, "ok")))
		result = json_incref(json_object_get(response, "result"));
	else
		ctl_fail("%s",
			response ? ctl_text(response, "error") : "tkms-control: not a response");
	json_decref(response);
	return result;
}

json_t *ctl_ask(const struct ctl_options *o, json_t *request)
{
	struct ctl_client *client = ctl_connect(o);
	json_t *result = NULL;

	if (client)
		result = ctl_request(client, request);
	else
		json_decref(request);
	ctl_disconnect(client);
	return result;
}

int ctl_print_json(json_t *result)
{
	int err = json_dumpf(result, stdout, JSON_INDENT(2));

	json_decref(result);
	putchar('\n');
	return err ? ctl_fail("cannot write") : CTL_OK;
}

const char *ctl_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

json_int_t ctl_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

long ctl_read_file(const char *path, void *buf, size_t cap)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = 1;
	int err = fd < 0 ? errno : 0;

	while (!err && n > 0 && len < cap) {
		n = read(fd, (char *)buf + len, cap - len);
		if (n > 0)
			len += (size_t)n;
		else if (n < 0 && errno != EINTR)
			err = errno;
		else if (n < 0)
			n = 1;
	}
	if (!err && len == cap)
		err = EFBIG;
	if (fd >= 0 && !is_stdin)
		close(fd);
	if (err) {
		ctl_fail("%s: %s", path, strerror(err));
		return -1;
	}
	return (long)len;
}
