package avro

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// lists are the number of items, the items, and a zero behind them, which is all that an
// empty list has.
func lists(a array.ListLike) appender {
	item := appenderOf(a.DataType().(arrow.ListLikeType).ElemField(), a.ListValues())
	return func(b []byte, row int) []byte {
		from, to := a.ValueOffsets(row)
		if from == to {
			return append(b, 0)
		}
		b = appendLong(b, to-from)
		for i := from; i < to; i++ {
			b = item(b, int(i))
		}
		return append(b, 0)
	}
}

// maps are lists of keys with their values.
func maps(a *array.Map) appender {
	t := a.DataType().(*arrow.MapType)
	key := appenderOf(arrow.Field{Type: t.KeyType()}, a.Keys())
	value := appenderOf(t.ItemField(), a.Items())
	return func(b []byte, row int) []byte {
		from, to := a.ValueOffsets(row)
		if from == to {
			return append(b, 0)
		}
		b = appendLong(b, to-from)
		for i := from; i < to; i++ {
			b = value(key(b, int(i)), int(i))
		}
		return append(b, 0)
	}
}

func structs(a *array.Struct) appender {
	fields := a.DataType().(*arrow.StructType).Fields()
	values := make([]appender, len(fields))
	for i, f := range fields {
		values[i] = appenderOf(f, a.Field(i))
	}
	return func(b []byte, row int) []byte { return appendRow(b, values, row) }
}

// dictionaries are written by their values, of which one may be null as well.
func dictionaries(p presence, a *array.Dictionary) appender {
	value := appenderOf(arrow.Field{Type: a.Dictionary().DataType(), Nullable: p.union}, a.Dictionary())
	return func(b []byte, row int) []byte {
		if p.nulls && !p.valid.At(row) {
			return append(b, isNull)
		}
		return value(b, a.GetValueIndex(row))
	}
}
