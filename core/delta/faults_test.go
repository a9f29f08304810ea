package delta_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/delta"
	"github.com/seojaeohcode/atio/core/store"
	"github.com/seojaeohcode/atio/core/store/faultstore"
)

// unsynced is a store whose syncs only seem to happen: faults can be put into
// them, and they take no time.
type unsynced struct{ store.Local }

func (unsynced) SyncDir(name string) error {
	_, err := store.Local{}.Lstat(name)
	return err
}

func (u unsynced) Create(name string, perm fs.FileMode) (store.File, error) {
	f, err := u.Local.Create(name, perm)
	return unsyncedFile{f}, err
}

func (u unsynced) CreateNameless(dir string, perm fs.FileMode) (store.File, error) {
	f, err := u.Local.CreateNameless(dir, perm)
	return unsyncedFile{f}, err
}

type unsyncedFile struct{ store.File }

func (unsyncedFile) Sync() error { return nil }

// step is something a table is asked to do, on a table that prepare has made.
type step struct {
	name    string
	prepare func(t testing.TB, dir string)
	do      func(t testing.TB, table *delta.Table) error
	// before and after are the rows of the newest version, -1 for no table.
	before, after int64
}

func appendRows(n int) func(testing.TB, *delta.Table) error {
	return func(t testing.TB, table *delta.Table) error {
		_, err := table.Write(ctx, readerOf(t, rows(t, 0, n)), delta.WriteOptions{})
		return err
	}
}

var steps = []step{
	{"create", func(testing.TB, string) {}, appendRows(3), -1, 3},
	{"append", func(t testing.TB, dir string) { written(t, dir, 2) }, appendRows(3), 1, 4},
	{"overwrite", func(t testing.TB, dir string) { written(t, dir, 2) }, func(t testing.TB, table *delta.Table) error {
		_, err := table.Write(ctx, readerOf(t, rows(t, 0, 7)), delta.WriteOptions{Mode: delta.Overwrite})
		return err
	}, 1, 7},
	{"rollback", func(t testing.TB, dir string) {
		table := written(t, dir, 1)
		must(table.Write(ctx, readerOf(t, rows(t, 0, 5)), delta.WriteOptions{}))
	}, func(t testing.TB, table *delta.Table) error {
		_, err := table.Rollback(ctx, version(1), delta.WriteOptions{})
		return err
	}, 6, 1},
	{"tag", func(t testing.TB, dir string) { written(t, dir, 2) }, func(t testing.TB, table *delta.Table) error {
		return table.Tag(ctx, "gold", 1)
	}, 1, 1},
	{"expire", func(t testing.TB, dir string) {
		written(t, dir, 5)
		old := time.Now().Add(-2 * time.Hour)
		for _, name := range must(filepath.Glob(filepath.Join(dir, "_delta_log", "*.json"))) {
			if err := os.Chtimes(name, old, old); err != nil {
				t.Fatal(err)
			}
		}
	}, func(t testing.TB, table *delta.Table) error {
		_, err := table.Expire(ctx, delta.ExpireOptions{KeepLast: 2})
		return err
	}, 1, 1},
	{"checkpoint", func(t testing.TB, dir string) { written(t, dir, 3) }, func(t testing.TB, table *delta.Table) error {
		return table.Checkpoint(ctx, 3)
	}, 1, 1},
}

// check looks at the table as a new program does.
func (s step) check(t testing.TB, dir string) {
	t.Helper()
	table, err := delta.Open(ctx, dir, delta.Options{Store: faultstore.New(unsynced{}, nil)})
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := table.Snapshot(ctx, delta.At{})
	found := int64(-1)
	if err == nil {
		found = snapshot.Totals().Rows
		for _, f := range must(snapshot.Files(nil)) {
			if _, err := os.Stat(filepath.Join(dir, f.Path)); err != nil {
				t.Fatal(err)
			}
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if found != s.before && found != s.after {
		t.Fatalf("%d rows, before it were %d and after it %d", found, s.before, s.after)
	}
	if err == nil {
		for _, c := range must(table.History(ctx, 0)) { // each one that is listed is whole
			for _, f := range must(must(table.Snapshot(ctx, version(c.Version))).Files(nil)) {
				if _, err := os.Stat(filepath.Join(dir, f.Path)); err != nil {
					t.Fatalf("version %d: %v", c.Version, err)
				}
			}
		}
	}
	// The next run works, by a program with a cache of what was.
	before, err := open(t, dir).Version(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.do(t, open(t, dir)); err != nil {
		t.Fatal("the next run:", err)
	}
	r := must(open(t, dir).Write(ctx, readerOf(t, rows(t, 0, 2)), delta.WriteOptions{}))
	if r.Version <= before {
		t.Fatalf("version %d after %d", r.Version, before)
	}
}

// Every call of the store fails once, and once is the last one of the program.
func TestEveryCallFails(t *testing.T) {
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			for _, fault := range []error{syscall.ENOSPC, faultstore.ErrCrashed} {
				for n := 1; ; n++ {
					dir := filepath.Join(t.TempDir(), fmt.Sprint("table", n))
					s.prepare(t, dir)
					hit := ""
					st := faultstore.New(unsynced{}, func(op faultstore.Op) error {
						if op.Index == n {
							hit = op.String()
							return fault
						}
						return nil
					})
					table, err := delta.Open(ctx, dir, delta.Options{Store: st})
					if err == nil {
						err = s.do(t, table)
					}
					if hit == "" {
						if err != nil {
							t.Fatal(err)
						}
						if n < 5 {
							t.Fatalf("only %d calls", n)
						}
						break
					}
					t.Run(strings.ReplaceAll(hit, dir, ""), func(t *testing.T) { s.check(t, dir) })
				}
			}
		})
	}
}

// Many writers at once lose nothing, and readers never fail.
func TestManyWriters(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "table")
	const writers, each = 4, 12
	must(open(t, dir).Write(ctx, readerOf(t, rows(t, 0, 1)), delta.WriteOptions{}))
	var wg sync.WaitGroup
	var mu sync.Mutex
	versions := map[int64]bool{1: true}
	done := make(chan struct{})
	for range writers {
		wg.Go(func() {
			// Each is like a process of its own: it shares no cache.
			table := must(delta.Open(ctx, dir, delta.Options{Store: faultstore.New(unsynced{}, nil)}))
			for range each {
				r, err := table.Write(ctx, readerOf(t, rows(t, 0, 1)), delta.WriteOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if versions[r.Version] {
					t.Errorf("version %d twice", r.Version)
				}
				versions[r.Version] = true
				mu.Unlock()
			}
		})
	}
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			table := open(t, dir)
			for {
				select {
				case <-done:
					return
				default:
				}
				s, err := table.Snapshot(ctx, delta.At{})
				if err != nil {
					t.Error(err)
					return
				}
				if n := s.Totals().Rows; n != s.Version {
					t.Errorf("version %d has %d rows", s.Version, n)
				}
			}
		})
	}
	wg.Wait()
	close(done)
	readers.Wait()
	if len(versions) != writers*each+1 {
		t.Fatal(len(versions))
	}
	if f := must(open(t, dir).Success(ctx)); f.Version != writers*each+1 {
		t.Fatalf("the flag says %d", f.Version)
	}
	h := must(open(t, dir).History(ctx, 0))
	if len(h) != writers*each+1 || h[0].Rows != writers*each+1 {
		t.Fatal(len(h), h[0])
	}
}

// Writers that all create the same table create one.
func TestManyCreators(t *testing.T) {
	for range 20 {
		dir := filepath.Join(t.TempDir(), "a", "table")
		const writers = 6
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				table := must(delta.Open(ctx, dir, delta.Options{Store: faultstore.New(unsynced{}, nil)}))
				if i == 0 { // one gives up
					if w, err := table.NewWriter(ctx, simple, delta.WriteOptions{}); err == nil {
						w.Abort()
					} else {
						t.Error(err)
					}
					return
				}
				if _, err := table.Write(ctx, readerOf(t, rows(t, i, 1)), delta.WriteOptions{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		s := must(open(t, dir).Snapshot(ctx, delta.At{}))
		if s.Version != writers-1 || s.Totals().Rows != writers-1 {
			t.Fatal(s.Version, s.Totals())
		}
	}
}

func TestConflicts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "table")
	table := written(t, dir, 2)
	one := int64(1)
	_, err := table.Write(ctx, readerOf(t, rows(t, 0, 1)), delta.WriteOptions{ExpectedVersion: &one})
	var conflict *delta.ConflictError
	if !errors.As(err, &conflict) || conflict.Version != 2 || conflict.Operation != "WRITE" {
		t.Fatal(err)
	}
	// Between the writing of the data and the commit the schema changes.
	w := must(table.NewWriter(ctx, simple, delta.WriteOptions{}))
	if err := w.Write(rows(t, 0, 1)); err != nil {
		t.Fatal(err)
	}
	part := must(w.Finish())
	other := batchOf(t, arrow.NewSchema([]arrow.Field{{Name: "z", Type: arrow.PrimitiveTypes.Int8, Nullable: true}}, nil), `[{"z": 1}]`)
	must(open(t, dir).Write(ctx, readerOf(t, other), delta.WriteOptions{Mode: delta.Overwrite, SchemaMode: delta.SchemaOverwrite, Message: "another schema"}))
	_, err = table.Commit(ctx, delta.WriteOptions{}, part)
	if !errors.As(err, &conflict) || conflict.Version != 3 || conflict.Message != "another schema" {
		t.Fatal(err)
	}
	if err := table.Discard(ctx, part); err != nil {
		t.Fatal(err)
	}
	// An application that has come as far already.
	txn := &delta.Txn{AppID: "a", Version: 7}
	must(table.Write(ctx, readerOf(t, other), delta.WriteOptions{Txn: txn}))
	if _, err := open(t, dir).Write(ctx, readerOf(t, other), delta.WriteOptions{Txn: txn}); !errors.Is(err, delta.ErrTxnDone) {
		t.Fatal(err)
	}
	after := int64(3)
	if _, err := table.Write(ctx, readerOf(t, other), delta.WriteOptions{Txn: &delta.Txn{AppID: "a", Version: 9, After: &after}}); !errors.Is(err, delta.ErrConflict) {
		t.Fatal(err)
	}
	files := len(dataFiles(t, dir))
	if files != 4 {
		t.Fatalf("%d data files: what was refused is still there", files)
	}
}
