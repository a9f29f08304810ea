package parquet

import (
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// allTypes has one field of each type that can be written.
func allTypes() *arrow.Schema {
	var fields []arrow.Field
	add := func(types ...arrow.DataType) {
		for _, t := range types {
			fields = append(fields, arrow.Field{Name: strconv.Itoa(len(fields)) + " " + t.String(), Type: t, Nullable: true})
		}
	}
	p, f, b := arrow.PrimitiveTypes, arrow.FixedWidthTypes, arrow.BinaryTypes
	add(arrow.Null, f.Boolean, p.Int8, p.Int16, p.Int32, p.Int64, p.Uint8, p.Uint16, p.Uint32, p.Uint64)
	add(f.Float16, p.Float32, p.Float64)
	add(b.String, b.LargeString, b.StringView, b.Binary, b.LargeBinary, b.BinaryView, &arrow.FixedSizeBinaryType{ByteWidth: 3})
	add(f.Date32, f.Date64, f.Time32s, f.Time32ms, f.Time64us, f.Time64ns)
	for _, unit := range []arrow.TimeUnit{arrow.Second, arrow.Millisecond, arrow.Microsecond, arrow.Nanosecond} {
		add(&arrow.TimestampType{Unit: unit}, &arrow.TimestampType{Unit: unit, TimeZone: "Europe/Berlin"}, &arrow.DurationType{Unit: unit})
	}
	add(&arrow.Decimal32Type{Precision: 9, Scale: 2}, &arrow.Decimal64Type{Precision: 18, Scale: 2})
	add(&arrow.Decimal128Type{Precision: 7, Scale: 2}, &arrow.Decimal128Type{Precision: 38, Scale: 2}, &arrow.Decimal256Type{Precision: 60, Scale: 2})
	add(
		&arrow.DictionaryType{IndexType: p.Int8, ValueType: b.String, Ordered: true},
		&arrow.DictionaryType{IndexType: p.Uint32, ValueType: b.StringView},
		&arrow.DictionaryType{IndexType: p.Int32, ValueType: p.Int64},
	)
	add(arrow.ListOf(p.Int64), arrow.LargeListOf(b.StringView), arrow.FixedSizeListOf(2, p.Int16), arrow.ListViewOf(p.Int32))
	add(arrow.ListOf(arrow.ListOf(b.String)))
	inner := arrow.StructOf(
		arrow.Field{Name: "a", Type: p.Int32},
		arrow.Field{Name: "b", Type: arrow.ListOf(b.Binary), Nullable: true})
	add(inner, arrow.ListOf(inner), arrow.MapOf(b.String, inner))
	return arrow.NewSchema(fields, nil)
}

// randomBatch returns rows of schema, with nulls in nullable fields.
func randomBatch(r *rand.Rand, schema *arrow.Schema, rows int, nulls float64) arrow.RecordBatch {
	columns := make([]arrow.Array, schema.NumFields())
	for i, f := range schema.Fields() {
		share := nulls
		if !f.Nullable {
			share = 0
		}
		columns[i] = randomArray(r, f.Type, rows, share)
	}
	return array.NewRecordBatch(schema, columns, int64(rows))
}

func randomArray(r *rand.Rand, t arrow.DataType, rows int, nulls float64) arrow.Array {
	if d, ok := t.(*arrow.DictionaryType); ok {
		return randomDictionary(r, d, rows, nulls)
	}
	b := array.NewBuilder(memory.DefaultAllocator, t)
	defer b.Release()
	for range rows {
		appendRandom(r, b, nulls)
	}
	return b.NewArray()
}

func randomDictionary(r *rand.Rand, d *arrow.DictionaryType, rows int, nulls float64) arrow.Array {
	values := array.NewBuilder(memory.DefaultAllocator, d.ValueType)
	for i := range 5 {
		switch b := values.(type) {
		case array.StringLikeBuilder:
			b.Append("category " + strconv.Itoa(9-i))
		case *array.Int64Builder:
			b.Append(int64(9 - i))
		}
	}
	indices := array.NewBuilder(memory.DefaultAllocator, d.IndexType)
	for range rows {
		if r.Float64() < nulls {
			indices.AppendNull()
			continue
		}
		_ = indices.AppendValueFromString(strconv.Itoa(r.IntN(4)))
	}
	return array.NewDictionaryArray(d, indices.NewArray(), values.NewArray())
}

func appendRandom(r *rand.Rand, b array.Builder, nulls float64) {
	if r.Float64() < nulls {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.NullBuilder:
		b.AppendNull()
	case *array.StructBuilder:
		b.Append(true)
		for i := range b.NumField() {
			share := nulls
			if !b.Type().(*arrow.StructType).Field(i).Nullable {
				share = 0
			}
			appendRandom(r, b.FieldBuilder(i), share)
		}
	case *array.MapBuilder:
		b.Append(true)
		for range r.IntN(3) {
			appendRandom(r, b.KeyBuilder(), 0)
			appendRandom(r, b.ItemBuilder(), nulls)
		}
	case *array.FixedSizeListBuilder:
		b.Append(true)
		for range b.Type().(*arrow.FixedSizeListType).Len() {
			appendRandom(r, b.ValueBuilder(), nulls)
		}
	case array.VarLenListLikeBuilder:
		n := r.IntN(4)
		b.AppendWithSize(true, n)
		for range n {
			appendRandom(r, b.ValueBuilder(), nulls)
		}
	default:
		appendFlat(r, b)
	}
}

func appendFlat(r *rand.Rand, b array.Builder) {
	text := []byte("some text that is longer than a view holds")[:r.IntN(40)]
	switch b := b.(type) {
	case *array.BooleanBuilder:
		b.Append(r.IntN(2) == 0)
	case *array.Int8Builder:
		b.Append(int8(r.Uint64()))
	case *array.Int16Builder:
		b.Append(int16(r.Uint64()))
	case *array.Int32Builder:
		b.Append(int32(r.IntN(10)))
	case *array.Int64Builder:
		b.Append(int64(r.Uint64()))
	case *array.Uint8Builder:
		b.Append(uint8(r.Uint64()))
	case *array.Uint16Builder:
		b.Append(uint16(r.Uint64()))
	case *array.Uint32Builder:
		b.Append(uint32(r.Uint64()))
	case *array.Uint64Builder:
		b.Append(r.Uint64())
	case *array.Float16Builder:
		b.Append(float16.New(r.Float32()))
	case *array.Float32Builder:
		b.Append(float32(r.NormFloat64()))
	case *array.Float64Builder:
		b.Append([]float64{r.NormFloat64(), math.Inf(1), 0, math.Copysign(0, -1)}[r.IntN(4)])
	case array.StringLikeBuilder:
		b.Append(string(text))
	case *array.BinaryBuilder:
		b.Append(text)
	case *array.BinaryViewBuilder:
		b.Append(text)
	case *array.FixedSizeBinaryBuilder:
		value := make([]byte, b.Type().(*arrow.FixedSizeBinaryType).ByteWidth)
		value[0], value[1], value[2] = byte(r.Uint64()), 2, 3
		b.Append(value)
	case *array.Date32Builder:
		b.Append(arrow.Date32(r.IntN(20000)))
	case *array.Date64Builder:
		b.Append(arrow.Date64(r.IntN(20000)) * 86400000)
	case *array.Time32Builder:
		b.Append(arrow.Time32(r.IntN(86400)))
	case *array.Time64Builder:
		b.Append(arrow.Time64(r.IntN(86400)))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(r.Int64N(4e9) - 2e9))
	case *array.DurationBuilder:
		b.Append(arrow.Duration(r.Int64()))
	case *array.Decimal32Builder:
		b.AppendValueFromString("-12345.67")
	case *array.Decimal64Builder:
		b.AppendValueFromString("123456789.01")
	case *array.Decimal128Builder:
		b.Append(decimal128.FromI64(r.Int64N(2e6) - 1e6))
	case *array.Decimal256Builder:
		b.Append(decimal256.FromI64(r.Int64() - math.MaxInt64/2))
	default:
		panic(b.Type())
	}
}
