/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/cluster_state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/files.h"
#include "control/hex.h"

#define HEADER "tkms-cluster 1"

enum { LINE_LEN = 128, HEX_LEN = 32 };

static int parse_claim(struct cluster_state *s, const char *line)
{
	struct heartbeat_claim *claim = &s->claims[s->n_claims];
	char hex[HEX_LEN + 1];
	unsigned int family;

	if (s->n_claims == IPC_ADDRESSES_MAX ||
		sscanf(line, "claim %u %32s %" SCNu64, &family, hex, &claim->number) != 3 ||
		(family != 4 && family != 6) || strlen(hex) != HEX_LEN ||
		hex_decode(hex, HEX_LEN, claim->octets) != 0)
		return -EBADMSG;
	claim->family = (uint8_t)family;
	s->n_claims++;
	return 0;
}

static int parse_member(struct cluster_state *s, const char *line)
{
	struct cluster_state_member *m = &s->members[s->n_members];

	if (!s->has_members || s->n_members == BUS_ORIGINS_MAX ||
		sscanf(line, "member %" SCNx64 " %" SCNu64 " %63s", &m->origin, &m->counter,
			m->name) != 3 ||
		m->origin == 0)
		return -EBADMSG;
	s->n_members++;
	return 0;
}

/* Lines of a newer version are passed over. */
static int parse_line(struct cluster_state *s, const char *line)
{
	unsigned int drained;

	if (strncmp(line, "counter ", 8) == 0)
		return sscanf(line, "counter %" SCNu64, &s->counter) == 1 ? 0 : -EBADMSG;
	if (strncmp(line, "contact ", 8) == 0)
		return sscanf(line, "contact %" SCNd64, &s->contact_ms) == 1 ? 0 : -EBADMSG;
	if (strncmp(line, "drained ", 8) == 0) {
		if (sscanf(line, "drained %u", &drained) != 1)
			return -EBADMSG;
		s->is_drained_by_operator = drained != 0;
		return 0;
	}
	if (strcmp(line, "members\n") == 0)
		s->has_members = true;
	if (strncmp(line, "member ", 7) == 0)
		return parse_member(s, line);
	return strncmp(line, "claim ", 6) == 0 ? parse_claim(s, line) : 0;
}

static int parse(struct cluster_state *s, FILE *f)
{
	char line[LINE_LEN];
	bool has_end = false;
	int err = 0;

	if (!fgets(line, sizeof(line), f) || strcmp(line, HEADER "\n") != 0)
		return ferror(f) ? -EIO : -EBADMSG;
	while (!err && fgets(line, sizeof(line), f)) {
		has_end = strcmp(line, "end\n") == 0;
		err = strchr(line, '\n') ? parse_line(s, line) : -EBADMSG;
	}
	if (!err && ferror(f))
		err = -EIO;
	return err ? err : has_end ? 0 : -EBADMSG;
}

int cluster_state_load(const char *path, struct cluster_state *s)
{
	FILE *f = fopen(path, "re");
	int err;

	memset(s, 0, sizeof(*s));
	if (!f)
		return -errno;
	err = parse(s, f);
	(void)fclose(f); /* it was only read */
	if (err)
		memset(s, 0, sizeof(*s));
	return err;
}

static int write_all(FILE *f, const struct cluster_state *s)
{
	char hex[HEX_LEN + 1];

	fprintf(f, HEADER "\ncounter %" PRIu64 "\ncontact %" PRId64 "\ndrained %d\n", s->counter,
		s->contact_ms, s->is_drained_by_operator);
	for (unsigned int i = 0; i < s->n_claims; i++) {
		hex_encode(s->claims[i].octets, sizeof(s->claims[i].octets), hex);
		fprintf(f, "claim %u %s %" PRIu64 "\n", s->claims[i].family, hex,
			s->claims[i].number);
	}
	if (s->has_members)
		fputs("members\n", f);
	for (unsigned int i = 0; i < s->n_members; i++)
		fprintf(f, "member %016" PRIx64 " %" PRIu64 " %s\n", s->members[i].origin,
			s->members[i].counter, s->members[i].name);
	fputs("end\n", f);
	if (fflush(f) != 0 || ferror(f))
		return -EIO;
	return fsync(fileno(f)) < 0 ? -errno : 0;
}

int cluster_state_save(const char *path, const struct cluster_state *s)
{
	char fresh[PATH_MAX], dir[PATH_MAX];
	FILE *f;
	int fd, err;

	if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
		return -ENAMETOOLONG;
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	f = fdopen(fd, "w");
	if (!f) {
		err = -errno;
		close(fd);
		return err;
	}
	err = write_all(f, s);
	if (fclose(f) != 0 && !err)
		err = -errno;
	if (!err && rename(fresh, path) < 0)
		err = -errno;
	if (!err)
		err = files_dirname(path, dir, sizeof(dir));
	return err ? err : files_sync_dir(dir);
}
