package parquet

import (
	"cmp"
	"encoding/binary"
	"math"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"

	"github.com/seojaeohcode/atio/core/encode/parquet/internal/encoding"
)

// order is how the values of a leaf compare, which parquet.thrift lays down for
// each type under ColumnOrder.
type order int8

const (
	noOrder order = iota
	booleanOrder
	signedOrder
	unsignedOrder
	floatOrder
	float16Order
	bytesOrder   // unsigned byte by byte
	decimalOrder // big endian, two's complement
)

// orderOf returns the order of a leaf's values.
func orderOf(l *leaf) order {
	switch l.typ.(type) {
	case *arrow.NullType:
		return noOrder
	case *arrow.BooleanType:
		return booleanOrder
	case *arrow.Uint8Type, *arrow.Uint16Type, *arrow.Uint32Type, *arrow.Uint64Type:
		return unsignedOrder
	case *arrow.Float32Type, *arrow.Float64Type:
		return floatOrder
	case *arrow.Float16Type:
		return float16Order
	}
	switch l.column.PhysicalType() {
	case parquet.Types.Int32, parquet.Types.Int64:
		return signedOrder
	case parquet.Types.ByteArray:
		return bytesOrder
	case parquet.Types.FixedLenByteArray:
		if _, ok := l.typ.(arrow.DecimalType); ok {
			return decimalOrder
		}
		return bytesOrder
	}
	return noOrder
}

// bounds are the smallest and the largest of some values, in PLAIN encoding
// without the length of a byte array. NaN is not counted.
type bounds struct {
	min, max string
	known    bool // false if there were no values, or nothing but NaN
	nan      bool // there were values, but nothing but NaN
}

// merge makes b the bounds of both.
func (b *bounds) merge(o order, other bounds) {
	switch {
	case !other.known:
	case !b.known:
		*b = other
	default:
		if compare(o, other.min, b.min) < 0 {
			b.min = other.min
		}
		if compare(o, other.max, b.max) > 0 {
			b.max = other.max
		}
	}
}

// compare orders two values in PLAIN encoding.
func compare(o order, a, b string) int {
	switch o {
	case signedOrder:
		return cmp.Compare(littleSigned(a), littleSigned(b))
	case unsignedOrder, booleanOrder:
		return cmp.Compare(little(a), little(b))
	case floatOrder:
		return cmp.Compare(littleFloat(a), littleFloat(b))
	case float16Order:
		return cmp.Compare(halfOrder(uint16(little(a))), halfOrder(uint16(little(b))))
	case decimalOrder:
		return cmp.Or(cmp.Compare(key(a)^signBit, key(b)^signBit), strings.Compare(a, b))
	}
	return strings.Compare(a, b)
}

const signBit = 1 << 63

// little returns a number of up to eight bytes, least significant first.
func little(v string) uint64 {
	var whole [8]byte
	copy(whole[:], v)
	return binary.LittleEndian.Uint64(whole[:])
}

func littleSigned(v string) int64 {
	if len(v) == 4 {
		return int64(int32(little(v)))
	}
	return int64(little(v))
}

func littleFloat(v string) float64 {
	if len(v) == 4 {
		return float64(math.Float32frombits(uint32(little(v))))
	}
	return math.Float64frombits(little(v))
}

// halfOrder returns a number that orders as the half precision float h does,
// -0.0 before +0.0.
func halfOrder(h uint16) int {
	if h&0x8000 != 0 {
		return -int(h&0x7FFF) - 1
	}
	return int(h)
}

// boundsOf returns the bounds of values [from, to) of the column, which are not
// byte arrays unless they are codes of a dictionary.
func (w *workspace) boundsOf(c *column, from, to int) bounds {
	o := c.leaf.order
	if from == to || o == noOrder {
		return bounds{}
	}
	if c.coded {
		return w.boundsOfCodes(c, c.codes[from:to])
	}
	switch c.leaf.column.PhysicalType() {
	case parquet.Types.Boolean:
		return boundsOfBits(c.bits, from, to)
	case parquet.Types.Int32, parquet.Types.Float:
		return boundsOfWords(o, c.ints[from:to])
	case parquet.Types.Int64, parquet.Types.Double:
		return boundsOfWords(o, c.longs[from:to])
	}
	return boundsOfFixed(o, c.fixed, c.leaf.column.TypeLength(), from, to)
}

func boundsOfBits(bits []byte, from, to int) bounds {
	ones := encoding.CountBits(bits, from, to-from)
	b := bounds{min: "\x00", max: "\x01", known: true}
	if ones == 0 {
		b.max = b.min
	}
	if ones == to-from {
		b.min = b.max
	}
	return b
}

func boundsOfWords[W encoding.Word](o order, words []W) bounds {
	switch words := any(words).(type) {
	case []uint32:
		switch o {
		case signedOrder:
			return boundsOfNumbers(sameNumbers[int32](words))
		case floatOrder:
			return boundsOfFloats(sameNumbers[float32](words))
		}
		return boundsOfNumbers(words)
	case []uint64:
		switch o {
		case signedOrder:
			return boundsOfNumbers(sameNumbers[int64](words))
		case floatOrder:
			return boundsOfFloats(sameNumbers[float64](words))
		}
		return boundsOfNumbers(words)
	}
	return bounds{}
}

func boundsOfNumbers[T int32 | int64 | uint32 | uint64](values []T) bounds {
	// Two at a time: the processor then need not wait for the comparison before.
	min0, max0 := values[0], values[0]
	min1, max1 := min0, max0
	rest := values
	for ; len(rest) >= 2; rest = rest[2:] {
		a, b := rest[0], rest[1]
		min0, max0 = min(min0, a), max(max0, a)
		min1, max1 = min(min1, b), max(max1, b)
	}
	if len(rest) > 0 {
		min0, max0 = min(min0, rest[0]), max(max0, rest[0])
	}
	return bounds{min: plainNumber(min(min0, min1)), max: plainNumber(max(max0, max1)), known: true}
}

// sameNumbers looks at words as the numbers they stand for.
func sameNumbers[T int32 | int64 | float32 | float64, W encoding.Word](words []W) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(words))), len(words))
}

// boundsOfFloats follows the rules of parquet.thrift: NaN is no bound, and a zero
// is -0.0 as a minimum and +0.0 as a maximum.
func boundsOfFloats[T float32 | float64](values []T) bounds {
	least, most := T(math.Inf(1)), T(math.Inf(-1))
	for _, v := range values {
		if v < least {
			least = v
		}
		if v > most {
			most = v
		}
	}
	if least > most {
		return bounds{nan: true}
	}
	if least == 0 {
		least = T(math.Copysign(0, -1))
	}
	if most == 0 {
		most = 0
	}
	return bounds{min: plainFloat(least), max: plainFloat(most), known: true}
}

func plainNumber[T int32 | int64 | uint32 | uint64](v T) string {
	switch v := any(v).(type) {
	case int32:
		return plain(uint64(v), 4)
	case uint32:
		return plain(uint64(v), 4)
	case int64:
		return plain(uint64(v), 8)
	}
	return plain(uint64(v), 8)
}

func plainFloat[T float32 | float64](v T) string {
	if v, ok := any(v).(float32); ok {
		return plain(uint64(math.Float32bits(v)), 4)
	}
	return plain(math.Float64bits(float64(v)), 8)
}

func plain(v uint64, width int) string {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	return string(b[:width])
}

func boundsOfFixed(o order, fixed []byte, width, from, to int) bounds {
	var r stringRange
	r.order = o
	for i := from; i < to; i++ {
		r.add(stringAt(fixed, i*width, (i+1)*width))
	}
	return r.bounds()
}

// boundsOfCodes returns the bounds of dictionary values that are in use.
func (w *workspace) boundsOfCodes(c *column, codes []uint32) bounds {
	o := c.leaf.order
	if len(codes) < w.dictionary.len() {
		return w.boundsOfFew(c, codes)
	}
	used := w.markUsed(codes)
	switch d := &w.dictionary; c.leaf.column.PhysicalType() {
	case parquet.Types.Int32, parquet.Types.Float:
		return boundsOfWords(o, usedValues(d.ints.Values, used))
	case parquet.Types.Int64, parquet.Types.Double:
		return boundsOfWords(o, usedValues(d.longs.Values, used))
	default:
		r := stringRange{order: o}
		for i, yes := range used {
			if yes {
				r.add(d.strings.Values[i])
			}
		}
		return r.bounds()
	}
}

// boundsOfFew is boundsOfCodes for codes that are fewer than the dictionary's values.
func (w *workspace) boundsOfFew(c *column, codes []uint32) bounds {
	o := c.leaf.order
	switch d := &w.dictionary; c.leaf.column.PhysicalType() {
	case parquet.Types.Int32, parquet.Types.Float:
		return boundsOfWords(o, lookUp(nil, d.ints.Values, codes))
	case parquet.Types.Int64, parquet.Types.Double:
		return boundsOfWords(o, lookUp(nil, d.longs.Values, codes))
	default:
		r := stringRange{order: o}
		for _, code := range codes {
			r.add(d.strings.Values[code])
		}
		return r.bounds()
	}
}

// markUsed says for each number of the dictionary whether it is among codes.
func (w *workspace) markUsed(codes []uint32) []bool {
	n := w.dictionary.len()
	if cap(w.used) < n {
		w.used = make([]bool, n)
	}
	used := w.used[:n]
	clear(used)
	for _, code := range codes {
		used[code] = true
	}
	return used
}

func usedValues[W encoding.Word](values []W, used []bool) []W {
	out := make([]W, 0, len(values))
	for i, yes := range used {
		if yes {
			out = append(out, values[i])
		}
	}
	return out
}

// stringRange collects the bounds of byte arrays. Comparing the first eight bytes
// as a number settles nearly all comparisons.
type stringRange struct {
	order            order
	low, high        string
	lowKey, highKey  uint64
	known, something bool // something: there were values, if only NaN
}

func (r *stringRange) add(v string) {
	var k uint64
	switch r.order {
	case bytesOrder:
		k = key(v)
	case decimalOrder:
		k = key(v) ^ signBit
	case float16Order:
		r.something = true
		h := uint16(little(v))
		if h&0x7FFF > 0x7C00 {
			return // NaN
		}
		k = uint64(halfOrder(h) + 1<<16)
		v = string(v)
	}
	switch {
	case !r.known:
		r.known = true
		r.low, r.high, r.lowKey, r.highKey = v, v, k, k
	case k < r.lowKey || k == r.lowKey && v < r.low:
		r.low, r.lowKey = v, k
	case k > r.highKey || k == r.highKey && v > r.high:
		r.high, r.highKey = v, k
	}
}

func (r *stringRange) bounds() bounds {
	b := bounds{min: r.low, max: r.high, known: r.known, nan: r.something && !r.known}
	if r.order == float16Order && r.known {
		if little(b.min)&0x7FFF == 0 {
			b.min = "\x00\x80" // -0.0
		}
		if little(b.max)&0x7FFF == 0 {
			b.max = "\x00\x00"
		}
	}
	return b
}

// longestBound is the length beyond which bounds of byte arrays are shortened.
// Bounds say where to look; whole novels need not stand in the footer.
const longestBound = 64

// shortenMin returns a lower bound of at most longestBound bytes.
func shortenMin(v string, text bool) (short string, exact bool) {
	if len(v) <= longestBound {
		return v, true
	}
	return v[:cut(v, text)], false
}

// shortenMax returns an upper bound of at most longestBound bytes, or of more
// where no shorter one can be had: of bytes that are all 0xFF, say.
func shortenMax(v string, text bool) (short string, exact bool) {
	if len(v) <= longestBound {
		return v, true
	}
	if up, ok := next(v[:cut(v, text)], text); ok {
		return up, false
	}
	return v, true
}

// cut returns where to cut v, for text between two characters.
func cut(v string, text bool) int {
	n := longestBound
	if text {
		for n > longestBound-utf8.UTFMax && !utf8.RuneStart(v[n]) {
			n--
		}
	}
	return n
}

// next returns a string that comes after all that begin with v: the last
// character, or byte, that can be is increased by one, and what follows it goes.
func next(v string, text bool) (string, bool) {
	if text && utf8.ValidString(v) {
		for len(v) > 0 {
			r, size := utf8.DecodeLastRuneInString(v)
			v = v[:len(v)-size]
			if r++; r == 0xD800 {
				r = 0xE000 // surrogates are no characters
			}
			// The next character may take a byte more.
			if r <= utf8.MaxRune && len(v)+utf8.RuneLen(r) <= longestBound {
				return v + string(r), true
			}
		}
		return "", false
	}
	for n := len(v) - 1; n >= 0; n-- {
		if v[n] != 0xFF {
			return v[:n] + string([]byte{v[n] + 1}), true
		}
	}
	return "", false
}
