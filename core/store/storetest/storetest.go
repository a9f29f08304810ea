// Package storetest is the conformance suite that every implementation of
// store.Store passes. The idea is that of restic's backend tests.
package storetest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seojaeohcode/atio/core/store"
)

// Run tests st. newDir returns the name of a new empty directory in it.
func Run(t *testing.T, st store.Store, newDir func(t *testing.T) string) {
	s := suite{st, newDir}
	t.Run("CreateAndRead", s.createAndRead)
	t.Run("Nameless", s.nameless)
	t.Run("RenameReplaces", s.renameReplaces)
	t.Run("LinkIsSameFile", s.linkIsSameFile)
	t.Run("Exchange", s.exchange)
	t.Run("Missing", s.missing)
	t.Run("Directories", s.directories)
	t.Run("Mode", s.mode)
	t.Run("LockExcludes", s.lockExcludes)
	t.Run("LockObeysContext", s.lockObeysContext)
	t.Run("LockLeavesNothing", s.lockLeavesNothing)
}

type suite struct {
	store.Store
	newDir func(t *testing.T) string
}

func (s suite) write(t *testing.T, name, content string) {
	t.Helper()
	f, err := s.Create(name, 0o666)
	check(t, err)
	_, err = f.Write([]byte(content))
	check(t, err)
	check(t, f.StartWriteback(0, int64(len(content))))
	check(t, f.Sync())
	check(t, f.Close())
}

func (s suite) read(t *testing.T, name string) string {
	t.Helper()
	f, err := s.Open(name)
	check(t, err)
	defer f.Close()
	b, err := io.ReadAll(f)
	check(t, err)
	return string(b)
}

func (s suite) names(t *testing.T, dir string) []string {
	t.Helper()
	names, err := s.ReadDir(dir)
	check(t, err)
	slices.Sort(names)
	return names
}

func (s suite) createAndRead(t *testing.T) {
	name := filepath.Join(s.newDir(t), "a")
	s.write(t, name, "one two")
	if got := s.read(t, name); got != "one two" {
		t.Errorf("read %q", got)
	}
	if _, err := s.Create(name, 0o666); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create of a name that is taken: %v", err)
	}
	f, err := s.OpenExisting(name)
	check(t, err)
	_, err = f.Write([]byte("ONE"))
	check(t, err)
	part := make([]byte, 3)
	_, err = f.ReadAt(part, 4)
	check(t, err)
	check(t, f.Close())
	if got := s.read(t, name); got != "ONE two" || string(part) != "two" {
		t.Errorf("read %q and %q", got, part)
	}
	info, err := s.Lstat(name)
	check(t, err)
	if info.Size != 7 || !info.Mode.IsRegular() {
		t.Errorf("info %+v", info)
	}
}

func (s suite) nameless(t *testing.T) {
	dir := s.newDir(t)
	f, err := s.CreateNameless(dir, 0o666)
	if errors.Is(err, store.ErrUnsupported) {
		t.Logf("this store has no nameless files")
		return
	}
	check(t, err)
	_, err = f.Write([]byte("data"))
	check(t, err)
	if got := s.names(t, dir); len(got) != 0 {
		t.Errorf("a nameless file shows as %v", got)
	}
	name := filepath.Join(dir, "named")
	check(t, s.LinkNameless(f, name))
	if err := s.LinkNameless(f, name); !errors.Is(err, fs.ErrExist) {
		t.Errorf("LinkNameless to a name that is taken: %v", err)
	}
	check(t, f.Close())
	if got := s.read(t, name); got != "data" {
		t.Errorf("read %q", got)
	}
	g, err := s.CreateNameless(dir, 0o666)
	check(t, err)
	check(t, g.Close())
	if got := s.names(t, dir); !slices.Equal(got, []string{"named"}) {
		t.Errorf("closing a nameless file left %v", got)
	}
}

func (s suite) renameReplaces(t *testing.T) {
	dir := s.newDir(t)
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	s.write(t, a, "new")
	s.write(t, b, "old")
	check(t, s.Rename(a, b))
	check(t, s.SyncDir(dir))
	if got := s.read(t, b); got != "new" {
		t.Errorf("read %q", got)
	}
	if got := s.names(t, dir); !slices.Equal(got, []string{"b"}) {
		t.Errorf("names %v", got)
	}
}

func (s suite) linkIsSameFile(t *testing.T) {
	dir := s.newDir(t)
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	s.write(t, a, "x")
	err := s.Link(a, b)
	if errors.Is(err, store.ErrUnsupported) {
		t.Logf("this store has no links")
		return
	}
	check(t, err)
	ia, err := s.Lstat(a)
	check(t, err)
	ib, err := s.Lstat(b)
	check(t, err)
	if ia.Ino != 0 && !store.SameFile(ia, ib) {
		t.Errorf("%+v and %+v are not the same file", ia, ib)
	}
	if err := s.Link(a, b); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Link to a name that is taken: %v", err)
	}
	check(t, s.Remove(a))
	if got := s.read(t, b); got != "x" {
		t.Errorf("read %q", got)
	}
}

func (s suite) exchange(t *testing.T) {
	dir := s.newDir(t)
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	s.write(t, a, "one")
	s.write(t, b, "two")
	err := s.Exchange(a, b)
	if errors.Is(err, store.ErrUnsupported) {
		t.Logf("this store cannot exchange names")
		return
	}
	check(t, err)
	if s.read(t, a) != "two" || s.read(t, b) != "one" {
		t.Errorf("after the exchange a holds %q, b %q", s.read(t, a), s.read(t, b))
	}
	if err := s.Exchange(a, filepath.Join(dir, "c")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Exchange with a missing name: %v", err)
	}
}

func (s suite) missing(t *testing.T) {
	name := filepath.Join(s.newDir(t), "missing")
	for what, err := range map[string]error{
		"Lstat":        second(s.Lstat(name)),
		"Open":         second(s.Open(name)),
		"OpenExisting": second(s.OpenExisting(name)),
		"Remove":       s.Remove(name),
		"Rename":       s.Rename(name, name+"2"),
		"ReadDir":      second(s.ReadDir(name)),
		"TryLock":      second(s.TryLock(name)),
		"Create":       second(s.Create(filepath.Join(name, "x"), 0o666)),
	} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s of a missing name: %v", what, err)
		}
	}
}

func (s suite) directories(t *testing.T) {
	dir := filepath.Join(s.newDir(t), "d")
	check(t, s.Mkdir(dir, 0o700))
	if err := s.Mkdir(dir, 0o700); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Mkdir of a name that is taken: %v", err)
	}
	s.write(t, filepath.Join(dir, "f"), "x")
	if err := s.Remove(dir); err == nil {
		t.Error("Remove took a directory that is not empty")
	}
	check(t, s.Remove(filepath.Join(dir, "f")))
	check(t, s.Remove(dir))
}

func (s suite) mode(t *testing.T) {
	name := filepath.Join(s.newDir(t), "a")
	f, err := s.Create(name, 0o666)
	check(t, err)
	defer f.Close()
	if err := f.Chmod(0o440); errors.Is(err, store.ErrUnsupported) {
		return
	}
	info, err := f.Stat()
	check(t, err)
	if info.Mode.Perm()&0o222 != 0 {
		t.Errorf("mode %v after Chmod 0440", info.Mode)
	}
	check(t, f.Chmod(0o640))
}

func (s suite) lockExcludes(t *testing.T) {
	dir := s.newDir(t)
	var inside, most int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				u, err := s.Lock(context.Background(), dir)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				inside++
				most = max(most, inside)
				mu.Unlock()
				mu.Lock()
				inside--
				mu.Unlock()
				if err := u.Unlock(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if most != 1 {
		t.Errorf("%d held the lock at once", most)
	}
}

func (s suite) lockObeysContext(t *testing.T) {
	dir := s.newDir(t)
	held, err := s.TryLock(dir)
	check(t, err)
	if _, err := s.TryLock(dir); !errors.Is(err, store.ErrLocked) {
		t.Errorf("TryLock of a held lock: %v", err)
	}
	why := errors.New("no more time")
	ctx, cancel := context.WithTimeoutCause(context.Background(), 20*time.Millisecond, why)
	defer cancel()
	if _, err := s.Lock(ctx, dir); !errors.Is(err, why) {
		t.Errorf("Lock with a context that ends: %v", err)
	}
	check(t, held.Unlock())
	again, err := s.TryLock(dir)
	check(t, err)
	check(t, again.Unlock())
}

func (s suite) lockLeavesNothing(t *testing.T) {
	dir := s.newDir(t)
	u, err := s.Lock(context.Background(), dir)
	check(t, err)
	check(t, u.Unlock())
	if got := s.names(t, dir); len(got) != 0 {
		t.Errorf("a lock left %v", got)
	}
}

func second[T any](_ T, err error) error { return err }

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
