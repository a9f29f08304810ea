package tests_go

import (
	"os"
	"runtime"
	"strings"
	"testing"
)

// descriptors counts the open files of this process.
func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	check(t, err)
	return len(open)
}

// goroutines counts those that are in the code of core.
func goroutines() int {
	buf := make([]byte, 1<<20)
	stacks := string(buf[:runtime.Stack(buf, true)])
	n := 0
	for _, stack := range strings.Split(stacks, "\n\n") {
		if strings.Contains(stack, module+"core/") {
			n++
		}
	}
	return n
}
