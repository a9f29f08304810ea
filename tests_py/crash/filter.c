/* The seccomp filter: the calls of call_specs stop for the tracer, everything else runs at full speed.
 *
 * Also built as a shared library, for a process that lets itself be traced (tracer --pid): it must have one thread
 * when it calls crash_install_filter.
 */
#define _GNU_SOURCE
#include "tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "the tracer knows x86_64 and aarch64"
#endif

#define FIELD(name) ((uint32_t)offsetof(struct seccomp_data, name))
/* The low half of an argument; both machines are little-endian. */
#define ARG(i) (FIELD(args) + 8 * (uint32_t)(i))
#define LOAD(offset) (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define RETURN(value) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, (value))
/* Skip n instructions if the test says so. */
#define IF_EQUAL_SKIP(value, n) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (n), 0)
#define UNLESS_EQUAL_SKIP(value, n) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (n))
#define UNLESS_ANY_BIT_SKIP(bits, n) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 0, (n))
#define IF_ANY_BIT_SKIP(bits, n) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), (n), 0)

int crash_install_filter(int all_opens)
{
	struct sock_filter code[512];
	int n = 0;
	code[n++] = LOAD(FIELD(arch));
	code[n++] = IF_EQUAL_SKIP(NATIVE_ARCH, 1);
	code[n++] = RETURN(SECCOMP_RET_ALLOW); /* a foreign ABI, whose numbers mean something else */
	code[n++] = LOAD(FIELD(nr));
	/* Writes through io_uring could not be seen, so it does not exist. */
	code[n++] = UNLESS_EQUAL_SKIP(__NR_io_uring_setup, 1);
	code[n++] = RETURN(SECCOMP_RET_ERRNO | ENOSYS);
	for (int i = 0; i < call_spec_count; i++) {
		const struct call_spec *spec = &call_specs[i];
		if (spec->number == __NR_mmap) {
			code[n++] = UNLESS_EQUAL_SKIP(__NR_mmap, 7);
			code[n++] = LOAD(ARG(3));
			code[n++] = UNLESS_ANY_BIT_SKIP(MAP_SHARED, 4);
			code[n++] = IF_ANY_BIT_SKIP(MAP_ANONYMOUS, 3);
			code[n++] = LOAD(ARG(2));
			code[n++] = UNLESS_ANY_BIT_SKIP(PROT_WRITE, 1);
			code[n++] = RETURN(SECCOMP_RET_TRACE);
			code[n++] = RETURN(SECCOMP_RET_ALLOW);
		} else if (spec->effect == EFFECT_OPEN && spec->flags_arg >= 0 && !all_opens) {
			code[n++] = UNLESS_EQUAL_SKIP((uint32_t)spec->number, 4);
			code[n++] = LOAD(ARG(spec->flags_arg));
			code[n++] = UNLESS_ANY_BIT_SKIP(CREATING_FLAGS, 1);
			code[n++] = RETURN(SECCOMP_RET_TRACE);
			code[n++] = RETURN(SECCOMP_RET_ALLOW);
		} else {
			code[n++] = UNLESS_EQUAL_SKIP((uint32_t)spec->number, 1);
			code[n++] = RETURN(SECCOMP_RET_TRACE);
		}
	}
	code[n++] = RETURN(SECCOMP_RET_ALLOW);

	struct sock_fprog program = {.len = (unsigned short)n, .filter = code};
	/* NO_NEW_PRIVS lets this work without being root. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	if (syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
		return -errno;
	return 0;
}
