/* Finding out what a call is about, and writing it to the log. */
#define _GNU_SOURCE
#include "tracer.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int64_t data_size;

static bool inside_dir(const char *path)
{
	size_t n = strlen(options.dir);
	return strncmp(path, options.dir, n) == 0 && (path[n] == 0 || path[n] == '/');
}

static uint64_t inode_of(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 ? st.st_ino : 0;
}

/* The descriptor a call is about, or -1. */
static int fd_of_call(const struct call *call)
{
	return call->spec->shape == SHAPE_FD ? (int)call->args[call->spec->arg] : -1;
}

void name_files(pid_t tid, struct call *call)
{
	const struct call_spec *spec = call->spec;
	char name[PATH_MAX + 1];
	bool follow = spec->follow;
	call->path[0] = call->path2[0] = 0;
	call->flags = spec->flags_arg >= 0 ? (int)call->args[spec->flags_arg] : 0;
	if (call->flags & AT_SYMLINK_NOFOLLOW && (spec->effect == EFFECT_OTHER || spec->effect == EFFECT_MODE))
		follow = false;
	if (spec->effect == EFFECT_LINK)
		follow = (call->flags & AT_SYMLINK_FOLLOW) != 0;
	if (spec->effect == EFFECT_OPEN && call->flags & (O_NOFOLLOW | O_EXCL))
		follow = false;

	switch (spec->shape) {
	case SHAPE_FD:
		if (!path_of_fd(tid, fd_of_call(call), call->path))
			call->path[0] = 0;
		break;
	case SHAPE_PATH:
	case SHAPE_AT: {
		bool at = spec->shape == SHAPE_AT;
		int dirfd = at ? (int)call->args[spec->arg] : AT_FDCWD;
		uint64_t address = call->args[spec->arg + at];
		/* A null path in utimensat and the like: the descriptor itself. */
		name[0] = 0;
		if (address != 0 && !read_string(tid, address, name, sizeof name))
			break;
		if (!resolve_path(tid, dirfd, name, follow, call->path))
			call->path[0] = 0;
		break;
	}
	case SHAPE_PATHS:
	case SHAPE_ATS: {
		bool at = spec->shape == SHAPE_ATS;
		if (read_string(tid, call->args[at ? 1 : 0], name, sizeof name) &&
		    !resolve_path(tid, at ? (int)call->args[0] : AT_FDCWD, name, follow, call->path))
			call->path[0] = 0;
		if (read_string(tid, call->args[at ? 3 : 1], name, sizeof name) &&
		    !resolve_path(tid, at ? (int)call->args[2] : AT_FDCWD, name, false, call->path2))
			call->path2[0] = 0;
		break;
	}
	case SHAPE_MAPPING:
		if (!path_of_mapping(tid, call->args[spec->arg], call->path))
			call->path[0] = 0;
		break;
	case SHAPE_EVERYTHING:
		strcpy(call->path, options.dir);
		break;
	}
	if (spec->effect == EFFECT_SYMLINK)
		read_string(tid, call->args[0], call->text, sizeof call->text);
	if (spec->number == __NR_openat2) {
		uint64_t flags = 0; /* the first member of struct open_how */
		read_memory(tid, call->args[2], &flags, sizeof flags);
		call->flags = (int)flags;
	}
#ifdef __NR_creat
	if (spec->number == __NR_creat)
		call->flags = O_CREAT | O_WRONLY | O_TRUNC;
#endif
	call->inside = inside_dir(call->path) || inside_dir(call->path2);
	call->class = spec->class;
	if (spec->effect == EFFECT_OPEN && !(call->flags & CREATING_FLAGS))
		call->class = CLASS_OPEN;
}

void note_before(pid_t tid, struct call *call)
{
	const struct call_spec *spec = call->spec;
	char link[PATH_MAX];
	struct stat st;
	call->inode = inode_of(call->path);
	int fd = fd_of_call(call);
	if (fd >= 0) {
		fd_link(tid, fd, link); /* by its name there may be another file, or none */
		call->inode = stat(link, &st) == 0 ? st.st_ino : 0;
	}
	call->inode2 = call->path2[0] != 0 ? inode_of(call->path2) : 0;
	call->existed = call->inode != 0;
	if (spec->effect == EFFECT_LINK && call->inode == 0) {
		/* The source has no name: either /proc/self/fd/N or a descriptor with an empty name. */
		char name[PATH_MAX + 1];
		int any;
		fd = (int)call->args[0];
		if (read_string(tid, call->args[spec->shape == SHAPE_ATS ? 1 : 0], name, sizeof name) && name[0] != 0 &&
		    sscanf(name, "/proc/self/fd/%d", &fd) != 1 && sscanf(name, "/proc/thread-self/fd/%d", &fd) != 1)
			sscanf(name, "/proc/%d/fd/%d", &any, &fd);
		fd_link(tid, fd, link);
		call->inode = stat(link, &st) == 0 ? st.st_ino : 0;
	}
	if (spec->offset_arg >= 0)
		call->offset = (int64_t)call->args[spec->offset_arg];
	if (spec->effect == EFFECT_WRITE) {
		int fd_flags = 0;
		int64_t position = 0;
		if (!position_of_fd(tid, fd, &position, &fd_flags) || stat(link, &st) != 0)
			return;
		bool at_position = spec->offset_source == OFFSET_POSITION;
		if (spec->offset_source == OFFSET_POINTER) {
			at_position = call->offset == 0;
			if (!at_position && !read_memory(tid, (uint64_t)call->offset, &call->offset, sizeof call->offset))
				return;
		}
		if (spec->number == __NR_pwritev2 && call->offset == -1)
			at_position = true;
		if (at_position)
			call->offset = fd_flags & O_APPEND ? st.st_size : position;
		else if (fd_flags & O_APPEND)
			call->offset = st.st_size; /* Linux appends even so */
	}
}

/* Copies what was just written from the file to the side file. */
static void save_data(pid_t tid, int fd, int64_t offset, int64_t length)
{
	char link[PATH_MAX], buffer[1 << 16];
	fd_link(tid, fd, link);
	int in = open(link, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		die("cannot read back %s: %s", link, strerror(errno));
	log_number(options.log, "data", data_size);
	while (length > 0) {
		ssize_t n = pread(in, buffer, length < (int64_t)sizeof buffer ? (size_t)length : sizeof buffer, offset);
		if (n <= 0 || write(options.data, buffer, (size_t)n) != n)
			die("cannot save what was written: %s", strerror(errno));
		offset += n;
		length -= n;
		data_size += n;
	}
	close(in);
}

void log_call(pid_t tid, const struct call *call, int64_t result)
{
	const struct call_spec *spec = call->spec;
	FILE *log = options.log;
	char link[PATH_MAX];
	const char *file = call->path2[0] != 0 ? call->path2 : call->path;
	char opened[PATH_MAX + 1];
	struct stat st;

	log_begin(log, "call");
	log_number(log, "n", call->number);
	log_number(log, "tid", tid);
	log_text(log, "call", spec->name);
	log_number(log, "res", result);
	if (call->error != 0)
		log_number(log, "injected", 1);
	if (spec->flags_arg >= 0 || spec->effect == EFFECT_OPEN)
		log_number(log, "flags", call->flags);
	if (spec->value_arg >= 0 && spec->effect != EFFECT_SYMLINK)
		log_number(log, "value", (int64_t)call->args[spec->value_arg]);
	if (spec->offset_arg >= 0 || spec->effect == EFFECT_WRITE)
		log_number(log, "off", call->offset);
	if (spec->effect == EFFECT_SYMLINK)
		log_text(log, "text", call->text);

	int fd = fd_of_call(call);
	if (spec->effect == EFFECT_OPEN && result >= 0) {
		fd = (int)result;
		/* A file without a name gets one only now, and a dangling link may have been followed. */
		if (path_of_fd(tid, fd, opened))
			file = opened;
		log_number(log, "existed", call->existed && !(call->flags & NAMELESS_FLAG));
	}
	if (fd >= 0)
		log_number(log, "fd", fd);
	log_text(log, "path", file == opened ? opened : call->path);
	if (call->path2[0] != 0)
		log_text(log, "path2", call->path2);
	log_number(log, "ino_before", (int64_t)call->inode);
	if (call->path2[0] != 0)
		log_number(log, "ino2_before", (int64_t)call->inode2);
	if (fd >= 0)
		fd_link(tid, fd, link);
	if (fd >= 0 ? stat(link, &st) == 0 : lstat(file, &st) == 0) {
		log_number(log, "ino", (int64_t)st.st_ino);
		log_number(log, "mode", st.st_mode);
		log_number(log, "size", st.st_size);
		log_number(log, "nlink", (int64_t)st.st_nlink);
		if (spec->effect == EFFECT_WRITE && result > 0 && options.data >= 0 && S_ISREG(st.st_mode))
			save_data(tid, fd, call->offset, result);
	}
	log_end(log);
}

