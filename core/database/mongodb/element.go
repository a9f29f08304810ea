package mongodb

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// element appends one element of a BSON document: the type of the value, key,
// which ends with its NUL, and the value in that row of a column.
type element func(b, key []byte, row int) ([]byte, error)

// problem is why a value cannot be written.
type problem string

func (p problem) Error() string { return string(p) }

func start(b []byte, t bson.Type, key []byte) []byte { return append(append(b, byte(t)), key...) }

func appendNull(b, key []byte) []byte { return start(b, bson.TypeNull, key) }

func int32s[T int8 | int16 | int32 | uint8 | uint16](values []T) element {
	return func(b, key []byte, row int) ([]byte, error) {
		return binary.LittleEndian.AppendUint32(start(b, bson.TypeInt32, key), uint32(int32(values[row]))), nil
	}
}

func int64s[T int64 | uint32](values []T) element {
	return func(b, key []byte, row int) ([]byte, error) {
		return binary.LittleEndian.AppendUint64(start(b, bson.TypeInt64, key), uint64(int64(values[row]))), nil
	}
}

func uint64s(values []uint64) element {
	return func(b, key []byte, row int) ([]byte, error) {
		v := values[row]
		if v > math.MaxInt64 {
			return b, problem(strconv.FormatUint(v, 10) + " is over 2^63-1, the largest integer of BSON: " +
				"convert the column to decimals, floats or strings")
		}
		return binary.LittleEndian.AppendUint64(start(b, bson.TypeInt64, key), v), nil
	}
}

func doubles[T float32 | float64](values []T) element {
	return func(b, key []byte, row int) ([]byte, error) {
		return binary.LittleEndian.AppendUint64(start(b, bson.TypeDouble, key), math.Float64bits(float64(values[row]))), nil
	}
}

func halves(a *array.Float16) element {
	return func(b, key []byte, row int) ([]byte, error) {
		v := float64(a.Value(row).Float32())
		return binary.LittleEndian.AppendUint64(start(b, bson.TypeDouble, key), math.Float64bits(v)), nil
	}
}

func booleans(a *array.Boolean) element {
	return func(b, key []byte, row int) ([]byte, error) {
		b = start(b, bson.TypeBoolean, key)
		if a.Value(row) {
			return append(b, 1), nil
		}
		return append(b, 0), nil
	}
}

func texts(value func(row int) string) element {
	return func(b, key []byte, row int) ([]byte, error) {
		return appendString(b, key, value(row)), nil
	}
}

func appendString[T string | []byte](b, key []byte, s T) []byte {
	b = binary.LittleEndian.AppendUint32(start(b, bson.TypeString, key), uint32(len(s)+1))
	return append(append(b, s...), 0)
}

func binaries(value func(row int) []byte, subtype byte) element {
	return func(b, key []byte, row int) ([]byte, error) {
		v := value(row)
		b = binary.LittleEndian.AppendUint32(start(b, bson.TypeBinary, key), uint32(len(v)))
		return append(append(b, subtype), v...), nil
	}
}

func appendDate(b, key []byte, ms int64) []byte {
	return binary.LittleEndian.AppendUint64(start(b, bson.TypeDateTime, key), uint64(ms))
}

func days(values []arrow.Date32) element {
	return func(b, key []byte, row int) ([]byte, error) {
		return appendDate(b, key, int64(values[row])*86_400_000), nil
	}
}

func moments(values []arrow.Timestamp, unit arrow.TimeUnit, truncate bool) element {
	switch unit {
	case arrow.Second:
		return func(b, key []byte, row int) ([]byte, error) {
			s := int64(values[row])
			if s > math.MaxInt64/1000 || s < math.MinInt64/1000 {
				return b, problem(strconv.FormatInt(s, 10) + " seconds since 1970 are more than a date of BSON holds")
			}
			return appendDate(b, key, s*1000), nil
		}
	case arrow.Millisecond:
		return func(b, key []byte, row int) ([]byte, error) { return appendDate(b, key, int64(values[row])), nil }
	}
	in := int64(1000) // of the unit in a millisecond
	if unit == arrow.Nanosecond {
		in = 1_000_000
	}
	return func(b, key []byte, row int) ([]byte, error) {
		v := int64(values[row])
		ms, rest := v/in, v%in
		if rest != 0 {
			if !truncate {
				return b, problem(fmt.Sprintf("%s is finer than the milliseconds of BSON's dates: "+
					"round the column, or pass allow_truncated_timestamps=True to cut them off",
					values[row].ToTime(unit).Format("2006-01-02 15:04:05.999999999")))
			}
			if rest < 0 {
				ms--
			}
		}
		return appendDate(b, key, ms), nil
	}
}

// clock is a time of day as text, in the way of ISO 8601.
func clock(value func(row int) int64, unit arrow.TimeUnit) element {
	layout := map[arrow.TimeUnit]string{
		arrow.Second: "15:04:05", arrow.Millisecond: "15:04:05.000", arrow.Microsecond: "15:04:05.000000",
		arrow.Nanosecond: "15:04:05.000000000",
	}[unit]
	return func(b, key []byte, row int) ([]byte, error) {
		t := time.Unix(0, 0).UTC().Add(time.Duration(value(row)) * unit.Multiplier())
		if t.Nanosecond() == 0 {
			return appendString(b, key, t.Format("15:04:05")), nil // as Python's isoformat
		}
		return appendString(b, key, t.Format(layout)), nil
	}
}

func durations(values []arrow.Duration, unit arrow.TimeUnit) element {
	by := int64(unit.Multiplier())
	return func(b, key []byte, row int) ([]byte, error) {
		v := int64(values[row])
		if v > math.MaxInt64/by || v < math.MinInt64/by {
			return b, problem(fmt.Sprintf("%d%s are more nanoseconds than an integer of BSON holds", v, unit))
		}
		return binary.LittleEndian.AppendUint64(start(b, bson.TypeInt64, key), uint64(v*by)), nil
	}
}

// decimalDigits is how many digits Decimal128 has.
const decimalDigits = 34

var decimalLimit = func() decimal128.Num {
	n, err := decimal128.FromString("1"+fmt.Sprintf("%0*d", decimalDigits, 0), 38, 0)
	if err != nil {
		panic(err)
	}
	return n
}()

// appendDecimal appends n * 10^-scale as Decimal128 in its binary encoding of
// integers: a sign, 14 bits of an exponent biased by 6176, 113 bits of an
// integer (IEEE 754-2008, 3.5.2).
func appendDecimal(b, key []byte, n decimal128.Num, scale int32) ([]byte, error) {
	if exp := 6176 - int64(scale); n.Abs().Less(decimalLimit) && exp >= 0 && exp < 3<<12 {
		abs := n.Abs()
		high := uint64(abs.HighBits()) | uint64(exp)<<49
		if n.Sign() < 0 {
			high |= 1 << 63
		}
		b = binary.LittleEndian.AppendUint64(start(b, bson.TypeDecimal128, key), abs.LowBits())
		return binary.LittleEndian.AppendUint64(b, high), nil
	}
	return appendBigDecimal(b, key, bigOf(n), scale)
}
