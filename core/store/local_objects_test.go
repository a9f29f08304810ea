package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seojaeohcode/atio/core/store"
	"github.com/seojaeohcode/atio/core/store/faultstore"
)

// objectStores are the ways a local file system can do it: with files that have
// no name, with links of named ones, and without links.
func objectStores() map[string]store.Store {
	without := func(names ...string) store.Store {
		return faultstore.New(store.Local{}, func(op faultstore.Op) error {
			for _, n := range names {
				if op.Name == n {
					return store.ErrUnsupported
				}
			}
			return nil
		})
	}
	return map[string]store.Store{"nameless": store.Local{}, "links": without("CreateNameless"), "renames": without("CreateNameless", "Link")}
}

func TestLocalObjects(t *testing.T) {
	ctx := context.Background()
	for name, st := range objectStores() {
		t.Run(name, func(t *testing.T) {
			root := filepath.Join(t.TempDir(), "a", "root")
			o := store.NewLocalObjects(st, root, false)
			if names, err := o.List(ctx, "", ""); err != nil || len(names) != 0 {
				t.Fatal("a root that is not there:", names, err)
			}
			if _, err := o.Read(ctx, "d/x"); !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			if err := o.PutIfAbsent(ctx, "d/x", []byte("one")); err != nil {
				t.Fatal(err)
			}
			if err := o.PutIfAbsent(ctx, "d/x", []byte("two")); !errors.Is(err, fs.ErrExist) {
				t.Fatal(err)
			}
			for _, text := range []string{"three", "four"} {
				if err := o.Put(ctx, "d/y", []byte(text)); err != nil {
					t.Fatal(err)
				}
			}
			if err := o.Put(ctx, "d/x/z", nil); err == nil || errors.Is(err, fs.ErrExist) {
				t.Fatal("below an object:", err)
			}
			for key, want := range map[string]string{"d/x": "one", "d/y": "four"} {
				if got, err := o.Read(ctx, key); err != nil || string(got) != want {
					t.Fatal(key, string(got), err)
				}
			}
			if names, err := o.List(ctx, "d", "w"); err != nil || fmt.Sprint(names) != "[x y]" {
				t.Fatal(names, err) // and nothing hidden is left
			}
			if names, err := o.List(ctx, "d", "x"); err != nil || fmt.Sprint(names) != "[y]" {
				t.Fatal(names, err)
			}
			big := bytes.Repeat([]byte("0123456789"), 200_000)
			w, err := o.Create(ctx, "e/f/big")
			if err != nil {
				t.Fatal(err)
			}
			for part := big; len(part) > 0; part = part[min(len(part), 77_777):] {
				if _, err := w.Write(part[:min(len(part), 77_777)]); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(w.Close(), o.Sync(ctx)); err != nil {
				t.Fatal(err)
			}
			if got, err := o.Read(ctx, "e/f/big"); err != nil || !bytes.Equal(got, big) {
				t.Fatal(len(got), err)
			}
			if s, err := o.Stat(ctx, "e/f/big"); err != nil || s.Size != int64(len(big)) || s.Dir || s.Modified.IsZero() {
				t.Fatal(s, err)
			}
			if w, err = o.Create(ctx, "e/f/gone"); err != nil {
				t.Fatal(err)
			}
			w.Abort()
			if _, err := o.Stat(ctx, "e/f/gone"); !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
		})
	}
}

// Of many who put an object under one key, one succeeds, and it is whole.
func TestLocalObjectsRace(t *testing.T) {
	ctx := context.Background()
	for name, st := range objectStores() {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for round := range 10 {
				key := fmt.Sprint("d/", round)
				var won atomic.Int32
				var wg sync.WaitGroup
				for i := range 8 {
					wg.Go(func() {
						err := store.NewLocalObjects(st, root, true).PutIfAbsent(ctx, key, bytes.Repeat([]byte{byte(i)}, 10_000))
						switch {
						case err == nil:
							won.Add(1)
						case !errors.Is(err, fs.ErrExist):
							t.Error(err)
						}
					})
				}
				wg.Wait()
				data, err := store.NewLocalObjects(st, root, true).Read(ctx, key)
				if won.Load() != 1 || err != nil || !bytes.Equal(data, bytes.Repeat(data[:1], 10_000)) {
					t.Fatal(won.Load(), len(data), err)
				}
			}
		})
	}
}

func TestLocalObjectsHold(t *testing.T) {
	ctx := context.Background()
	o := store.NewLocalObjects(store.Local{}, t.TempDir(), false)
	release, err := o.Hold(ctx, "leases/a")
	if err != nil {
		t.Fatal(err)
	}
	if held, err := o.Held(ctx, "leases/a"); !held || err != nil {
		t.Fatal(held, err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if held, err := o.Held(ctx, "leases/a"); held || err != nil {
		t.Fatal(held, err)
	}
}
