package tests_go

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"

	"github.com/seojaeohcode/atio/core"
	"github.com/seojaeohcode/atio/core/encode/csv"
	"github.com/seojaeohcode/atio/core/encode/parquet"
	"github.com/seojaeohcode/atio/core/progress"
)

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.PrimitiveTypes.Int64},
	{Name: "city", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

// batch has n rows from first on; mem counts what is not released.
func batch(mem memory.Allocator, first, n int) arrow.RecordBatch {
	b := array.NewRecordBuilder(mem, schema)
	defer b.Release()
	for i := first; i < first+n; i++ {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		if i%7 == 0 {
			b.Field(1).AppendNull()
		} else {
			b.Field(1).(*array.StringBuilder).Append([]string{"Oslo", "Lima, Peru", `say "hi"`}[i%3])
		}
	}
	return b.NewRecordBatch()
}

func reader(t *testing.T, mem memory.Allocator, batches, rows int) array.RecordReader {
	t.Helper()
	var all []arrow.RecordBatch
	for i := range batches {
		all = append(all, batch(mem, i*rows, rows))
	}
	r, err := array.NewRecordReader(schema, all)
	check(t, err)
	for _, b := range all {
		b.Release()
	}
	return r
}

func TestWriteReadsBack(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	dir := t.TempDir()
	for _, o := range []core.Options{
		{Encoding: &parquet.Options{}},
		{Encoding: &parquet.Options{Compression: "zstd", RowGroupSize: 1000}, SkipSync: true},
		{Encoding: &csv.Options{}},
	} {
		var counter progress.Counter
		o.Progress = &counter
		path := filepath.Join(dir, "out."+o.Encoding.Format())
		r := reader(t, mem, 5, 1234)
		result, err := core.Write(context.Background(), r, path, o)
		r.Release()
		check(t, err)
		info, err := os.Stat(path)
		check(t, err)
		if result.Rows != 5*1234 || result.Bytes != info.Size() || result.Path != path || result.Engine != "go" {
			t.Errorf("result %+v of a file of %d bytes", result, info.Size())
		}
		if s := counter.Snapshot(); s.Rows != result.Rows || s.Bytes != result.Bytes || s.Phase != progress.Done {
			t.Errorf("progress ended at %+v", s)
		}
		verified, err := core.Verify(context.Background(), path)
		check(t, err)
		if verified.Checksum != result.Checksum {
			t.Errorf("verified %+v, written %+v", verified, result)
		}
	}
	f, err := file.OpenParquetFile(filepath.Join(dir, "out.parquet"), false)
	check(t, err)
	defer f.Close()
	var ids []int64
	for g := range f.NumRowGroups() {
		column, err := f.RowGroup(g).Column(0)
		check(t, err)
		part := make([]int64, f.RowGroup(g).NumRows())
		_, n, err := column.(*file.Int64ColumnChunkReader).ReadBatch(int64(len(part)), part, nil, nil)
		check(t, err)
		ids = append(ids, part[:n]...)
	}
	for i, id := range ids {
		if id != int64(i) {
			t.Fatalf("row %d has id %d", i, id)
		}
	}
	if len(ids) != 5*1234 || f.NumRowGroups() != 7 {
		t.Errorf("read %d rows in %d row groups", len(ids), f.NumRowGroups())
	}
	b, err := os.ReadFile(filepath.Join(dir, "out.csv"))
	check(t, err)
	lines := strings.Split(string(b), "\n")
	if len(lines) != 5*1234+2 || lines[0] != "id,city" || lines[2] != `1,"Lima, Peru"` || lines[3] != `2,"say ""hi"""` || lines[1] != "0," {
		t.Errorf("%d lines: %q", len(lines), lines[:4])
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	r := func() array.RecordReader { return reader(t, memory.DefaultAllocator, 1, 10) }
	ctx := context.Background()
	stop, cancel := context.WithCancel(ctx)
	cancel()
	own := errors.New("not plausible")
	for what, c := range map[string]struct {
		ctx  context.Context
		path string
		o    core.Options
		want error
	}{
		"no directory":   {ctx, filepath.Join(dir, "no", "x.csv"), core.Options{}, fs.ErrNotExist},
		"a directory":    {ctx, dir, core.Options{Encoding: &csv.Options{}}, syscall.EISDIR},
		"no format":      {ctx, filepath.Join(dir, "x"), core.Options{}, core.ErrFormat},
		"cancelled":      {stop, filepath.Join(dir, "x.csv"), core.Options{}, context.Canceled},
		"not validated":  {ctx, filepath.Join(dir, "x.csv"), core.Options{Validate: func(string) error { return own }}, own},
		"wrong checksum": {ctx, filepath.Join(dir, "x.csv"), core.Options{Checksum: "md5"}, nil},
	} {
		_, err := core.Write(c.ctx, r(), c.path, c.o)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: error %v", what, err)
		}
	}
	var oe *core.OptionError
	_, err := core.Write(ctx, r(), filepath.Join(dir, "x.parquet"), core.Options{Encoding: &parquet.Options{Compression: "middle-out"}})
	if !errors.As(err, &oe) || oe.Option != "compression" {
		t.Errorf("unknown compression: %v", err)
	}
	if _, err := core.Verify(ctx, filepath.Join(dir, "x.csv")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("verify of nothing: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestWriterEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.csv")
	w, err := core.NewWriter(context.Background(), schema, path, core.Options{})
	check(t, err)
	b := batch(memory.DefaultAllocator, 0, 10)
	check(t, w.Write(b))
	w.Abort()
	w.Abort()
	if err := w.Write(b); !errors.Is(err, core.ErrClosed) {
		t.Errorf("Write after Abort: %v", err)
	}
	if _, err := w.Close(); !errors.Is(err, core.ErrClosed) {
		t.Errorf("Close after Abort: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an aborted writer left a file: %v", err)
	}
}

func TestBackupsAndRestore(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "x.csv")
	for rows := 1; rows <= 4; rows++ {
		_, err := core.Write(ctx, reader(t, memory.DefaultAllocator, 1, rows), path, core.Options{Backups: 2})
		check(t, err)
	}
	for _, want := range []int64{3, 2} {
		r, err := core.Restore(ctx, path, core.Options{})
		check(t, err)
		if r.Rows != want {
			t.Errorf("restored %+v, want %d rows", r, want)
		}
	}
	if _, err := core.Restore(ctx, path, core.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a third backup: %v", err)
	}
}

func TestStage(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "notes.txt")
	for _, extend := range []bool{false, true} {
		s, err := core.NewStage(ctx, path, extend, core.Options{})
		check(t, err)
		if filepath.Base(s.Path()) != "notes.txt" {
			t.Errorf("the stage is %s", s.Path())
		}
		f, err := os.OpenFile(s.Path(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
		check(t, err)
		_, err = f.WriteString("line\n")
		check(t, err)
		check(t, f.Close())
		p, err := s.Finish("text", "mine", -1)
		check(t, err)
		p.Keep()
	}
	b, err := os.ReadFile(path)
	check(t, err)
	if string(b) != "line\nline\n" {
		t.Errorf("wrote %q", b)
	}
}

// Whatever way writes end, their goroutines do too, and descriptors are closed.
func TestNothingStaysBehind(t *testing.T) {
	dir := t.TempDir()
	before := descriptors(t)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			format := []string{"csv", "parquet"}[i%2]
			for ctx.Err() == nil {
				_, err := core.Write(ctx, reader(t, memory.DefaultAllocator, 20, 5000), filepath.Join(dir, "x."+format), core.Options{})
				if err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	left, err := os.ReadDir(dir)
	check(t, err)
	for _, f := range left {
		if !slices.Contains([]string{"x.csv", "x.parquet", ".x.csv._SUCCESS", ".x.parquet._SUCCESS"}, f.Name()) {
			t.Errorf("left %s", f.Name())
		}
	}
	deadline := time.Now().Add(5 * time.Second)
	for descriptors(t) > before || goroutines() > 0 {
		if time.Now().After(deadline) {
			t.Fatalf("%d descriptors, before %d; %d goroutines of atio", descriptors(t), before, goroutines())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
