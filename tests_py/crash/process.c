/* Reading a stopped process: its memory, descriptors and the paths it names. */
#define _GNU_SOURCE
#include "tracer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

bool read_memory(pid_t tid, uint64_t address, void *buffer, size_t size)
{
	struct iovec local = {buffer, size}, remote = {(void *)(uintptr_t)address, size};
	return process_vm_readv(tid, &local, 1, &remote, 1, 0) == (ssize_t)size;
}

bool read_string(pid_t tid, uint64_t address, char *buffer, size_t size)
{
	const size_t page = 4096;
	size_t got = 0;
	while (got < size) {
		/* Up to the end of a page at a time: the next one may not be mapped. */
		size_t step = page - (address + got) % page;
		if (step > size - got)
			step = size - got;
		if (!read_memory(tid, address + got, buffer + got, step))
			return false;
		if (memchr(buffer + got, 0, step) != NULL)
			return true;
		got += step;
	}
	return false;
}

void fd_link(pid_t tid, int fd, char *path)
{
	snprintf(path, PATH_MAX, "/proc/%d/fd/%d", tid, fd);
}

static bool read_link(const char *link, char *path)
{
	ssize_t n = readlink(link, path, PATH_MAX);
	if (n < 0)
		return false;
	path[n] = 0;
	return true;
}

bool path_of_fd(pid_t tid, int fd, char *path)
{
	char link[PATH_MAX];
	fd_link(tid, fd, link);
	return read_link(link, path);
}

bool path_of_mapping(pid_t tid, uint64_t address, char *path)
{
	char name[64], line[PATH_MAX + 200];
	snprintf(name, sizeof name, "/proc/%d/maps", tid);
	FILE *maps = fopen(name, "re");
	if (maps == NULL)
		return false;
	bool found = false;
	while (!found && fgets(line, sizeof line, maps) != NULL) {
		unsigned long first, end;
		int at = 0;
		if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %n", &first, &end, &at) < 2 || address < first || address >= end)
			continue;
		line[strcspn(line, "\n")] = 0;
		strcpy(path, line + at);
		found = path[0] == '/';
	}
	fclose(maps);
	return found;
}

bool position_of_fd(pid_t tid, int fd, int64_t *position, int *flags)
{
	char name[64];
	snprintf(name, sizeof name, "/proc/%d/fdinfo/%d", tid, fd);
	FILE *info = fopen(name, "re");
	if (info == NULL)
		return false;
	long long pos = 0;
	unsigned flag_bits = 0;
	bool ok = fscanf(info, "pos: %lld flags: %o", &pos, &flag_bits) == 2;
	fclose(info);
	*position = pos;
	*flags = (int)flag_bits;
	return ok;
}

/* Writes to path what name means to the process, without symbolic links. The last part need not exist; if it is a
 * symbolic link it is followed only if asked for. */
bool resolve_path(pid_t tid, int dirfd, const char *name, bool follow, char *path)
{
	char full[2 * PATH_MAX + 2], link[PATH_MAX];

	if (name[0] == '/') {
		snprintf(full, sizeof full, "%s", name);
	} else {
		char start[PATH_MAX + 1];
		if (dirfd == AT_FDCWD)
			snprintf(link, sizeof link, "/proc/%d/cwd", tid);
		else
			fd_link(tid, dirfd, link);
		if (!read_link(link, start))
			return false;
		if (name[0] == 0) { /* AT_EMPTY_PATH: the descriptor itself */
			strcpy(path, start);
			return true;
		}
		snprintf(full, sizeof full, "%s/%s", start, name);
	}

	/* What is the process's own in /proc is not the tracer's. */
	static const char *const own[] = {"/proc/self/", "/proc/thread-self/", "/dev/fd/"};
	for (int i = 0; i < 3; i++) {
		size_t n = strlen(own[i]);
		if (strncmp(full, own[i], n) == 0) {
			char rest[PATH_MAX];
			snprintf(rest, sizeof rest, "%.*s", (int)sizeof rest - 1, full + n);
			snprintf(full, sizeof full, i < 2 ? "/proc/%d/%s" : "/proc/%d/fd/%s", tid, rest);
			break;
		}
	}
	int any_pid, any_fd, end = 0;
	if (follow && sscanf(full, "/proc/%d/fd/%d%n", &any_pid, &any_fd, &end) == 2 && full[end] == 0)
		return read_link(full, path); /* also of a file that has no name */

	size_t length = strlen(full);
	while (length > 1 && full[length - 1] == '/')
		full[--length] = 0;
	char *slash = strrchr(full, '/'), *last = slash + 1;
	if (strcmp(last, "") == 0 || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
		return realpath(full, path) != NULL;

	char parent[2 * PATH_MAX + 2], *real;
	snprintf(parent, sizeof parent, "%.*s", slash == full ? 1 : (int)(slash - full), full);
	real = realpath(parent, NULL);
	int n = snprintf(path, PATH_MAX, "%s/%s", real == NULL ? parent : strcmp(real, "/") == 0 ? "" : real, last);
	free(real);
	if (n >= PATH_MAX)
		return false;

	struct stat st;
	if (follow && lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
		real = realpath(path, NULL);
		if (real != NULL)
			snprintf(path, PATH_MAX, "%s", real);
		free(real);
	}
	return true;
}
