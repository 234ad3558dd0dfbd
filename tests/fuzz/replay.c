/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs a fuzz target over the files of the directories given: what libFuzzer found once stays found
 * in every test run. Each input is given in memory of exactly its size, so that sanitizers see
 * reads beyond it.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

/* Names the input on a crash: the target aborts without knowing it. */
static int run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	long size = -1;
	int res = -1;

	if (f != NULL && fseek(f, 0, SEEK_END) == 0)
		size = ftell(f);
	if (size >= 0 && fseek(f, 0, SEEK_SET) == 0)
		data = malloc(size > 0 ? (size_t)size : 1);
	if (data != NULL && fread(data, 1, (size_t)size, f) == (size_t)size) {
		fprintf(stderr, "%s\n", path);
		LLVMFuzzerTestOneInput(data, (size_t)size);
		res = 0;
	} else {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	}
	free(data);
	if (f != NULL)
		fclose(f);
	return res;
}

static int run_directory(const char *name, unsigned int *count)
{
	DIR *dir = opendir(name);
	struct dirent *entry;
	char path[4096];
	int res = 0;

	if (dir == NULL) {
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
		return -1;
	}
	while (res == 0 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", name, entry->d_name);
		res = run_file(path);
		(*count)++;
	}
	closedir(dir);
	return res;
}

int main(int argc, char **argv)
{
	unsigned int count = 0;

	for (int i = 1; i < argc; i++) {
		if (run_directory(argv[i], &count) != 0)
			return EXIT_FAILURE;
	}
	printf("%u inputs replayed\n", count);
	return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
