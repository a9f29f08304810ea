package parquet

import (
	"context"
	"io"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/seojaeohcode/atio/core/encode"
)

func benchmark(b *testing.B, o Options, batch arrow.RecordBatch) {
	size := int64(0)
	for _, c := range batch.Columns() {
		size += int64(c.Data().SizeInBytes())
	}
	b.SetBytes(size)
	for b.Loop() {
		e, err := o.NewEncoder(context.Background(), io.Discard, batch.Schema(), encode.Env{})
		if err != nil {
			b.Fatal(err)
		}
		if err := e.Write(batch); err != nil {
			b.Fatal(err)
		}
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDoubles writes columns of doubles that are all different.
func BenchmarkDoubles(b *testing.B) {
	const rows, columns = 1 << 20, 4
	r := rand.New(rand.NewPCG(1, 1))
	var fields []arrow.Field
	var arrays []arrow.Array
	for i := range columns {
		c := array.NewFloat64Builder(memory.DefaultAllocator)
		for range rows {
			c.Append(r.Float64())
		}
		fields = append(fields, arrow.Field{Name: string(rune('a' + i)), Type: arrow.PrimitiveTypes.Float64, Nullable: true})
		arrays = append(arrays, c.NewArray())
	}
	batch := array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, rows)
	for _, codec := range []string{"snappy", "zstd"} {
		b.Run(codec, func(b *testing.B) { benchmark(b, Options{Compression: codec, RowGroupSize: 1 << 18}, batch) })
	}
}

// BenchmarkMixed writes all types, nested ones too.
func BenchmarkMixed(b *testing.B) {
	batch := randomBatch(rand.New(rand.NewPCG(1, 1)), allTypes(), 1<<16, 0.1)
	benchmark(b, Options{}, batch)
}

// BenchmarkEventLog writes ten thousand rows of what many write, as few rows as
// trying encodings takes a good part of the time for.
func BenchmarkEventLog(b *testing.B) {
	const rows = 10_000
	r := rand.New(rand.NewPCG(1, 1))
	p := arrow.PrimitiveTypes
	build := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: p.Int64}, {Name: "time", Type: &arrow.TimestampType{Unit: arrow.Microsecond}},
		{Name: "value", Type: p.Float64}, {Name: "price", Type: p.Float64},
		{Name: "city", Type: arrow.BinaryTypes.LargeString}, {Name: "user", Type: arrow.BinaryTypes.LargeString},
	}, nil))
	now := arrow.Timestamp(1.7e15)
	for i := range rows {
		now += arrow.Timestamp(r.IntN(1e6))
		build.Field(0).(*array.Int64Builder).Append(int64(i))
		build.Field(1).(*array.TimestampBuilder).Append(now)
		build.Field(2).(*array.Float64Builder).Append(r.NormFloat64())
		build.Field(3).(*array.Float64Builder).Append(float64(r.IntN(1e5)) / 100)
		build.Field(4).(*array.LargeStringBuilder).Append([]string{"Oslo", "Lima", "Riga", "Quito"}[r.IntN(4)])
		build.Field(5).(*array.LargeStringBuilder).Append("user-" + strconv.Itoa(r.IntN(rows)))
	}
	batch := build.NewRecordBatch()
	for _, codec := range []string{"snappy", "zstd"} {
		level := 3
		o := Options{Compression: codec}
		if codec == "zstd" {
			o.CompressionLevel = &level
		}
		b.Run(codec, func(b *testing.B) { benchmark(b, o, batch) })
	}
}
