/* SPDX-License-Identifier: ISC */
/*
 * replay_main.c - feeds files to a fuzz target without libFuzzer.
 *
 * Arguments are files and directories; without any, the target's own corpus is taken
 * (FUZZ_CORPUS, set by the Makefile). Each file is one input, in a block of exactly its size
 * so that sanitizers see a read past its end. A target that finds a fault aborts; a missing
 * or empty corpus fails as well, because it would prove nothing.
 */
#include "config.h"

#include <sys/stat.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "fuzz/fuzz.h"

#define INPUT_MAX (1 << 20)
#define PATH_SIZE 4096

static unsigned long inputs;

static int
replay_file(const char *path, size_t size)
{
	FILE *f = fopen(path, "rbe");
	uint8_t *bytes = malloc(size > 0 ? size : 1);
	int rc = -1;

	if (f != NULL && bytes != NULL && fread(bytes, 1, size, f) == size) {
		(void)LLVMFuzzerTestOneInput(bytes, size);
		inputs++;
		rc = 0;
	} else
		fprintf(stderr, "%s: cannot be read\n", path);
	free(bytes);
	if (f != NULL)
		fclose(f);
	return rc;
}

static int replay(const char *);

static int
replay_dir(const char *path)
{
	char sub[PATH_SIZE];
	struct dirent *e;
	DIR *d = opendir(path);
	int rc = 0;

	if (d == NULL) {
		perror(path);
		return -1;
	}
	while (rc == 0 && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name) >= PATH_SIZE)
			rc = -1;
		else
			rc = replay(sub);
	}
	closedir(d);
	return rc;
}

static int
replay(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		perror(path);
		return -1;
	}
	if (S_ISDIR(st.st_mode))
		return replay_dir(path);
	if (st.st_size > INPUT_MAX) {
		fprintf(stderr, "%s: larger than %d bytes\n", path, INPUT_MAX);
		return -1;
	}
	return replay_file(path, (size_t)st.st_size);
}

int
main(int argc, char **argv)
{
	int rc = 0;

	if (argc < 2)
		rc = replay(FUZZ_CORPUS);
	for (int i = 1; rc == 0 && i < argc; i++)
		rc = replay(argv[i]);
	printf("%lu inputs replayed\n", inputs);
	return rc == 0 && inputs > 0 ? 0 : 1;
}
