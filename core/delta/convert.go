package delta

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/seojaeohcode/atio/core/encode"
)

// conversion is how a column of the data becomes one of the data files. Most
// types of Arrow differ from a Delta type in name only, and then it is free.
type conversion struct {
	typ arrow.DataType                         // of the result
	run func(arrow.Array) (arrow.Array, error) // nil: the array is as it should be
}

// valueError says which row of an array cannot be converted.
type valueError struct {
	row    int // -1 if it is within a list
	reason string
}

func (e *valueError) Error() string { return e.reason }

// located makes the error one of a column and of a row counted from base.
func located(err error, column string, base int64) error {
	v, ok := err.(*valueError)
	if !ok {
		return fmt.Errorf("column %q: %w", column, err)
	}
	row := int64(-1)
	if v.row >= 0 {
		row = base + int64(v.row)
	}
	return &encode.ValueError{Format: format, Column: column, Row: row, Reason: v.reason}
}

// plan returns how data of type from become values of the Delta type to, in a
// column whose original type is orig. That the two go together is known by fits.
func plan(from arrow.DataType, to Type, orig arrow.DataType) conversion {
	switch from := from.(type) {
	case arrow.ExtensionType:
		inner := plan(from.StorageType(), to, plain(orig))
		return conversion{inner.typ, func(a arrow.Array) (arrow.Array, error) {
			storage := a.(array.ExtensionArray).Storage()
			storage.Retain()
			return inner.apply(storage)
		}}
	case *arrow.DictionaryType:
		return planDictionary(from, to, orig)
	case *arrow.NullType:
		typ, _ := arrowType(to)
		return conversion{typ, func(a arrow.Array) (arrow.Array, error) {
			return array.MakeArrayOfNull(memory.DefaultAllocator, typ, a.Len()), nil
		}}
	case *arrow.StructType:
		return planStruct(from, to.(*Struct), orig)
	case *arrow.MapType:
		return planMap(from, to.(*Map), orig)
	case arrow.ListLikeType:
		return planList(from, to.(*Array), orig)
	case *arrow.TimestampType:
		return planTimestamp(from, to, orig)
	case *arrow.DurationType:
		return rescaled(from, from.Unit, plain(orig).(*arrow.DurationType).Unit, arrow.PrimitiveTypes.Int64)
	case *arrow.Time32Type, *arrow.Time64Type:
		return planTime(from.(arrow.TemporalWithUnit), plain(orig).(arrow.TemporalWithUnit))
	}
	if c, ok := widen(from, to); ok {
		return c
	}
	return planPlain(from)
}

// widen converts numbers to a wider type of the table.
func widen(from arrow.DataType, to Type) (conversion, bool) {
	switch from.ID() {
	case arrow.INT8:
		return wideFrom[int8](from, to)
	case arrow.INT16:
		return wideFrom[int16](from, to)
	case arrow.INT32:
		return wideFrom[int32](from, to)
	case arrow.UINT8:
		return wideFrom[uint8](from, to)
	case arrow.UINT16:
		return wideFrom[uint16](from, to)
	case arrow.FLOAT32:
		if to == Double {
			return numbers[float32](arrow.PrimitiveTypes.Float64, func(v float32) float64 { return float64(v) }), true
		}
	}
	return conversion{}, false
}

func wideFrom[F int8 | int16 | int32 | uint8 | uint16](from arrow.DataType, to Type) (conversion, bool) {
	wide := arrow.PrimitiveTypes
	switch {
	case to == Short && from.ID() == arrow.INT8:
		return numbers[F](wide.Int16, func(v F) int16 { return int16(v) }), true
	case to == Integer && from.ID() != arrow.INT32 && from.ID() != arrow.UINT16:
		return numbers[F](wide.Int32, func(v F) int32 { return int32(v) }), true
	case to == Long:
		return numbers[F](wide.Int64, func(v F) int64 { return int64(v) }), true
	}
	return conversion{}, false
}

func (c conversion) apply(a arrow.Array) (arrow.Array, error) {
	if c.run == nil {
		return a, nil
	}
	defer a.Release()
	return c.run(a)
}

// as returns a conversion that only calls the values otherwise.
func as(typ arrow.DataType) conversion {
	return conversion{typ, func(a arrow.Array) (arrow.Array, error) {
		d := a.Data()
		out := array.NewData(typ, d.Len(), d.Buffers(), nil, d.NullN(), d.Offset())
		defer out.Release()
		return array.MakeFromData(out), nil
	}}
}

func planPlain(from arrow.DataType) conversion {
	switch t := from.(type) {
	case *arrow.Uint8Type:
		return numbers[uint8](arrow.PrimitiveTypes.Int16, func(v uint8) int16 { return int16(v) })
	case *arrow.Uint16Type:
		return numbers[uint16](arrow.PrimitiveTypes.Int32, func(v uint16) int32 { return int32(v) })
	case *arrow.Uint32Type:
		return numbers[uint32](arrow.PrimitiveTypes.Int64, func(v uint32) int64 { return int64(v) })
	case *arrow.Uint64Type:
		return decimals[uint64](20, 0, func(v uint64) (uint64, uint64) { return v, 0 })
	case *arrow.Float16Type:
		return conversion{arrow.PrimitiveTypes.Float32, float16s}
	case *arrow.Date64Type:
		return conversion{arrow.FixedWidthTypes.Date32, days}
	case *arrow.FixedSizeBinaryType:
		return conversion{arrow.BinaryTypes.Binary, fixedBytes}
	case *arrow.Decimal32Type:
		return decimals[int32](t.Precision, t.Scale, signed[int32])
	case *arrow.Decimal64Type:
		return decimals[int64](t.Precision, t.Scale, signed[int64])
	case *arrow.Decimal256Type:
		return conversion{&arrow.Decimal128Type{Precision: t.Precision, Scale: t.Scale}, narrow256}
	}
	return conversion{typ: from}
}

func signed[T int32 | int64](v T) (uint64, uint64) { return uint64(int64(v)), uint64(int64(v) >> 63) }

// planTimestamp brings timestamps to microseconds, or to nanoseconds as numbers.
func planTimestamp(from *arrow.TimestampType, to Type, orig arrow.DataType) conversion {
	unit := from.Unit
	if o, ok := plain(orig).(*arrow.TimestampType); ok {
		unit = o.Unit
	}
	if to == Long {
		return rescaled(from, from.Unit, unit, arrow.PrimitiveTypes.Int64)
	}
	stored := &arrow.TimestampType{Unit: arrow.Microsecond}
	if to == Timestamp {
		stored.TimeZone = "UTC"
	}
	c := rescaled(from, from.Unit, arrow.Microsecond, stored)
	if unit == from.Unit || unit == arrow.Microsecond {
		return c
	}
	// What is stored must come back in the column's own unit, too.
	exact := rescaled(from, from.Unit, unit, arrow.PrimitiveTypes.Int64)
	return conversion{stored, func(a arrow.Array) (arrow.Array, error) {
		a.Retain()
		probe, err := exact.apply(a)
		if err != nil {
			return nil, err
		}
		probe.Release()
		if c.run == nil {
			a.Retain()
			return a, nil
		}
		return c.run(a)
	}}
}

// planTime keeps times of day as numbers in the unit of the column.
func planTime(from, orig arrow.TemporalWithUnit) conversion {
	typ := arrow.DataType(arrow.PrimitiveTypes.Int32)
	if orig.ID() == arrow.TIME64 {
		typ = arrow.PrimitiveTypes.Int64
	}
	if from.ID() == orig.ID() {
		return rescaled(from, from.TimeUnit(), orig.TimeUnit(), typ)
	}
	factor, divisor := ratio(from.TimeUnit(), orig.TimeUnit())
	scale := func(v int64) (int64, bool) { return v * factor / divisor, v%divisor == 0 }
	what := fmt.Sprintf("is not a whole number of %s, which the column holds", unitName(orig.TimeUnit()))
	if from.ID() == arrow.TIME32 {
		return checked(typ, what, func(v int32) (int64, bool) { return scale(int64(v)) })
	}
	return checked(typ, what, func(v int64) (int32, bool) { w, ok := scale(v); return int32(w), ok })
}

func unitName(u arrow.TimeUnit) string {
	return [...]string{"seconds", "milliseconds", "microseconds", "nanoseconds"}[u]
}

// ratio returns what values of one unit are to be multiplied with, or divided by,
// to be in another.
func ratio(from, to arrow.TimeUnit) (factor, divisor int64) {
	factor, divisor = 1, 1
	for u := from; u < to; u++ {
		factor *= 1000
	}
	for u := to; u < from; u++ {
		divisor *= 1000
	}
	return factor, divisor
}

// rescaled converts numbers of one unit of time to another, exactly or not at all.
func rescaled(t arrow.DataType, from, to arrow.TimeUnit, typ arrow.DataType) conversion {
	if from == to {
		if arrow.TypeEqual(t, typ) {
			return conversion{typ: typ}
		}
		return as(typ)
	}
	factor, divisor := ratio(from, to)
	what := fmt.Sprintf("is not a whole number of %s, which the column holds", unitName(to))
	if factor > 1 {
		what = fmt.Sprintf("is out of the range of 64 bits in %s, which the column holds", unitName(to))
	}
	if t.(arrow.FixedWidthDataType).BitWidth() == 32 {
		return checked(typ, what, func(v int32) (int32, bool) {
			return int32(int64(v) * factor / divisor), int64(v)%divisor == 0
		})
	}
	most := math.MaxInt64 / factor
	return checked(typ, what, func(v int64) (int64, bool) {
		return v * factor / divisor, v%divisor == 0 && v <= most && v >= -most
	})
}

// planDictionary converts the values of a dictionary, not those of the rows.
func planDictionary(from *arrow.DictionaryType, to Type, orig arrow.DataType) conversion {
	inner := plan(from.ValueType, to, plain(orig))
	if inner.run == nil {
		return conversion{typ: from}
	}
	typ := &arrow.DictionaryType{IndexType: from.IndexType, ValueType: inner.typ, Ordered: from.Ordered}
	return conversion{typ, func(a arrow.Array) (arrow.Array, error) {
		d := a.(*array.Dictionary)
		values, err := inner.run(d.Dictionary())
		if err != nil {
			err.(*valueError).row = -1
			return nil, err
		}
		defer values.Release()
		out := array.NewDataWithDictionary(typ, d.Len(), d.Data().Buffers(), d.NullN(), d.Data().Offset(), values.Data().(*array.Data))
		defer out.Release()
		return array.MakeFromData(out), nil
	}}
}

func planStruct(from *arrow.StructType, to *Struct, orig arrow.DataType) conversion {
	own, _ := plain(orig).(*arrow.StructType)
	fields := make([]arrow.Field, from.NumFields())
	inner := make([]conversion, from.NumFields())
	changed := false
	for i, f := range from.Fields() {
		o := f.Type
		if own != nil {
			o = own.Field(i).Type
		}
		inner[i] = plan(f.Type, to.Fields[i].Type, o)
		fields[i] = arrow.Field{Name: f.Name, Type: inner[i].typ, Nullable: true}
		changed = changed || inner[i].run != nil
	}
	typ := arrow.StructOf(fields...)
	if !changed {
		return conversion{typ: from}
	}
	return conversion{typ, func(a arrow.Array) (arrow.Array, error) {
		s := a.(*array.Struct)
		children := make([]arrow.ArrayData, len(inner))
		for i, c := range inner {
			child := s.Field(i)
			child.Retain()
			child, err := c.apply(child)
			if err != nil {
				return nil, err
			}
			defer child.Release()
			children[i] = child.Data()
		}
		validity := validityOf(a)
		out := array.NewData(typ, a.Len(), []*memory.Buffer{validity}, children, a.NullN(), 0)
		release(validity)
		defer out.Release()
		return array.MakeFromData(out), nil
	}}
}

func planMap(from *arrow.MapType, to *Map, orig arrow.DataType) conversion {
	key, item := from.KeyType(), from.ItemType()
	if m, ok := plain(orig).(*arrow.MapType); ok {
		key, item = m.KeyType(), m.ItemType()
	}
	k, v := plan(from.KeyType(), to.Key, key), plan(from.ItemType(), to.Value, item)
	if k.run == nil && v.run == nil {
		return conversion{typ: from}
	}
	typ := arrow.MapOf(k.typ, v.typ)
	entries := planStruct(arrow.StructOf(from.KeyField(), from.ItemField()),
		&Struct{[]Field{{Name: "key", Type: to.Key}, {Name: "value", Type: to.Value}}},
		arrow.StructOf(arrow.Field{Name: "key", Type: key}, arrow.Field{Name: "value", Type: item}))
	return conversion{typ, func(a arrow.Array) (arrow.Array, error) {
		return withChild(a, typ, entries, a.(*array.Map).ListValues())
	}}
}

func planList(from arrow.ListLikeType, to *Array, orig arrow.DataType) conversion {
	own := from.Elem()
	if o, ok := plain(orig).(arrow.ListLikeType); ok {
		own = o.Elem()
	}
	inner := plan(from.Elem(), to.Element, own)
	if inner.run == nil {
		return conversion{typ: from}
	}
	element := arrow.Field{Name: "element", Type: inner.typ, Nullable: true}
	var typ arrow.DataType
	switch t := from.(type) {
	case *arrow.LargeListType:
		typ = arrow.LargeListOfField(element)
	case *arrow.FixedSizeListType:
		typ = arrow.FixedSizeListOfField(t.Len(), element)
	case *arrow.ListViewType:
		typ = arrow.ListViewOfField(element)
	case *arrow.LargeListViewType:
		typ = arrow.LargeListViewOfField(element)
	default:
		typ = arrow.ListOfField(element)
	}
	return conversion{typ, func(a arrow.Array) (arrow.Array, error) {
		return withChild(a, typ, inner, a.(array.ListLike).ListValues())
	}}
}

// withChild returns a list whose values have been converted.
func withChild(a arrow.Array, typ arrow.DataType, inner conversion, values arrow.Array) (arrow.Array, error) {
	values, err := inner.run(values)
	if err != nil {
		if v, ok := err.(*valueError); ok {
			v.row = -1
		}
		return nil, err
	}
	defer values.Release()
	d := a.Data()
	out := array.NewData(typ, d.Len(), d.Buffers(), []arrow.ArrayData{values.Data()}, d.NullN(), d.Offset())
	defer out.Release()
	return array.MakeFromData(out), nil
}

// validityOf returns an array's validity from bit 0 on, nil if all are valid.
func validityOf(a arrow.Array) *memory.Buffer {
	if a.NullN() == 0 {
		return nil
	}
	buf := memory.NewResizableBuffer(memory.DefaultAllocator)
	buf.Resize(int(bitutil.BytesForBits(int64(a.Len()))))
	bitutil.CopyBitmap(a.NullBitmapBytes(), a.Data().Offset(), a.Len(), buf.Bytes(), 0)
	return buf
}

func release(b *memory.Buffer) {
	if b != nil {
		b.Release()
	}
}

// made returns an array of new values with the validity of another.
func made(like arrow.Array, typ arrow.DataType, buffers ...*memory.Buffer) arrow.Array {
	validity := validityOf(like)
	out := array.NewData(typ, like.Len(), append([]*memory.Buffer{validity}, buffers...), nil, like.NullN(), 0)
	release(validity)
	for _, b := range buffers {
		b.Release()
	}
	defer out.Release()
	return array.MakeFromData(out)
}
