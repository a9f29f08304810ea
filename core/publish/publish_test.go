package publish_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seojaeohcode/atio/core/publish"
	"github.com/seojaeohcode/atio/core/store"
)

// poor is a store without nameless files and without hard links, as on FAT.
type poor struct{ store.Local }

func (poor) CreateNameless(string, os.FileMode) (store.File, error) { return nil, store.ErrUnsupported }
func (poor) Link(string, string) error                              { return store.ErrUnsupported }
func (poor) Exchange(string, string) error                          { return store.ErrUnsupported }

func TestWithoutLinks(t *testing.T) {
	for _, w := range ways() {
		target := w.before(t)
		err := w.publishOnce(poor{}, target)
		if (w.o.Backups > 0 || w.o.Directory) && w.exists {
			if !errors.Is(err, store.ErrUnsupported) {
				t.Errorf("%s: a backup without hard links: %v", w.name, err)
			}
			continue
		}
		check(t, err)
		is, err := content(target)
		check(t, err)
		if is != w.want() {
			t.Errorf("%s: the target holds %q", w.name, is)
		}
		for name := range files(t, filepath.Dir(target)) {
			if strings.Contains(name, "atio-") {
				t.Errorf("%s: left %s", w.name, name)
			}
		}
	}
}

func TestManyWriters(t *testing.T) {
	target := filepath.Join(t.TempDir(), "x")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			w := way{o: publish.Options{Named: i%2 == 0, Backups: i % 3}}
			for range 10 {
				write(t, w, target, strings.Repeat(fmt.Sprint(i), 1000*(i+1)))
			}
		})
	}
	wg.Wait()
	b, err := os.ReadFile(target)
	check(t, err)
	if len(b) == 0 || len(bytes.Trim(b, string(b[:1]))) != 0 {
		t.Errorf("the target mixes writers")
	}
	_, err = publish.Verify(context.Background(), store.Local{}, target)
	check(t, err)
	for name := range files(t, filepath.Dir(target)) {
		if strings.Contains(name, "atio-") {
			t.Errorf("left %s", name)
		}
	}
}

func TestAppendConflict(t *testing.T) {
	target := filepath.Join(t.TempDir(), "x")
	write(t, way{}, target, oldData)
	s, err := publish.Begin(context.Background(), target, publish.Options{Append: true})
	check(t, err)
	defer s.Abort()
	write(t, way{}, target, newData)
	check(t, s.Adopt())
	check(t, s.Seal())
	if _, err := s.Publish(publish.Content{}); !errors.Is(err, publish.ErrConflict) {
		t.Errorf("appending to what another writer replaced: %v", err)
	}
}

func TestCancelled(t *testing.T) {
	target := filepath.Join(t.TempDir(), "x")
	write(t, way{}, target, oldData)
	before := files(t, filepath.Dir(target))
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	s, err := publish.Begin(ctx, target, publish.Options{})
	check(t, err)
	cancel(why)
	if _, err := s.Write(make([]byte, 1<<20)); !errors.Is(err, why) {
		t.Errorf("Write after cancel: %v", err)
	}
	if err := s.Seal(); err != nil && !errors.Is(err, why) {
		t.Errorf("Seal after cancel: %v", err)
	}
	if _, err := s.Publish(publish.Content{}); !errors.Is(err, why) {
		t.Errorf("Publish after cancel: %v", err)
	}
	s.Abort()
	if after := files(t, filepath.Dir(target)); fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("before %v, after %v", before, after)
	}
}

func TestUndo(t *testing.T) {
	for _, w := range ways() {
		if w.o.External || w.o.Append {
			continue
		}
		target := w.before(t)
		before := files(t, filepath.Dir(target))
		w.o.Store = w.below
		s, err := publish.Begin(context.Background(), target, w.o)
		check(t, err)
		if w.o.Directory {
			check(t, w.fill(s, newData))
		} else {
			_, err = s.Write([]byte(newData))
			check(t, err)
		}
		check(t, s.Seal())
		p, err := s.Publish(publish.Content{})
		check(t, err)
		if is, _ := content(target); is != w.want() {
			t.Errorf("%s: published %q", w.name, is)
		}
		check(t, p.Undo())
		if after := files(t, filepath.Dir(target)); fmt.Sprint(before) != fmt.Sprint(after) {
			t.Errorf("%s: before %v, after %v", w.name, before, after)
		}
	}
}
