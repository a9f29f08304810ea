//go:build unix

package publish_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/seojaeohcode/atio/core/publish"
)

func TestSpecialTargets(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	check(t, syscall.Mkfifo(fifo, 0o600))
	loop := filepath.Join(dir, "loop")
	check(t, os.Symlink(loop, loop))
	for target, want := range map[string]error{
		dir:                             syscall.EISDIR,
		fifo:                            syscall.ENOTSUP,
		os.DevNull:                      syscall.ENOTSUP,
		loop:                            syscall.ELOOP,
		"":                              syscall.ENOENT,
		filepath.Join(dir, "no", "x"):   syscall.ENOENT,
		filepath.Join(fifo, "x"):        syscall.ENOTDIR,
		dir + strings.Repeat("/n", 1e5): syscall.ENAMETOOLONG,
		filepath.Join(dir, strings.Repeat("n", 250)): syscall.ENAMETOOLONG,
	} {
		if _, err := publish.Begin(context.Background(), target, publish.Options{}); !errors.Is(err, want) {
			t.Errorf("%.60s: %v, want %v", target, err, want)
		}
	}
	left, err := os.ReadDir(dir)
	check(t, err)
	if len(left) != 2 {
		t.Errorf("left %v", left)
	}
}

func TestSymbolicLinks(t *testing.T) {
	dir := t.TempDir()
	check(t, os.Mkdir(filepath.Join(dir, "real"), 0o700))
	link := filepath.Join(dir, "link")
	check(t, os.Symlink("real/x", link)) // dangling at first
	for range 2 {
		write(t, way{}, link, newData)
	}
	if to, err := os.Readlink(link); err != nil || to != "real/x" {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	if got := files(t, filepath.Join(dir, "real")); got["x"] != newData || len(got) != 2 {
		t.Errorf("the real directory holds %v", got)
	}
}

func TestModes(t *testing.T) {
	old := syscall.Umask(0o027)
	defer syscall.Umask(old)
	for _, o := range []publish.Options{{}, {Named: true}} {
		target := filepath.Join(t.TempDir(), "x")
		write(t, way{o: o}, target, oldData)
		mode := func() os.FileMode {
			info, err := os.Stat(target)
			check(t, err)
			return info.Mode()
		}
		if mode() != 0o640 {
			t.Errorf("a new file has mode %v under umask 027", mode())
		}
		check(t, os.Chmod(target, 0o604|os.ModeSetgid))
		write(t, way{o: o}, target, newData)
		if mode() != 0o604|os.ModeSetgid {
			t.Errorf("the mode became %v", mode())
		}
	}
}
