package mongodb

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
)

// identity tells processes apart.
type identity struct {
	machine string // its boot and its space of process ids, "" if not known
	pid     int
	started string // when, in ticks since the boot
}

var self = sync.OnceValue(func() identity {
	me := identity{pid: os.Getpid()}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return me
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return me
	}
	if _, started, err := statusOf(me.pid); err == nil {
		me.machine, me.started = strings.TrimSpace(string(boot))+" "+space, started
	}
	return me
})

// isAlive reports whether the process of this machine runs; in doubt it does.
func isAlive(pid int, started string) bool {
	state, since, err := statusOf(pid)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	return err != nil || (since == started && state != "Z" && state != "X")
}

// statusOf reads proc(5).
func statusOf(pid int) (state, started string, err error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", "", err
	}
	// Behind the name in parentheses, in which anything may be.
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(fields) < 20 {
		return "", "", errors.New("/proc/PID/stat is too short")
	}
	return fields[0], fields[19], nil
}
