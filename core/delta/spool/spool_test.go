package spool_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/seojaeohcode/atio/core/delta/spool"
	"github.com/seojaeohcode/atio/core/store"
	"github.com/seojaeohcode/atio/core/store/faultstore"
)

func payload(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 10*i) }

func open(t *testing.T, dir string, want ...int) *spool.Journal {
	t.Helper()
	j, records, err := spool.Open(dir, spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkRecords(t, records, want...)
	return j
}

func checkRecords(t *testing.T, records []spool.Record, want ...int) {
	t.Helper()
	if len(records) != len(want) {
		t.Fatalf("%d records, want %v", len(records), want)
	}
	for i, r := range records {
		if r.Offset != int64(want[i]) || !bytes.Equal(r.Payload, payload(want[i])) {
			t.Fatalf("record %d has offset %d, want %d, or another payload", i, r.Offset, want[i])
		}
	}
}

func appendAll(t *testing.T, j *spool.Journal, offsets ...int) {
	t.Helper()
	for _, i := range offsets {
		if err := j.Append(int64(i), payload(i)); err != nil {
			t.Fatal(err)
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsNotDroppedComesBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	j := open(t, dir)
	appendAll(t, j, 1, 2)
	first, err := j.Cut()
	check(t, err)
	appendAll(t, j, 3)
	check(t, j.Drop(first))
	appendAll(t, j, 4)
	check(t, j.Close())

	j = open(t, dir, 3, 4)
	appendAll(t, j, 5)
	check(t, j.Close())
	j = open(t, dir, 3, 4, 5)
	all, err := j.Cut()
	check(t, err)
	check(t, j.Drop(all))
	check(t, j.Close())
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("an empty journal is still there")
	}
}

func TestOneProcessAtATime(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	if _, _, err := spool.Open(dir, spool.Options{}); !errors.Is(err, spool.ErrInUse) {
		t.Errorf("a second journal: %v", err)
	}
	check(t, j.Close())
	check(t, open(t, dir).Close())
}

func TestTornAndDamaged(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	appendAll(t, j, 1, 2, 3)
	check(t, j.Close())
	segments, _ := filepath.Glob(filepath.Join(dir, "*"))
	whole, err := os.ReadFile(segments[0])
	check(t, err)
	second := 32 + 10
	third := second + 32 + 20
	for cut := range len(whole) {
		check(t, os.WriteFile(segments[0], whole[:cut], 0o600))
		want := []int{}
		if cut >= second {
			want = append(want, 1)
		}
		if cut >= third {
			want = append(want, 2)
		}
		check(t, open(t, dir, want...).Close())
		if len(want) == 0 { // closing has found records none, but a segment: it stays
			check(t, os.WriteFile(segments[0], whole, 0o600))
		}
	}
	// Pages of the last record that never came to the disk.
	holed := append([]byte(nil), whole...)
	clear(holed[third:])
	check(t, os.WriteFile(segments[0], holed, 0o600))
	check(t, open(t, dir, 1, 2).Close())

	for at := range third { // a bit of an acknowledged record
		bad := append([]byte(nil), whole...)
		bad[at] ^= 4
		check(t, os.WriteFile(segments[0], bad, 0o600))
		if _, _, err := spool.Open(dir, spool.Options{}); !errors.Is(err, spool.ErrDamaged) {
			t.Errorf("a bit of byte %d turned over: %v", at, err)
		}
	}
}

// Every call fails once: an append that has returned is there afterwards, and the
// journal goes on.
func TestEveryCallFails(t *testing.T) {
	run := func(st store.Store, dir string) (told []int) {
		j, _, err := spool.Open(dir, spool.Options{Store: st})
		if err != nil {
			return nil
		}
		for i := 1; i <= 4; i++ {
			if err := j.Append(int64(i), payload(i)); err == nil {
				told = append(told, i)
			}
			if i == 2 {
				if n, err := j.Cut(); err == nil && j.Drop(n) == nil {
					told = nil
				}
			}
		}
		_ = j.Close()
		return told
	}
	counting := faultstore.New(store.Local{}, nil)
	run(counting, filepath.Join(t.TempDir(), "x", "y"))
	calls := len(counting.Ops())
	if calls < 10 {
		t.Fatalf("only %d calls", calls)
	}
	for _, failure := range []error{syscall.ENOSPC, faultstore.ErrCrashed} {
		for i := 1; i <= calls; i++ {
			dir := filepath.Join(t.TempDir(), "x", "y")
			var op faultstore.Op
			st := faultstore.New(store.Local{}, func(o faultstore.Op) error {
				if o.Index == i {
					op = o
					return failure
				}
				return nil
			})
			told := run(st, dir)
			// The lock of a process that died is free; here somebody still has its descriptor.
			free := filepath.Join(t.TempDir(), "y")
			check(t, os.Mkdir(free, 0o700))
			names, _ := os.ReadDir(dir)
			for _, n := range names {
				check(t, os.Rename(filepath.Join(dir, n.Name()), filepath.Join(free, n.Name())))
			}
			j, records, err := spool.Open(free, spool.Options{})
			if err != nil {
				t.Fatalf("%v: %v", op, err)
			}
			have := fmt.Sprint(records)
			for _, n := range told {
				if !bytes.Contains([]byte(have), []byte(fmt.Sprint(spool.Record{Offset: int64(n), Payload: payload(n)}))) {
					t.Errorf("%v (%v): record %d is lost", op, failure, n)
				}
			}
			for k := 1; k < len(records); k++ {
				if records[k].Offset <= records[k-1].Offset {
					t.Errorf("%v: records out of order", op)
				}
			}
			check(t, j.Close())
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, 48))
	f.Fuzz(func(t *testing.T, data []byte) {
		records, rest := spool.Parse(data)
		n := len(rest)
		for _, r := range records {
			n += 32 + len(r.Payload)
		}
		if n != len(data) {
			t.Errorf("%d of %d bytes", n, len(data))
		}
	})
}
