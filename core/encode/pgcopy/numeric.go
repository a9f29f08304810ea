package pgcopy

import (
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

var errDecimal = errors.New("not a decimal number")

const (
	numericNegative = 0x4000
	numericNaN      = 0xC000
	numericInf      = 0xD000
	numericMinusInf = 0xF000
)

// numericField takes decimals, integers, and floats with the 15 digits that the
// server takes of them.
func numericField(t arrow.DataType, nanIsNull bool) maker {
	if text := decimals(t); text != nil {
		return func(a arrow.Array) field {
			get := text(a)
			return func(b []byte, i int) ([]byte, error) { return appendNumeric(b, get(i)) }
		}
	}
	if read := integers(t); read != nil {
		return func(a arrow.Array) field {
			get := read(a)
			return func(b []byte, i int) ([]byte, error) { return appendNumeric(b, strconv.FormatInt(get(i), 10)) }
		}
	}
	if t.ID() == arrow.UINT64 {
		return func(a arrow.Array) field {
			v := a.(*array.Uint64).Values()
			return func(b []byte, i int) ([]byte, error) { return appendNumeric(b, strconv.FormatUint(v[i], 10)) }
		}
	}
	read, digits := floats(t), 15
	if read == nil {
		return nil
	}
	if t.ID() != arrow.FLOAT64 {
		digits = 6
	}
	return func(a arrow.Array) field {
		get := read(a)
		return func(b []byte, i int) ([]byte, error) {
			v := get(i)
			switch {
			case v != v && nanIsNull:
				return null(b, i)
			case v != v:
				return appendSpecial(b, numericNaN), nil
			case math.IsInf(v, 1):
				return appendSpecial(b, numericInf), nil
			case math.IsInf(v, -1):
				return appendSpecial(b, numericMinusInf), nil
			}
			return appendNumeric(b, plain(strconv.FormatFloat(v, 'e', digits-1, 64)))
		}
	}
}

// decimals reads decimals as text without an exponent.
func decimals(t arrow.DataType) func(arrow.Array) func(int) string {
	switch t := t.(type) {
	case *arrow.Decimal32Type:
		return func(a arrow.Array) func(int) string {
			v := a.(*array.Decimal32)
			return func(i int) string { return pointed(big.NewInt(int64(v.Value(i))), t.Scale) }
		}
	case *arrow.Decimal64Type:
		return func(a arrow.Array) func(int) string {
			v := a.(*array.Decimal64)
			return func(i int) string { return pointed(big.NewInt(int64(v.Value(i))), t.Scale) }
		}
	case *arrow.Decimal128Type:
		return func(a arrow.Array) func(int) string {
			v := a.(*array.Decimal128)
			return func(i int) string { return pointed(v.Value(i).BigInt(), t.Scale) }
		}
	case *arrow.Decimal256Type:
		return func(a arrow.Array) func(int) string {
			v := a.(*array.Decimal256)
			return func(i int) string { return pointed(v.Value(i).BigInt(), t.Scale) }
		}
	}
	return nil
}

// pointed is v * 10**-scale as text.
func pointed(v *big.Int, scale int32) string {
	digits := new(big.Int).Abs(v).String()
	if scale < 0 {
		if digits != "0" {
			digits += strings.Repeat("0", int(-scale))
		}
	} else if scale > 0 {
		if short := int(scale) + 1 - len(digits); short > 0 {
			digits = strings.Repeat("0", short) + digits
		}
		digits = digits[:len(digits)-int(scale)] + "." + digits[len(digits)-int(scale):]
	}
	if v.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// plain writes d.ddde±xx without an exponent and without trailing zeros.
func plain(s string) string {
	negative := strings.HasPrefix(s, "-")
	mantissa, exponent, _ := strings.Cut(strings.TrimPrefix(s, "-"), "e")
	e, _ := strconv.Atoi(exponent)
	digits := strings.TrimRight(strings.Replace(mantissa, ".", "", 1), "0")
	point := e + 1
	switch {
	case digits == "":
		return "0"
	case point <= 0:
		s = "0." + strings.Repeat("0", -point) + digits
	case point >= len(digits):
		s = digits + strings.Repeat("0", point-len(digits))
	default:
		s = digits[:point] + "." + digits[point:]
	}
	if negative {
		return "-" + s
	}
	return s
}

func appendSpecial(b []byte, sign uint16) []byte {
	b = append(b, 0, 0, 0, 8, 0, 0, 0, 0)
	return append(b, byte(sign>>8), byte(sign), 0, 0)
}

// appendNumeric appends a decimal number as numeric_recv takes it: how many
// digits of base 10000, the weight of the first, sign, digits after the point.
func appendNumeric(b []byte, s string) ([]byte, error) {
	sign := uint16(0)
	if strings.HasPrefix(s, "-") {
		sign, s = numericNegative, s[1:]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	scale := len(fraction)
	whole = strings.TrimLeft(whole, "0")
	// Groups of four digits, counted from the point.
	if pad := (4 - len(whole)%4) % 4; pad > 0 {
		whole = "000"[:pad] + whole
	}
	if pad := (4 - len(fraction)%4) % 4; pad > 0 {
		fraction += "000"[:pad]
	}
	weight := len(whole)/4 - 1
	digits := whole + fraction
	for strings.HasPrefix(digits, "0000") {
		digits, weight = digits[4:], weight-1
	}
	for strings.HasSuffix(digits, "0000") {
		digits = digits[:len(digits)-4]
	}
	if digits == "" {
		sign, weight = 0, 0
	}
	if scale > 16383 || weight > 32767 {
		return nil, errRange
	}
	n := len(digits) / 4
	b = binary.BigEndian.AppendUint32(b, uint32(8+2*n))
	b = binary.BigEndian.AppendUint16(b, uint16(n))
	b = binary.BigEndian.AppendUint16(b, uint16(int16(weight)))
	b = binary.BigEndian.AppendUint16(b, sign)
	b = binary.BigEndian.AppendUint16(b, uint16(scale))
	for ; digits != ""; digits = digits[4:] {
		d, err := strconv.ParseUint(digits[:4], 10, 16)
		if err != nil {
			return nil, errDecimal
		}
		b = binary.BigEndian.AppendUint16(b, uint16(d))
	}
	return b, nil
}
