package json_test

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
	"github.com/seojaeohcode/atio/core/encode/json"
)

const benchRows = 100_000

// doubles are ten columns of random doubles.
func doubles() arrow.RecordBatch {
	random := rand.New(rand.NewPCG(1, 2))
	fields, columns := []arrow.Field{}, []arrow.Array{}
	for i := range 10 {
		b := array.NewFloat64Builder(memory.DefaultAllocator)
		for range benchRows {
			b.Append(random.Float64())
		}
		fields = append(fields, field("c"+strconv.Itoa(i), arrow.PrimitiveTypes.Float64))
		columns = append(columns, b.NewArray())
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, benchRows)
}

// events are what logs hold: numbers, short and long texts, times, booleans.
func events() arrow.RecordBatch {
	random := rand.New(rand.NewPCG(1, 2))
	schema := arrow.NewSchema([]arrow.Field{
		field("id", arrow.PrimitiveTypes.Int64), field("price", arrow.PrimitiveTypes.Float64), field("city", arrow.BinaryTypes.LargeString),
		field("uid", arrow.BinaryTypes.LargeString), field("ts", arrow.FixedWidthTypes.Timestamp_us), field("flag", arrow.FixedWidthTypes.Boolean),
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for i := range benchRows {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		b.Field(1).(*array.Float64Builder).Append(float64(random.IntN(100_000)) / 100)
		b.Field(2).(*array.LargeStringBuilder).Append([]string{"London", "Paris", "New York"}[random.IntN(3)])
		b.Field(3).(*array.LargeStringBuilder).Append(strconv.FormatUint(random.Uint64(), 16) + "-0123-4567-89ab-cdef")
		b.Field(4).(*array.TimestampBuilder).Append(arrow.Timestamp(1.7e15 + i*30_000_123))
		b.Field(5).(*array.BooleanBuilder).Append(random.IntN(3) > 0)
	}
	return b.NewRecordBatch()
}

func BenchmarkJSON(b *testing.B) {
	for what, batch := range map[string]arrow.RecordBatch{"doubles": doubles(), "events": events()} {
		for dialect, o := range map[string]*json.Options{"polars": {Lines: true}, "pandas": {Dialect: json.Pandas}} {
			b.Run(what+"/"+dialect, func(b *testing.B) {
				b.SetBytes(batch.NumRows() * batch.NumCols()) // so many values
				for range b.N {
					e, err := o.NewEncoder(context.Background(), io.Discard, batch.Schema(), encode.Env{Workers: 1})
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
			})
		}
	}
}
