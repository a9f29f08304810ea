package ipc

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/seojaeohcode/atio/core/encode"
)

var schema = arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)

func numbers(n int) arrow.RecordBatch {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	for i := range n {
		b.Append(int64(i % 100))
	}
	column := b.NewArray()
	defer column.Release()
	return array.NewRecordBatch(schema, []arrow.Array{column}, int64(n))
}

func TestReadBack(t *testing.T) {
	for _, o := range []*Options{{}, {BatchRows: 300}, {Compression: "lz4"}, {Compression: "zstd", BatchRows: 1}} {
		var out bytes.Buffer
		e, err := o.NewEncoder(context.Background(), &out, schema, encode.Env{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		batch := numbers(1000)
		for range 2 {
			if err := e.Write(batch); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		e.Discard()
		r := bytes.NewReader(out.Bytes())
		if err := o.Check(r, int64(out.Len()), 2000); err != nil {
			t.Error(err)
		}
		f, err := ipc.NewFileReader(r)
		if err != nil {
			t.Fatal(err)
		}
		rows := int64(0)
		for i := range f.NumRecords() {
			part, err := f.RecordBatch(i)
			if err != nil {
				t.Fatal(err)
			}
			if o.BatchRows > 0 && part.NumRows() > o.BatchRows {
				t.Errorf("a batch of %d rows", part.NumRows())
			}
			rows += part.NumRows()
		}
		if rows != 2000 {
			t.Errorf("%d rows", rows)
		}
		var wrong *encode.CheckError
		if err := o.Check(bytes.NewReader(out.Bytes()[:out.Len()-1]), int64(out.Len()-1), 2000); !errors.As(err, &wrong) {
			t.Errorf("a file that is too short: %v", err)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, o := range []*Options{{Compression: "gzip"}, {BatchRows: -1}} {
		var wrong *encode.OptionError
		if _, err := o.NewEncoder(context.Background(), nil, schema, encode.Env{}); !errors.As(err, &wrong) {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	e, err := new(Options).NewEncoder(ctx, &bytes.Buffer{}, schema, encode.Env{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := e.Write(numbers(1)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
