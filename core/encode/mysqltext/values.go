package mysqltext

import (
	"encoding/hex"
	"math"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode/internal/number"
)

// values are the makers for values that are not null.
func (o *Options) values(t arrow.DataType, to kind) maker {
	switch t := t.(type) {
	case *arrow.BooleanType:
		if to != integerKind && to != decimalKind && to != floatKind && to != textKind {
			return nil
		}
		return func(a arrow.Array) field {
			v := a.(*array.Boolean)
			return func(b []byte, i int) ([]byte, error) {
				if v.Value(i) {
					return append(b, '1'), nil
				}
				return append(b, '0'), nil
			}
		}
	case *arrow.Float16Type, *arrow.Float32Type, *arrow.Float64Type:
		return o.floats(t, to)
	case arrow.DecimalType:
		return decimals(t, to)
	case *arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType:
		return o.texts(to)
	case *arrow.BinaryType, *arrow.LargeBinaryType, *arrow.BinaryViewType, *arrow.FixedSizeBinaryType:
		return o.binaries(to)
	case *arrow.Date32Type, *arrow.Date64Type, *arrow.TimestampType, *arrow.Time32Type, *arrow.Time64Type, *arrow.DurationType:
		return o.moments(t, to)
	}
	return integers(t, to)
}

func integers(t arrow.DataType, to kind) maker {
	if to != integerKind && to != decimalKind && to != floatKind && to != textKind {
		return nil
	}
	switch t.ID() {
	case arrow.INT8:
		return func(a arrow.Array) field { return signed(a.(*array.Int8).Int8Values()) }
	case arrow.INT16:
		return func(a arrow.Array) field { return signed(a.(*array.Int16).Int16Values()) }
	case arrow.INT32:
		return func(a arrow.Array) field { return signed(a.(*array.Int32).Int32Values()) }
	case arrow.INT64:
		return func(a arrow.Array) field { return signed(a.(*array.Int64).Int64Values()) }
	case arrow.UINT8:
		return func(a arrow.Array) field { return unsigned(a.(*array.Uint8).Uint8Values()) }
	case arrow.UINT16:
		return func(a arrow.Array) field { return unsigned(a.(*array.Uint16).Uint16Values()) }
	case arrow.UINT32:
		return func(a arrow.Array) field { return unsigned(a.(*array.Uint32).Uint32Values()) }
	case arrow.UINT64:
		return func(a arrow.Array) field { return unsigned(a.(*array.Uint64).Uint64Values()) }
	}
	return nil
}

func signed[T int8 | int16 | int32 | int64](v []T) field {
	return func(b []byte, i int) ([]byte, error) { return number.AppendInt(b, int64(v[i])), nil }
}

func unsigned[T uint8 | uint16 | uint32 | uint64](v []T) field {
	return func(b []byte, i int) ([]byte, error) { return number.AppendUint(b, uint64(v[i])), nil }
}

// floats are written with the shortest digits that mean them. For a column of
// integers they are rounded as the server rounds a double, to the nearest even.
func (o *Options) floats(t arrow.DataType, to kind) maker {
	if to != integerKind && to != decimalKind && to != floatKind {
		return nil
	}
	write := func(b []byte, x float64) []byte { return number.AppendFloat64(b, x, &number.Python) }
	if to == integerKind {
		write = func(b []byte, x float64) []byte { return strconv.AppendFloat(b, math.RoundToEven(x), 'f', -1, 64) }
	}
	finish := func(get func(int) float64) field {
		return func(b []byte, i int) ([]byte, error) {
			x := get(i)
			switch {
			case x != x && o.NaNIsNull:
				return o.null(b, i)
			case x != x:
				return b, errNaN
			case math.IsInf(x, 0):
				return b, errInfinite
			}
			return write(b, x), nil
		}
	}
	switch t.ID() {
	case arrow.FLOAT16:
		return func(a arrow.Array) field {
			v := a.(*array.Float16)
			return finish(func(i int) float64 { return float64(v.Value(i).Float32()) })
		}
	case arrow.FLOAT32:
		return func(a arrow.Array) field {
			v := a.(*array.Float32).Float32Values()
			return finish(func(i int) float64 { return float64(v[i]) })
		}
	}
	return func(a arrow.Array) field {
		v := a.(*array.Float64).Float64Values()
		return finish(func(i int) float64 { return v[i] })
	}
}

func decimals(t arrow.DecimalType, to kind) maker {
	if to != decimalKind && to != textKind && to != floatKind {
		return nil
	}
	scale := t.GetScale()
	return func(a arrow.Array) field {
		var text func(int) string
		switch a := a.(type) {
		case *array.Decimal32:
			text = func(i int) string { return a.Value(i).ToString(scale) }
		case *array.Decimal64:
			text = func(i int) string { return a.Value(i).ToString(scale) }
		case *array.Decimal128:
			text = func(i int) string { return a.Value(i).ToString(scale) }
		case *array.Decimal256:
			text = func(i int) string { return a.Value(i).ToString(scale) }
		}
		return func(b []byte, i int) ([]byte, error) { return append(b, text(i)...), nil }
	}
}

// texts go anywhere, as the server parses a text for any type.
func (o *Options) texts(to kind) maker {
	if to == otherKind {
		return nil
	}
	return func(a arrow.Array) field {
		get := a.(interface{ Value(int) string }).Value
		if to == binaryKind {
			return o.hexadecimal(func(i int) []byte { return []byte(get(i)) })
		}
		if o.Style == Insert {
			return func(b []byte, i int) ([]byte, error) {
				return append(appendEscaped(append(b, '\''), get(i), &literalEscapes), '\''), nil
			}
		}
		return func(b []byte, i int) ([]byte, error) { return appendEscaped(b, get(i), &loadEscapes), nil }
	}
}

// escapes has for each byte what stands behind a \ in its place, 0 if it stands
// for itself.
type escapes [256]byte

var (
	loadEscapes    = escapes{0: '0', '\t': 't', '\n': 'n', '\\': '\\'}
	literalEscapes = escapes{0: '0', '\n': 'n', '\r': 'r', '\\': '\\', '\'': '\'', 0x1a: 'Z'}
)

func appendEscaped(b []byte, s string, e *escapes) []byte {
	from := 0
	for i := 0; i < len(s); i++ {
		if c := e[s[i]]; c != 0 {
			b = append(append(b, s[from:i]...), '\\', c)
			from = i + 1
		}
	}
	return append(b, s[from:]...)
}

func (o *Options) binaries(to kind) maker {
	if to != binaryKind {
		return nil
	}
	return func(a arrow.Array) field { return o.hexadecimal(a.(interface{ Value(int) []byte }).Value) }
}

func (o *Options) hexadecimal(get func(int) []byte) field {
	if o.Style == Load {
		return func(b []byte, i int) ([]byte, error) { return hex.AppendEncode(b, get(i)), nil }
	}
	return func(b []byte, i int) ([]byte, error) {
		return append(hex.AppendEncode(append(b, 'x', '\''), get(i)), '\''), nil
	}
}
