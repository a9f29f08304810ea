package publish_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/seojaeohcode/atio/core/publish"
	"github.com/seojaeohcode/atio/core/store"
	"github.com/seojaeohcode/atio/core/store/faultstore"
)

const (
	oldData = "old data\n"
	newData = "the new data, which is longer\n"
)

// way is one way of publishing.
type way struct {
	name   string
	o      publish.Options
	exists bool // there is a target before
	flag   bool // and it has a flag
	below  store.Store
}

func ways() []way {
	var all []way
	for _, stage := range []publish.Options{
		{}, {Named: true}, {External: true}, {Append: true}, {Directory: true}, {Directory: true, External: true},
	} {
		for _, o := range []publish.Options{{}, {Backups: 2}, {SkipFlag: true}, {SkipSync: true}} {
			if stage.Directory && stage.External && (o.SkipFlag || o.SkipSync) {
				continue // what is different there is the taking over
			}
			for _, before := range []string{"nothing", "target", "target and flag"} {
				o.Named, o.External, o.Append, o.Directory = stage.Named, stage.External, stage.Append, stage.Directory
				w := way{o: o, exists: before != "nothing", flag: before == "target and flag", below: store.Local{}}
				w.name = fmt.Sprintf("%+v after %s", struct {
					Named, External, Append, Directory, SkipFlag, SkipSync bool
					Backups                                                int
				}{o.Named, o.External, o.Append, o.Directory, o.SkipFlag, o.SkipSync, o.Backups}, before)
				all = append(all, w)
				if w.exists && o.Backups == 0 && !o.Append && !o.Directory {
					w.below = linkless{}
					w.name += " without links"
					all = append(all, w)
				}
			}
		}
	}
	return all
}

// linkless is a store that refuses hard links, as fs.protected_hardlinks does
// for the files of others.
type linkless struct{ store.Local }

func (linkless) Link(string, string) error { return store.ErrUnsupported }

func (w way) want() string {
	if w.o.Directory {
		return tree(newData)
	}
	if w.o.Append && w.exists {
		return oldData + newData
	}
	return newData
}

// publishOnce goes the whole way of a write on st.
func (w way) publishOnce(st store.Store, target string) error {
	o := w.o
	o.Store = st
	s, err := publish.Begin(context.Background(), target, o)
	if err != nil {
		return err
	}
	defer s.Abort()
	if o.Directory {
		if err := w.fill(s, newData); err != nil {
			return err
		}
	} else if o.External || o.Append {
		f, err := os.OpenFile(s.Path(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
		if err != nil {
			return err
		}
		if _, err := f.WriteString(newData); err != nil {
			return err
		}
		f.Close()
		if err := s.Adopt(); err != nil {
			return err
		}
	} else if _, err := s.Write([]byte(newData)); err != nil {
		return err
	}
	if err := s.Seal(); err != nil {
		return err
	}
	rows := int64(1)
	p, err := s.Publish(publish.Content{Format: "text", Rows: &rows, Engine: "test"})
	if err != nil {
		return err
	}
	p.Keep()
	return nil
}

// before prepares a directory and returns the target in it.
func (w way) before(t *testing.T) string {
	t.Helper()
	target := filepath.Join(t.TempDir(), "data.csv")
	if w.exists {
		v := way{o: publish.Options{SkipFlag: !w.flag, SkipSync: true, Directory: w.o.Directory}}
		write(t, v, target, oldData)
	}
	return target
}

func write(t *testing.T, w way, target, data string) {
	t.Helper()
	s, err := publish.Begin(context.Background(), target, w.o)
	check(t, err)
	if w.o.Directory {
		check(t, w.fill(s, data))
	} else {
		_, err = s.Write([]byte(data))
		check(t, err)
	}
	check(t, s.Seal())
	p, err := s.Publish(publish.Content{Format: "text"})
	check(t, err)
	p.Keep()
}

// files is what is in a directory: names of files and their contents.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	check(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if d.IsDir() {
			all[name+"/"] = ""
			return nil
		}
		b, err := os.ReadFile(path)
		all[name] = string(b)
		return err
	}))
	return all
}

// countOps returns the calls of a write that nothing disturbs.
func (w way) countOps(t *testing.T) []faultstore.Op {
	t.Helper()
	target := w.before(t)
	st := faultstore.New(w.below, nil)
	check(t, w.publishOnce(st, target))
	return st.Ops()
}

// Every call fails once, by itself: the write either succeeds, because the call
// does not matter, or fails with the call's error and leaves all as it was.
func TestEveryCallFails(t *testing.T) {
	failed, harmless := 0, map[string]int{}
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			for _, op := range w.countOps(t) {
				for _, errno := range []syscall.Errno{syscall.EIO, syscall.ENOSPC}[op.Index%2:][:1] {
					target := w.before(t)
					dir := filepath.Dir(target)
					before := files(t, dir)
					st := faultstore.New(w.below, func(o faultstore.Op) error {
						if o.Index == op.Index {
							return errno
						}
						return nil
					})
					err := w.publishOnce(st, target)
					if err == nil {
						harmless[op.Name]++
						w.checkNew(t, target, op)
						continue
					}
					failed++
					var e *publish.Error
					if !errors.Is(err, errno) || !errors.As(err, &e) || e.Path != target || e.Advice == "" || e.Changed {
						t.Errorf("%v failed with %v: error %v", op, errno, err)
					}
					if after := files(t, dir); !maps.Equal(before, after) {
						t.Errorf("%v failed with %v (%v): before %q, after %q", op, errno, err, before, after)
					}
				}
			}
		})
	}
	// What may fail unnoticed is what the result does not depend on.
	for name := range harmless {
		if !slices.Contains([]string{"Remove", "File.StartWriteback", "File.Chown", "TryLock", "Open", "File.Close", "Lstat", "ReadDir"}, name) {
			t.Errorf("%s failed without an error", name)
		}
	}
	if failed < 1000 {
		t.Errorf("only %d failures were tried", failed)
	}
	t.Logf("%d failures, harmless: %v", failed, harmless)
}

// The process dies before every call: the target is old or new, its flag
// describes it or is not there, and the next write leaves nothing behind.
func TestEveryCallIsTheLast(t *testing.T) {
	tried := 0
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			for _, op := range w.countOps(t) {
				tried++
				target := w.before(t)
				st := &killable{Store: faultstore.New(w.below, func(o faultstore.Op) error {
					if o.Index == op.Index {
						return faultstore.ErrCrashed
					}
					return nil
				})}
				_ = w.publishOnce(st, target)
				st.kill()
				w.checkWhole(t, target, op)

				again := way{o: publish.Options{SkipSync: true, Directory: w.o.Directory}}
				write(t, again, target, newData)
				for name := range files(t, filepath.Dir(target)) {
					if !strings.HasPrefix(name, "data.csv") && name != ".data.csv._SUCCESS" && !strings.HasPrefix(name, ".data.csv.bak.") {
						t.Errorf("died before %v: the next write left %s", op, name)
					}
				}
			}
		})
	}
	t.Logf("died at %d calls", tried)
}

// killable is a store whose process can die: its locks go then.
type killable struct {
	store.Store
	locks []store.Unlocker
}

func (k *killable) Lock(ctx context.Context, dir string) (store.Unlocker, error) {
	u, err := k.Store.Lock(ctx, dir)
	return k.held(u), err
}

func (k *killable) TryLock(dir string) (store.Unlocker, error) {
	u, err := k.Store.TryLock(dir)
	return k.held(u), err
}

func (k *killable) held(u store.Unlocker) store.Unlocker {
	if u != nil {
		k.locks = append(k.locks, u)
	}
	return u
}

func (k *killable) kill() {
	for _, u := range k.locks {
		u.Unlock() // an error only if it has been given back before
	}
}

func (w way) checkWhole(t *testing.T, target string, op faultstore.Op) {
	t.Helper()
	is, err := content(target)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !w.exists:
	case err != nil:
		t.Errorf("died before %v: %v", op, err)
	case is != w.want() && !(w.exists && is == w.old()):
		t.Errorf("died before %v: the target holds %q", op, is)
	}
	if _, err := publish.ReadFlag(store.Local{}, target); err == nil {
		if _, err := publish.Verify(context.Background(), store.Local{}, target); err != nil {
			t.Errorf("died before %v: %v", op, err)
		}
	}
	for name := range files(t, filepath.Dir(target)) {
		if !strings.HasPrefix(name, "data.csv") && !strings.HasPrefix(name, ".") {
			t.Errorf("died before %v: %s can be seen", op, name)
		}
	}
}

func (w way) checkNew(t *testing.T, target string, op faultstore.Op) {
	t.Helper()
	is, err := content(target)
	if err != nil || is != w.want() {
		t.Errorf("%v failed unnoticed: %q, %v", op, is, err)
	}
	if _, err := publish.Verify(context.Background(), store.Local{}, target); !w.o.SkipFlag && err != nil {
		t.Errorf("%v failed unnoticed: %v", op, err)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
