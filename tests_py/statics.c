// Preloaded into Python: tells of the statics of C++ functions, and has them take their time. A function's static is
// made at its first call, between __cxa_guard_acquire and __cxa_guard_release, which other callers wait for.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>

int static_us;                                  // how long each takes, in microseconds
void (*on_static)(const char *library, long at); // called in the middle of each, with the guard's offset

int __cxa_guard_acquire(long *guard) {
	static int (*acquire)(long *);
	if (!acquire) acquire = (int (*)(long *))dlsym(dlopen("libstdc++.so.6", RTLD_LAZY), "__cxa_guard_acquire");
	int made_here = acquire(guard);
	if (made_here && static_us) usleep(static_us);
	if (made_here && on_static) {
		Dl_info in = {0};
		dladdr(guard, &in);
		on_static(in.dli_fname, (long)guard - (long)in.dli_fbase);
	}
	return made_here;
}
