package delta_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/seojaeohcode/atio/core/delta"
)

var ctx = context.Background()

// batchOf makes a batch of JSON rows.
func batchOf(t testing.TB, schema *arrow.Schema, rows string) arrow.RecordBatch {
	t.Helper()
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func readerOf(t testing.TB, batches ...arrow.RecordBatch) array.RecordReader {
	t.Helper()
	r, err := array.NewRecordReader(batches[0].Schema(), batches)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var simple = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "x", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

func rows(t testing.TB, from, n int) arrow.RecordBatch {
	var b strings.Builder
	b.WriteByte('[')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":%d,"x":%d.5,"s":"row %d"}`, from+i, from+i, from+i)
	}
	b.WriteByte(']')
	return batchOf(t, simple, b.String())
}

// open opens a table as most tests want it: without syncs, which take most of the
// time, and which tests of faults count elsewhere.
func open(t testing.TB, path string) *delta.Table {
	t.Helper()
	table, err := delta.Open(ctx, path, delta.Options{SkipSync: true})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestWriteAndRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "table")
	if d := os.Getenv("DELTA_KEEP"); d != "" {
		dir = d
	}
	table := open(t, dir)
	if _, err := table.Snapshot(ctx, delta.At{}); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("no table: %v", err)
	}
	for i := range 3 {
		r := must(table.Write(ctx, readerOf(t, rows(t, 10*i, 10)), delta.WriteOptions{Message: fmt.Sprint("append ", i)}))
		if r.Version != int64(i+1) || r.Rows != 10 || len(r.Warnings) > 0 {
			t.Fatalf("%+v", r)
		}
	}
	r := must(table.Write(ctx, readerOf(t, rows(t, 100, 5)), delta.WriteOptions{Mode: delta.Overwrite}))
	if r.Version != 4 || r.RemovedFiles != 3 {
		t.Fatalf("%+v", r)
	}
	s := must(open(t, dir).Snapshot(ctx, delta.At{}))
	if n := s.Totals(); s.Version != 4 || n.Rows != 5 || n.Files != 1 {
		t.Fatalf("version %d, %+v", s.Version, n)
	}
	three := int64(3)
	s = must(table.Snapshot(ctx, delta.At{Version: &three}))
	if n := s.Totals(); n.Rows != 30 || n.Files != 3 {
		t.Fatalf("%+v", n)
	}
	h := must(table.History(ctx, 0))
	if len(h) != 4 || h[0].Version != 4 || h[0].Rows != 5 || h[1].Rows != 30 || h[3].Message != "append 0" || !h[0].IsLatest {
		t.Fatalf("%+v", h)
	}
	if f := must(table.Success(ctx)); f.Version != 4 {
		t.Fatalf("%+v", f)
	}
}
