/* Shared by the parts of the tracer; see tracer.c for what it does. */
#ifndef CRASH_TRACER_H
#define CRASH_TRACER_H

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* What a call is, for choosing what is counted. */
enum class {
	CLASS_CHANGE = 1, /* changes data, names or attributes */
	CLASS_SYNC = 2,   /* makes changes durable, or starts to */
	CLASS_OPEN = 4,   /* opens without creating or truncating */
	CLASS_LOCK = 8,   /* flock */
	CLASS_CLOSE = 16, /* close */
	CLASS_MARKER = 32 /* access, faccessat: may name a marker */
};

/* Which arguments of a call name the file it is about. */
enum shape {
	SHAPE_FD,       /* descriptor args[a] */
	SHAPE_PATH,     /* path = args[a], relative to the working directory */
	SHAPE_AT,       /* path = args[a + 1], relative to fd args[a] */
	SHAPE_PATHS,    /* two paths: args[0], args[1] */
	SHAPE_ATS,      /* two paths: args[0..1], args[2..3] */
	SHAPE_MAPPING,  /* address args[a] lies in a mapping of the file */
	SHAPE_EVERYTHING /* no argument: the call is about all files */
};

/* What the call does to it. Named in the log, understood by powercut.py. */
enum effect {
	EFFECT_OTHER,
	EFFECT_OPEN,
	EFFECT_WRITE, /* data is written to the file at an offset found out here */
	EFFECT_TRUNCATE,
	EFFECT_FALLOCATE,
	EFFECT_RENAME,
	EFFECT_LINK,
	EFFECT_UNLINK,
	EFFECT_SYMLINK,
	EFFECT_MKDIR,
	EFFECT_RMDIR,
	EFFECT_MODE
};

/* Where the offset of a write comes from. */
enum offset_source { OFFSET_POSITION, OFFSET_VALUE, OFFSET_POINTER };

struct call_spec {
	long number;
	const char *name;
	enum class class;
	enum shape shape;
	int arg; /* "a" of the shape */
	enum effect effect;
	bool follow;                      /* a symbolic link as last part of the path is followed */
	int flags_arg;                    /* argument holding flags, or -1 */
	enum offset_source offset_source; /* for EFFECT_WRITE */
	int offset_arg;
	int value_arg; /* length, mode and the like that is worth logging, or -1 */
};

extern const struct call_spec call_specs[];
extern const int call_spec_count;
const struct call_spec *find_call_spec(long number);

struct call {
	const struct call_spec *spec;
	enum class class;
	uint64_t args[6];
	char path[PATH_MAX + 1], path2[PATH_MAX + 1];
	char text[PATH_MAX + 1]; /* of a symbolic link */
	bool inside;             /* it is about files in the directory */
	bool existed;            /* path, before the call */
	uint64_t inode, inode2;  /* of path and path2, before the call; 0 if there was none */
	int64_t number;          /* among the counted ones, from 1; 0 if not counted */
	int64_t offset;
	int flags;
	int error; /* the call is not made and returns this, unless 0 */
};

struct options {
	char dir[PATH_MAX + 1];
	const char *start_marker, *stop_marker;
	FILE *log;
	int data;
	unsigned classes;
	int64_t kill_at, fail_at, fail_count;
	int error, refuse_nameless, refuse_links;
	unsigned timeout;
};
extern struct options options;

/* An open with any of these changes files. O_TMPFILE is two bits, of which O_DIRECTORY says nothing here. */
#define NAMELESS_FLAG (O_TMPFILE & ~O_DIRECTORY)
#define CREATING_FLAGS (O_CREAT | O_TRUNC | NAMELESS_FLAG)

/* filter.c: makes the calls of call_specs stop for the tracer, in the calling process and all its children. */
int crash_install_filter(int all_opens);

/* process.c: reading a stopped process. A path buffer has PATH_MAX + 1 bytes. */
bool read_memory(pid_t tid, uint64_t address, void *buffer, size_t size);
bool read_string(pid_t tid, uint64_t address, char *buffer, size_t size);
bool path_of_fd(pid_t tid, int fd, char *path);
bool path_of_mapping(pid_t tid, uint64_t address, char *path);
bool position_of_fd(pid_t tid, int fd, int64_t *position, int *flags);
bool resolve_path(pid_t tid, int dirfd, const char *name, bool follow, char *path);
void fd_link(pid_t tid, int fd, char *path);

/* record.c. All but log_call are for a call that has stopped at its entry. */
void name_files(pid_t tid, struct call *call);  /* finds what its files are called now */
void note_before(pid_t tid, struct call *call); /* what can be known only before it takes effect */
void log_call(pid_t tid, const struct call *call, int64_t result);

/* log.c: one JSON object per line. */
void log_begin(FILE *log, const char *kind);
void log_number(FILE *log, const char *key, int64_t value);
void log_text(FILE *log, const char *key, const char *value);
void log_end(FILE *log);

_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
