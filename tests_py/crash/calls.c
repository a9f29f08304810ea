/* The table of system calls that can change files, for x86_64 and aarch64. */
#include "tracer.h"

#include <stddef.h>
#include <sys/syscall.h>

#define CALL(call, ...) {.number = __NR_##call, .name = #call, .flags_arg = -1, .offset_arg = -1, .value_arg = -1, __VA_ARGS__}
#define CHANGE(...) .class = CLASS_CHANGE, __VA_ARGS__
#define ON_FD(a) .shape = SHAPE_FD, .arg = (a)
#define ON_PATH(a) .shape = SHAPE_PATH, .arg = (a)
#define ON_AT(a) .shape = SHAPE_AT, .arg = (a)
#define WRITES(fd, source, at) CHANGE(ON_FD(fd), .effect = EFFECT_WRITE, .offset_source = (source), .offset_arg = (at))

const struct call_spec call_specs[] = {
	/* Opening. The class of an open that neither creates nor truncates is set to CLASS_OPEN when it is seen. */
#ifdef __NR_open
	CALL(open, CHANGE(ON_PATH(0), .effect = EFFECT_OPEN, .follow = true, .flags_arg = 1)),
	CALL(creat, CHANGE(ON_PATH(0), .effect = EFFECT_OPEN, .follow = true)),
#endif
	CALL(openat, CHANGE(ON_AT(0), .effect = EFFECT_OPEN, .follow = true, .flags_arg = 2)),
	CALL(openat2, CHANGE(ON_AT(0), .effect = EFFECT_OPEN, .follow = true)),

	/* Data. */
	CALL(write, WRITES(0, OFFSET_POSITION, -1)),
	CALL(writev, WRITES(0, OFFSET_POSITION, -1)),
	CALL(pwrite64, WRITES(0, OFFSET_VALUE, 3)),
	CALL(pwritev, WRITES(0, OFFSET_VALUE, 3)),
	CALL(pwritev2, WRITES(0, OFFSET_VALUE, 3)),
	CALL(sendfile, WRITES(0, OFFSET_POSITION, -1)),
	CALL(copy_file_range, WRITES(2, OFFSET_POINTER, 3)),
	CALL(splice, WRITES(2, OFFSET_POINTER, 3)),
	CALL(truncate, CHANGE(ON_PATH(0), .effect = EFFECT_TRUNCATE, .follow = true, .value_arg = 1)),
	CALL(ftruncate, CHANGE(ON_FD(0), .effect = EFFECT_TRUNCATE, .value_arg = 1)),
	CALL(fallocate, CHANGE(ON_FD(0), .effect = EFFECT_FALLOCATE, .flags_arg = 1, .offset_arg = 2, .value_arg = 3)),
	/* Only a shared, writable mapping of a file stops. What is written through it cannot be seen. */
	CALL(mmap, CHANGE(ON_FD(4), .effect = EFFECT_OTHER)),

	/* Names. */
#ifdef __NR_rename
	CALL(rename, CHANGE(.shape = SHAPE_PATHS, .effect = EFFECT_RENAME)),
	CALL(link, CHANGE(.shape = SHAPE_PATHS, .effect = EFFECT_LINK)),
	CALL(unlink, CHANGE(ON_PATH(0), .effect = EFFECT_UNLINK)),
	CALL(symlink, CHANGE(ON_PATH(1), .effect = EFFECT_SYMLINK, .value_arg = 0)),
	CALL(mkdir, CHANGE(ON_PATH(0), .effect = EFFECT_MKDIR, .value_arg = 1)),
	CALL(rmdir, CHANGE(ON_PATH(0), .effect = EFFECT_RMDIR)),
	CALL(mknod, CHANGE(ON_PATH(0), .effect = EFFECT_OTHER)),
#endif
#ifdef __NR_renameat
	CALL(renameat, CHANGE(.shape = SHAPE_ATS, .effect = EFFECT_RENAME)),
#endif
	CALL(renameat2, CHANGE(.shape = SHAPE_ATS, .effect = EFFECT_RENAME, .flags_arg = 4)),
	CALL(linkat, CHANGE(.shape = SHAPE_ATS, .effect = EFFECT_LINK, .flags_arg = 4)),
	CALL(unlinkat, CHANGE(ON_AT(0), .effect = EFFECT_UNLINK, .flags_arg = 2)),
	CALL(symlinkat, CHANGE(ON_AT(1), .effect = EFFECT_SYMLINK, .value_arg = 0)),
	CALL(mkdirat, CHANGE(ON_AT(0), .effect = EFFECT_MKDIR, .value_arg = 2)),
	CALL(mknodat, CHANGE(ON_AT(0), .effect = EFFECT_OTHER)),

	/* Attributes. */
#ifdef __NR_chmod
	CALL(chmod, CHANGE(ON_PATH(0), .effect = EFFECT_MODE, .follow = true, .value_arg = 1)),
	CALL(chown, CHANGE(ON_PATH(0), .effect = EFFECT_OTHER, .follow = true)),
	CALL(lchown, CHANGE(ON_PATH(0), .effect = EFFECT_OTHER)),
	CALL(utime, CHANGE(ON_PATH(0), .effect = EFFECT_OTHER, .follow = true)),
	CALL(utimes, CHANGE(ON_PATH(0), .effect = EFFECT_OTHER, .follow = true)),
	CALL(futimesat, CHANGE(ON_AT(0), .effect = EFFECT_OTHER, .follow = true)),
#endif
	CALL(fchmod, CHANGE(ON_FD(0), .effect = EFFECT_MODE, .value_arg = 1)),
	CALL(fchmodat, CHANGE(ON_AT(0), .effect = EFFECT_MODE, .follow = true, .value_arg = 2)),
#ifdef __NR_fchmodat2
	CALL(fchmodat2, CHANGE(ON_AT(0), .effect = EFFECT_MODE, .follow = true, .flags_arg = 3, .value_arg = 2)),
#endif
	CALL(fchown, CHANGE(ON_FD(0), .effect = EFFECT_OTHER)),
	CALL(fchownat, CHANGE(ON_AT(0), .effect = EFFECT_OTHER, .follow = true, .flags_arg = 4)),
	CALL(utimensat, CHANGE(ON_AT(0), .effect = EFFECT_OTHER, .follow = true, .flags_arg = 3)),
	CALL(setxattr, CHANGE(ON_PATH(0), .effect = EFFECT_OTHER, .follow = true)),
	CALL(lsetxattr, CHANGE(ON_PATH(0), .effect = EFFECT_OTHER)),
	CALL(fsetxattr, CHANGE(ON_FD(0), .effect = EFFECT_OTHER)),
	CALL(removexattr, CHANGE(ON_PATH(0), .effect = EFFECT_OTHER, .follow = true)),
	CALL(lremovexattr, CHANGE(ON_PATH(0), .effect = EFFECT_OTHER)),
	CALL(fremovexattr, CHANGE(ON_FD(0), .effect = EFFECT_OTHER)),

	/* Durability. */
	CALL(fsync, .class = CLASS_SYNC, ON_FD(0)),
	CALL(fdatasync, .class = CLASS_SYNC, ON_FD(0)),
	CALL(syncfs, .class = CLASS_SYNC, ON_FD(0)),
	CALL(sync, .class = CLASS_SYNC, .shape = SHAPE_EVERYTHING),
	CALL(sync_file_range, .class = CLASS_SYNC, ON_FD(0), .flags_arg = 3, .offset_arg = 1, .value_arg = 2),
	CALL(msync, .class = CLASS_SYNC, .shape = SHAPE_MAPPING, .arg = 0, .flags_arg = 2),

	CALL(flock, .class = CLASS_LOCK, ON_FD(0), .flags_arg = 1),
	CALL(close, .class = CLASS_CLOSE, ON_FD(0)),
#ifdef __NR_access
	CALL(access, .class = CLASS_MARKER, ON_PATH(0)),
#endif
	CALL(faccessat, .class = CLASS_MARKER, ON_AT(0)),
	CALL(faccessat2, .class = CLASS_MARKER, ON_AT(0)),
};

const int call_spec_count = sizeof call_specs / sizeof call_specs[0];

const struct call_spec *find_call_spec(long number)
{
	for (int i = 0; i < call_spec_count; i++)
		if (call_specs[i].number == number)
			return &call_specs[i];
	return NULL;
}
