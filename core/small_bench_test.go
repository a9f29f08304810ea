package core_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/seojaeohcode/atio/core"
	"github.com/seojaeohcode/atio/core/encode/parquet"
)

// BenchmarkThreeRows writes three rows over a file that is there, in memory if
// the system has such a place: what a write costs beside its data.
func BenchmarkThreeRows(b *testing.B) {
	dir, err := os.MkdirTemp("/dev/shm", "atio")
	if err != nil {
		dir = b.TempDir()
	}
	defer os.RemoveAll(dir)
	pandas := arrow.NewMetadata([]string{"pandas"}, []string{string(make([]byte, 600))})
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "price", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "city", Type: arrow.BinaryTypes.LargeString, Nullable: true},
	}, &pandas)
	r := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	r.Field(0).(*array.Int64Builder).AppendValues([]int64{1, 2, 3}, nil)
	r.Field(1).(*array.Float64Builder).AppendValues([]float64{1.5, 2.25, 3}, nil)
	r.Field(2).(*array.LargeStringBuilder).AppendValues([]string{"Oslo", "Lima", "Riga"}, nil)
	batch := r.NewRecordBatch()
	target := filepath.Join(dir, "x.parquet")
	b.ReportAllocs()
	for b.Loop() {
		in, _ := array.NewRecordReader(schema, []arrow.RecordBatch{batch})
		o := core.Options{Encoding: &parquet.Options{}, SkipSync: true, Rows: 3}
		if _, err := core.Write(context.Background(), in, target, o); err != nil {
			b.Fatal(err)
		}
	}
}
