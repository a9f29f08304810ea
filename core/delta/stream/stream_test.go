package stream_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/seojaeohcode/atio/core/delta"
	"github.com/seojaeohcode/atio/core/delta/spool"
	"github.com/seojaeohcode/atio/core/delta/stream"
	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/store"
	"github.com/seojaeohcode/atio/core/store/faultstore"
)

var ctx = context.Background()

func rows(t *testing.T, values ...int64) array.RecordReader {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	b.Field(0).(*array.Int64Builder).AppendValues(values, nil)
	batch := b.NewRecordBatch()
	defer batch.Release()
	r, err := array.NewRecordReader(schema, []arrow.RecordBatch{batch})
	check(t, err)
	t.Cleanup(r.Release)
	return r
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func table(t *testing.T, path string, st store.Store) *delta.Table {
	t.Helper()
	tab, err := delta.Open(ctx, path, delta.Options{Store: st, SkipSync: st == nil})
	check(t, err)
	return tab
}

func open(t *testing.T, tab *delta.Table, o stream.Options) *stream.Stream {
	t.Helper()
	if o.AppID == "" {
		o.AppID = "collector"
	}
	s, err := stream.Open(ctx, tab, o)
	check(t, err)
	t.Cleanup(func() { _ = s.Abort() })
	return s
}

// values are the numbers in the table, in order.
func values(t *testing.T, tab *delta.Table) []int64 {
	t.Helper()
	s, err := tab.Snapshot(ctx, delta.At{})
	check(t, err)
	files, err := s.Files(nil)
	check(t, err)
	var found []int64
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(tab.Path(), f.Path))
		check(t, err)
		read, err := pqarrow.ReadTable(ctx, bytes.NewReader(data), nil, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
		check(t, err)
		for _, chunk := range read.Column(0).Data().Chunks() {
			found = append(found, chunk.(*array.Int64).Int64Values()...)
		}
		read.Release()
	}
	slices.Sort(found)
	return found
}

func upTo(n int64) []int64 {
	all := make([]int64, n)
	for i := range all {
		all[i] = int64(i)
	}
	return all
}

func appendOne(t *testing.T, s *stream.Stream, n int64) {
	t.Helper()
	taken, err := s.Append(ctx, rows(t, n), n)
	check(t, err)
	if !taken {
		t.Fatalf("offset %d was not taken", n)
	}
}

func TestCommitsByRowsAndGoesOnBehindThem(t *testing.T) {
	tab := table(t, filepath.Join(t.TempDir(), "t"), nil)
	s := open(t, tab, stream.Options{MaxRows: 2, MaxDelay: -1})
	if _, ok := s.LastOffset(); ok {
		t.Error("a new stream has an offset")
	}
	for n := range int64(5) {
		appendOne(t, s, n)
	}
	if last, ok := s.LastOffset(); !ok || last != 3 {
		t.Errorf("last offset %d", last)
	}
	check(t, s.Abort()) // offset 4 is given up

	s = open(t, tab, stream.Options{MaxRows: 2, MaxDelay: -1})
	if taken, err := s.Append(ctx, rows(t, 3), 3); err != nil || taken {
		t.Errorf("what is committed was taken again: %v", err)
	}
	appendOne(t, s, 4)
	results, err := s.Flush(ctx)
	check(t, err)
	if len(results) != 1 || results[0].Version != 3 {
		t.Errorf("versions %v", results)
	}
	check(t, s.Close(ctx))
	check(t, s.Close(ctx))
	if have := values(t, tab); !slices.Equal(have, upTo(5)) {
		t.Errorf("rows %v", have)
	}
}

func TestCommitsInTheBackground(t *testing.T) {
	tab := table(t, filepath.Join(t.TempDir(), "t"), nil)
	s := open(t, tab, stream.Options{MaxDelay: 20 * time.Millisecond})
	for n := range int64(3) {
		appendOne(t, s, n)
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
			if last, ok := s.LastOffset(); ok && last == n {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("nothing was committed")
			}
		}
	}
	check(t, s.Close(ctx))
	if have := values(t, tab); !slices.Equal(have, upTo(3)) {
		t.Errorf("rows %v", have)
	}
}

func TestErrorOfTheBackgroundIsTold(t *testing.T) {
	var full atomic.Bool
	st := faultstore.New(store.Local{}, func(faultstore.Op) error {
		if full.Load() {
			return syscall.ENOSPC
		}
		return nil
	})
	tab := table(t, filepath.Join(t.TempDir(), "t"), st)
	s := open(t, tab, stream.Options{MaxDelay: 300 * time.Millisecond})
	appendOne(t, s, 0)
	full.Store(true)
	time.Sleep(500 * time.Millisecond)
	if taken, err := s.Append(ctx, rows(t, 1), 1); taken || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("taken %v, %v", taken, err)
	}
	full.Store(false)
	appendOne(t, s, 1)
	check(t, s.Close(ctx))
	if have := values(t, tab); !slices.Equal(have, upTo(2)) {
		t.Errorf("rows %v", have)
	}
}

func TestTwoOfOneNameAreKeptApart(t *testing.T) {
	tab := table(t, filepath.Join(t.TempDir(), "t"), nil)
	first, second := open(t, tab, stream.Options{}), open(t, tab, stream.Options{})
	for n := range int64(2) {
		appendOne(t, first, n)
		appendOne(t, second, n)
	}
	appendOne(t, second, 2)
	check(t, first.Close(ctx))
	if _, err := second.Flush(ctx); !errors.Is(err, delta.ErrConflict) {
		t.Errorf("the second: %v", err)
	}
	if have := values(t, tab); !slices.Equal(have, upTo(2)) {
		t.Errorf("rows %v", have)
	}
}

func TestOffsetsIncrease(t *testing.T) {
	s := open(t, table(t, filepath.Join(t.TempDir(), "t"), nil), stream.Options{})
	appendOne(t, s, 3)
	appendOne(t, s, 5)
	var bad *encode.OptionError
	if _, err := s.Append(ctx, rows(t, 4), 4); !errors.As(err, &bad) {
		t.Errorf("backwards: %v", err)
	}
	if _, err := s.Append(ctx, rows(t, 4), -1); !errors.As(err, &bad) {
		t.Errorf("negative: %v", err)
	}
	if taken, err := s.Append(ctx, rows(t, 5), 5); taken || err != nil {
		t.Errorf("the same again: %v %v", taken, err)
	}
	n, err := s.Discard(ctx)
	check(t, err)
	if n != 2 {
		t.Errorf("%d rows given up", n)
	}
	appendOne(t, s, 4)
}

// Every call of the table's store fails once, or is the last: each offset is in
// the table once when the source goes on where it is told to.
func TestEveryCallFails(t *testing.T) {
	for _, spooled := range []bool{false, true} {
		for _, failure := range []error{syscall.EIO, faultstore.ErrCrashed} {
			for index, done := 1, false; !done; index += 3 {
				done = everyCallFails(t, index, failure, spooled)
			}
		}
	}
}

func everyCallFails(t *testing.T, index int, failure error, spooled bool) (passed bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t")
	calls := 0
	st := faultstore.New(store.Local{}, func(op faultstore.Op) error {
		if calls = op.Index; op.Index == index {
			return failure
		}
		return nil
	})
	o := stream.Options{AppID: "c", MaxRows: 2, MaxDelay: -1}
	if spooled {
		o.Spool = filepath.Join(path+".spool", "c")
	}
	const total = 6
	acknowledged := int64(-1)
	run := func(st store.Store) error {
		tab, err := delta.Open(ctx, path, delta.Options{Store: st})
		if err != nil {
			return err
		}
		s, err := stream.Open(ctx, tab, o)
		if err != nil {
			return err
		}
		defer s.Abort()
		last, _ := s.LastOffset()
		if spooled && last < acknowledged {
			t.Errorf("call %d (%v): offset %d was spooled, and the next stream begins behind %d", index, failure, acknowledged, last)
		}
		for n := last + 1; n < total; n++ {
			if _, err := s.Append(ctx, rows(t, n), n); err != nil {
				return err
			}
			acknowledged = n
		}
		return s.Close(ctx)
	}
	if err := run(st); err != nil {
		if err := run(store.Local{}); err != nil {
			t.Fatalf("call %d, %v (%v, spooled %v): %v", index, st.Ops()[index-1], failure, spooled, err)
		}
	}
	if have := values(t, table(t, path, nil)); !slices.Equal(have, upTo(total)) {
		t.Errorf("call %d (%v, spooled %v): rows %v", index, failure, spooled, have)
	}
	return calls < index
}

func TestSpoolIsCommittedByTheNext(t *testing.T) {
	dir := t.TempDir()
	tab := table(t, filepath.Join(dir, "t"), nil)
	o := stream.Options{Spool: filepath.Join(dir, "spool"), MaxDelay: -1}
	s := open(t, tab, o)
	for n := range int64(3) {
		appendOne(t, s, n)
	}
	if _, err := stream.Open(ctx, tab, stream.Options{AppID: "other", Spool: o.Spool}); !errors.Is(err, spool.ErrInUse) {
		t.Errorf("a second one with the journal: %v", err)
	}
	check(t, s.Abort())
	s = open(t, tab, o)
	if last, _ := s.LastOffset(); last != 2 {
		t.Errorf("last offset %d", last)
	}
	check(t, s.Close(ctx))
	if have := values(t, tab); !slices.Equal(have, upTo(3)) {
		t.Errorf("rows %v", have)
	}
}
