/* Runs a command, or attaches to a process, and sees, counts and can spoil each of its calls that change files.
 *
 *	tracer --dir D [options] -- command [argument...]
 *	tracer --dir D [options] --pid P --ready FD
 *
 *	--dir D            only calls about files in or below D count; everything else passes
 *	--count CLASSES    what counts, of change,sync,open,lock,close (default change,sync)
 *	--start-marker P   count only after access(P) was called
 *	--stop-marker P    and no longer once access(P) was called
 *	--log FILE         one line of JSON for each call after it returned, in the order in which they took effect
 *	--data FILE        what was written, for the log's "data" (an offset in FILE)
 *	--kill-at N        SIGKILL everything before the Nth counted call takes effect
 *	--fail-at N        do not make the Nth counted call but return --errno E to the program
 *	--fail-count M     do so for M calls; 0: for all from the Nth on
 *	--refuse-nameless E   fail every O_TMPFILE with error E, as file systems do that do not know it
 *	--refuse-links E      fail every link of a file that has a name; neither kind of refused call counts
 *	--timeout S        kill everything after S seconds
 *	--ready FD         a byte is written there when the process P is attached; it may call crash_install_filter then
 *
 * All threads and children are followed. A counted call is let run only when no other one runs (flock and close
 * excepted, which may wait for others or change nothing), so that the log's order is the true order and nothing is
 * half done at a kill.
 *
 * Exit status: that of the command, 128 + signal if a signal ended it; 125 if the tracer itself failed.
 */
#define _GNU_SOURCE
#include "tracer.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* What PTRACE_GET_SYSCALL_INFO tells. C libraries disagree about its name. */
struct syscall_info {
	uint8_t op;
	uint32_t arch __attribute__((aligned(4)));
	uint64_t instruction_pointer, stack_pointer;
	union {
		struct {
			uint64_t number, args[6];
		} entry; /* also of a seccomp stop */
		struct {
			int64_t result;
			uint8_t is_error;
		} exit;
		uint64_t room[8];
	};
};
#define GET_SYSCALL_INFO 0x420e
#define INFO_EXIT 2
#define INFO_SECCOMP 3

/* A call that was interrupted before it did anything returns one of these and is made again. */
#define RESTART_FIRST 512
#define RESTART_LAST 516

enum thread_state { RUNNING, HELD, IN_CALL };

struct thread {
	pid_t tid;
	enum thread_state state;
	uint64_t held_since; /* order in which held threads get their turn */
	struct call call;
	struct thread *next;
};

struct options options = {.data = -1, .classes = CLASS_CHANGE | CLASS_SYNC, .fail_count = 1};

static struct thread *threads, *in_turn; /* in_turn: whose counted call is running */
static uint64_t holds;
static int64_t counted;
static bool counting, killed;
static const char *end_reason = "exit";
static volatile sig_atomic_t timed_out;

void die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("tracer: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(125); /* PTRACE_O_EXITKILL ends what is traced */
}

static struct thread *find_thread(pid_t tid)
{
	for (struct thread *t = threads; t != NULL; t = t->next)
		if (t->tid == tid)
			return t;
	struct thread *t = calloc(1, sizeof *t);
	if (t == NULL)
		die("no memory");
	t->tid = tid;
	t->next = threads;
	threads = t;
	return t;
}

static void resume(struct thread *thread, int request, int signal)
{
	/* A process killed from outside is gone, which waitpid tells. */
	if (ptrace(request, thread->tid, 0, (long)signal) != 0 && errno != ESRCH)
		die("resume %d: %s", thread->tid, strerror(errno));
}

static void kill_all(const char *reason)
{
	if (!killed)
		end_reason = reason;
	killed = true;
	for (struct thread *t = threads; t != NULL; t = t->next)
		kill(t->tid, SIGKILL);
}

/* A negative number in place of the call's makes the kernel skip it. */
static void skip_call(pid_t tid)
{
#if defined(__x86_64__)
	if (ptrace(PTRACE_POKEUSER, tid, offsetof(struct user_regs_struct, orig_rax), -1L) != 0)
		die("skip a call: %s", strerror(errno));
#else
	int none = -1;
	struct iovec iov = {&none, sizeof none};
	if (ptrace(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, &iov) != 0)
		die("skip a call: %s", strerror(errno));
#endif
}

static void set_result(pid_t tid, int64_t result)
{
#if defined(__x86_64__)
	if (ptrace(PTRACE_POKEUSER, tid, offsetof(struct user_regs_struct, rax), result) != 0)
		die("set a result: %s", strerror(errno));
#else
	struct user_regs_struct regs;
	struct iovec iov = {&regs, sizeof regs};
	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &iov) != 0)
		die("set a result: %s", strerror(errno));
	regs.regs[0] = (uint64_t)result;
	if (ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &iov) != 0)
		die("set a result: %s", strerror(errno));
#endif
}

static void log_mark(const char *event)
{
	if (options.log == NULL)
		return;
	log_begin(options.log, event);
	log_end(options.log);
}

/* Lets a call run, or spoils it. */
static void begin_call(struct thread *thread)
{
	struct call *call = &thread->call;
	bool counts = (call->class & options.classes) != 0;
	call->error = 0;
	call->number = 0;
	note_before(thread->tid, call);
	if (call->spec->effect == EFFECT_OPEN && call->flags & NAMELESS_FLAG)
		call->error = options.refuse_nameless;
	else if (call->spec->effect == EFFECT_LINK && call->existed)
		call->error = options.refuse_links;
	if (counts && call->error == 0) {
		call->number = ++counted;
		if (counted == options.kill_at) {
			if (options.log != NULL) {
				log_begin(options.log, "killed");
				log_number(options.log, "n", counted);
				log_text(options.log, "call", call->spec->name);
				log_text(options.log, "path", call->path);
				log_text(options.log, "path2", call->path2);
				log_end(options.log);
			}
			kill_all("killed");
			return;
		}
		if (options.fail_at != 0 && counted >= options.fail_at &&
		    (options.fail_count == 0 || counted < options.fail_at + options.fail_count))
			call->error = options.error;
	}
	if (call->error != 0)
		skip_call(thread->tid);
	thread->state = IN_CALL;
	resume(thread, PTRACE_SYSCALL, 0);
}

static bool waits_its_turn(const struct call *call)
{
	return call->class != CLASS_LOCK && call->class != CLASS_CLOSE;
}

static void give_turn(void)
{
	while (in_turn == NULL && !killed) {
		struct thread *first = NULL;
		for (struct thread *t = threads; t != NULL; t = t->next)
			if (t->state == HELD && (first == NULL || t->held_since < first->held_since))
				first = t;
		if (first == NULL)
			return;
		struct syscall_info info;
		if (ptrace(GET_SYSCALL_INFO, first->tid, sizeof info, &info) < 0) {
			first->state = RUNNING; /* its process ended while it was held */
			continue;
		}
		name_files(first->tid, &first->call); /* things may have been renamed meanwhile */
		in_turn = first;
		begin_call(first);
	}
}

static void at_entry(struct thread *thread)
{
	struct syscall_info info = {0};
	struct call *call = &thread->call;
	if (ptrace(GET_SYSCALL_INFO, thread->tid, sizeof info, &info) < 0) {
		if (errno == ESRCH)
			return; /* killed meanwhile */
		die("look at a call: %s", strerror(errno));
	}
	call->spec = find_call_spec((long)info.entry.number);
	if (info.op != INFO_SECCOMP || call->spec == NULL) {
		resume(thread, PTRACE_CONT, 0);
		return;
	}
	memcpy(call->args, info.entry.args, sizeof call->args);

	if (call->spec->class == CLASS_MARKER) {
		char name[PATH_MAX + 1] = "";
		read_string(thread->tid, call->args[call->spec->shape == SHAPE_AT ? 1 : 0], name, sizeof name);
		if (options.start_marker != NULL && !counting && strcmp(name, options.start_marker) == 0) {
			counting = true;
			log_mark("start");
		} else if (options.stop_marker != NULL && counting && strcmp(name, options.stop_marker) == 0) {
			counting = false;
			log_mark("stop");
		}
		resume(thread, PTRACE_CONT, 0);
		return;
	}

	if (counting)
		name_files(thread->tid, call);
	bool recorded = counting && call->inside && (call->class & (options.classes | CLASS_LOCK | CLASS_CLOSE)) != 0;
	if (!recorded) {
		resume(thread, PTRACE_CONT, 0);
	} else if (!waits_its_turn(call)) {
		begin_call(thread);
	} else {
		thread->state = HELD;
		thread->held_since = ++holds;
		give_turn();
	}
}

static void at_exit(struct thread *thread)
{
	struct syscall_info info = {0};
	struct call *call = &thread->call;
	if (ptrace(GET_SYSCALL_INFO, thread->tid, sizeof info, &info) < 0) {
		if (errno == ESRCH)
			return;
		die("look at a result: %s", strerror(errno));
	}
	if (info.op != INFO_EXIT)
		die("a call of %d has no end", thread->tid);
	int64_t result = info.exit.result;
	if (call->error != 0) {
		result = -call->error;
		set_result(thread->tid, result);
	}
	if (-result >= RESTART_FIRST && -result <= RESTART_LAST) {
		/* It comes again, and counts then. */
		if (call->number != 0 && call->number == counted)
			counted--;
	} else if (options.log != NULL) {
		log_call(thread->tid, call, result);
	}
	thread->state = RUNNING;
	if (in_turn == thread)
		in_turn = NULL;
	resume(thread, PTRACE_CONT, 0);
	give_turn();
}

static void forget_thread(pid_t tid)
{
	for (struct thread **p = &threads; *p != NULL; p = &(*p)->next) {
		struct thread *t = *p;
		if (t->tid != tid)
			continue;
		if (in_turn == t)
			in_turn = NULL;
		*p = t->next;
		free(t);
		give_turn();
		return;
	}
}

static void at_stop(pid_t tid, int status)
{
	struct thread *thread = find_thread(tid);
	int signal = WSTOPSIG(status), event = status >> 16;
	if (killed) { /* it may have been created while the others were killed */
		kill(tid, SIGKILL);
		resume(thread, PTRACE_CONT, 0);
		return;
	}
	switch (event) {
	case 0:
		if (signal == (SIGTRAP | 0x80))
			at_exit(thread);
		else
			/* On the way into the call the thread runs, and gets the signal when it is over. */
			resume(thread, thread->state == IN_CALL ? PTRACE_SYSCALL : PTRACE_CONT, signal);
		break;
	case PTRACE_EVENT_SECCOMP:
		at_entry(thread);
		break;
	case PTRACE_EVENT_EXEC: {
		unsigned long former = 0; /* the thread that called execve takes over the leader's id */
		ptrace(PTRACE_GETEVENTMSG, tid, 0, &former);
		if ((pid_t)former != tid && former != 0)
			forget_thread((pid_t)former);
		thread->state = RUNNING;
		resume(thread, PTRACE_CONT, 0);
		break;
	}
	case PTRACE_EVENT_STOP:
		if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU)
			resume(thread, PTRACE_LISTEN, 0);
		else
			resume(thread, thread->state == IN_CALL ? PTRACE_SYSCALL : PTRACE_CONT, 0);
		break;
	default:
		resume(thread, PTRACE_CONT, 0);
	}
}

/* Returns the status of the first process, as a shell would have it. */
static int trace(pid_t first)
{
	int result = 0;
	for (;;) {
		int status;
		pid_t tid = waitpid(-1, &status, __WALL);
		if (timed_out && !killed)
			kill_all("timeout");
		if (tid < 0) {
			if (errno == EINTR)
				continue;
			if (errno == ECHILD)
				return result;
			die("wait: %s", strerror(errno));
		}
		if (WIFSTOPPED(status)) {
			at_stop(tid, status);
			continue;
		}
		if (tid == first)
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		forget_thread(tid);
	}
}

static void attach(pid_t pid)
{
	long ptrace_options = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC |
	                      PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
	if (ptrace(PTRACE_SEIZE, pid, 0, ptrace_options) != 0)
		die("attach to %d: %s", pid, strerror(errno));
	find_thread(pid);
}

static pid_t start(char **command)
{
	int go[2];
	if (pipe2(go, O_CLOEXEC) != 0)
		die("pipe: %s", strerror(errno));
	pid_t pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid == 0) {
		char byte;
		if (read(go[0], &byte, 1) != 1)
			_exit(125);
		int error = crash_install_filter((options.classes & CLASS_OPEN) != 0);
		if (error != 0)
			die("seccomp filter: %s", strerror(-error));
		execvp(command[0], command);
		die("%s: %s", command[0], strerror(errno));
	}
	attach(pid);
	if (write(go[1], "", 1) != 1)
		die("pipe: %s", strerror(errno));
	close(go[0]);
	close(go[1]);
	return pid;
}

static unsigned parse_classes(char *list)
{
	static const char *const names[] = {"change", "sync", "open", "lock", "close"};
	unsigned classes = 0;
	for (char *name = strtok(list, ","); name != NULL; name = strtok(NULL, ",")) {
		unsigned i = 0;
		while (i < 5 && strcmp(name, names[i]) != 0)
			i++;
		if (i == 5)
			die("no class %s", name);
		classes |= 1u << i;
	}
	return classes;
}

static void on_alarm(int signal)
{
	(void)signal;
	timed_out = 1;
	/* Again, in case it came just before waitpid. */
	alarm(1);
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{"dir", required_argument, NULL, 'd'},          {"log", required_argument, NULL, 'l'},
		{"data", required_argument, NULL, 'D'},         {"count", required_argument, NULL, 'c'},
		{"start-marker", required_argument, NULL, 's'}, {"stop-marker", required_argument, NULL, 'S'},
		{"kill-at", required_argument, NULL, 'k'},      {"fail-at", required_argument, NULL, 'f'},
		{"fail-count", required_argument, NULL, 'F'},   {"errno", required_argument, NULL, 'e'},
		{"timeout", required_argument, NULL, 't'},      {"pid", required_argument, NULL, 'p'},
		{"ready", required_argument, NULL, 'r'},        {"refuse-nameless", required_argument, NULL, 'n'},
		{"refuse-links", required_argument, NULL, 'L'}, {0},
	};
	pid_t pid = 0;
	int ready = -1;
	for (int option; (option = getopt_long(argc, argv, "+", names, NULL)) != -1;) {
		switch (option) {
		case 'd':
			if (realpath(optarg, options.dir) == NULL)
				die("%s: %s", optarg, strerror(errno));
			break;
		case 'l':
			options.log = fopen(optarg, "we");
			if (options.log == NULL)
				die("%s: %s", optarg, strerror(errno));
			break;
		case 'D':
			options.data = open(optarg, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
			if (options.data < 0)
				die("%s: %s", optarg, strerror(errno));
			break;
		case 'c': options.classes = parse_classes(optarg); break;
		case 's': options.start_marker = optarg; break;
		case 'S': options.stop_marker = optarg; break;
		case 'k': options.kill_at = atoll(optarg); break;
		case 'f': options.fail_at = atoll(optarg); break;
		case 'F': options.fail_count = atoll(optarg); break;
		case 'e': options.error = atoi(optarg); break;
		case 't': options.timeout = (unsigned)atoi(optarg); break;
		case 'p': pid = atoi(optarg); break;
		case 'n': options.refuse_nameless = atoi(optarg); break;
		case 'L': options.refuse_links = atoi(optarg); break;
		case 'r': ready = atoi(optarg); break;
		default: exit(125);
		}
	}
	if (options.dir[0] == 0 || (optind == argc) != (pid != 0))
		die("usage: tracer --dir D [options] (-- command... | --pid P --ready FD)");
	if (options.fail_at != 0 && options.error <= 0)
		die("--fail-at needs --errno");
	counting = options.start_marker == NULL;
	if (options.timeout != 0) {
		struct sigaction action = {.sa_handler = on_alarm}; /* no SA_RESTART: waitpid is to return */
		sigaction(SIGALRM, &action, NULL);
		alarm(options.timeout);
	}
	if (pid == 0) {
		pid = start(argv + optind);
	} else {
		attach(pid);
		if (ready >= 0 && (write(ready, "", 1) != 1 || close(ready) != 0))
			die("--ready: %s", strerror(errno));
	}
	int result = trace(pid);
	if (options.log != NULL) {
		log_begin(options.log, "end");
		log_text(options.log, "reason", end_reason);
		log_number(options.log, "status", result);
		log_number(options.log, "counted", counted);
		log_end(options.log);
		if (fclose(options.log) != 0)
			die("log: %s", strerror(errno));
	}
	return result;
}
