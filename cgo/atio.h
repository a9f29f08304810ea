/* The C interface of libatio.
 *
 * Work is done by jobs. A job is started with a JSON request and, if it has
 * input in memory, an Arrow C stream; it runs on threads of its own. All other
 * functions take the job's number. No function waits longer than it is told to,
 * but for atio_finish, which waits for the job to clean up.
 *
 *     status = atio_start(request, stream, 20000, &job);
 *     while (status == ATIO_RUNNING) status = atio_wait(job, 20000);
 *     answer = atio_finish(job);      // {"result": ...} or {"error": ...}
 *     atio_free(answer);
 *
 * All functions may be called from any thread. After fork(2) they must not be
 * called in the child: a Go runtime does not survive it. Load the library anew
 * there, from a private copy.
 *
 * Strings are UTF-8 and end with a zero byte. Those given to a function stay
 * the caller's; those returned are to be given to atio_free.
 */
#ifndef ATIO_H
#define ATIO_H

#include <stdint.h>

struct ArrowArrayStream; /* https://arrow.apache.org/docs/format/CStreamInterface.html */

enum atio_status {
	ATIO_UNKNOWN = -1, /* there is no such job */
	ATIO_RUNNING = 0,
	ATIO_READY = 1,   /* done but for the caller's consent, which atio_finish gives */
	ATIO_FAILED = 2,  /* everything is as before; atio_finish tells why */
	ATIO_WAITING = 3, /* for atio_push or atio_resume */
};

struct atio_counts {
	int64_t rows;   /* encoded */
	int64_t bytes;  /* written to the stage */
	int64_t total;  /* rows to come in all, 0 if not known */
	int32_t phase;  /* 0 starting 1 encoding 2 syncing 3 validating 4 publishing 5 done */
	int32_t status; /* enum atio_status */
};

/* Starts a job, stores its number in *job before it does anything, and waits up
 * to wait_us microseconds. stream may be NULL; otherwise it is moved, whatever
 * happens. Returns a status; with ATIO_FAILED *job is valid as well. */
extern int32_t atio_start(char *request, struct ArrowArrayStream *stream, int64_t wait_us, int64_t *job);

/* Gives a waiting job more input. The stream is moved, whatever happens. If the
 * job writes a directory, atio_call({"op": "files", "job": .., "files": [{"path":
 * base64 of the path below it, "rows": ..}]}) before says which files the stream
 * holds, one after the other. */
extern int32_t atio_push(int64_t job, struct ArrowArrayStream *stream, int64_t wait_us);

/* A job of the op "database" waits once more when all is done but the commit,
 * which the next call allows. After it there is no way back: when the job is ready,
 * the transaction has been committed.
 *
 * Lets a waiting job go on: there is no more input, or what the caller had to
 * do at the job's path is done. rows, if not negative, is how many there are. */
extern int32_t atio_resume(int64_t job, int64_t rows, int64_t wait_us);

/* Waits up to wait_us microseconds while the job is running. */
extern int32_t atio_wait(int64_t job, int64_t wait_us);

/* Tells how far the job is. Returns 0, or -1 if there is no such job. */
extern int32_t atio_progress(int64_t job, struct atio_counts *counts);

/* Asks the job to stop and go back. Returns at once. */
extern int32_t atio_cancel(int64_t job);

/* Ends the job and returns its answer as JSON. A job that is ready is made
 * final, unless it has been cancelled; one that is running is waited for; one
 * that waits for the caller is cancelled. The number is invalid afterwards. */
extern char *atio_finish(int64_t job);

/* Answers a request that needs no job, as JSON. */
extern char *atio_call(char *request);

extern void atio_free(char *answer);

/* The version of the library. */
extern char *atio_version(void);

#endif
