package parquet

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"

	"github.com/seojaeohcode/atio/core/encode/parquet/internal/encoding"
)

// dictionary is the dictionary of a column chunk, of one of three types.
type dictionary struct {
	ints    encoding.Dictionary[uint32]
	longs   encoding.Dictionary[uint64]
	strings encoding.Strings // also fixed length byte arrays

	// numbers translates the codes of the last dictionary array, whose
	// dictionary was source; some says that it does so only for codes in use.
	numbers []uint32
	source  arrow.ArrayData
	some    bool
}

func (d *dictionary) reset() {
	d.ints.Reset()
	d.longs.Reset()
	d.strings.Reset()
	d.source, d.some = nil, false
}

func (d *dictionary) len() int {
	return len(d.ints.Values) + len(d.longs.Values) + len(d.strings.Values) // two of them are empty
}

// appendPage appends the dictionary in PLAIN encoding.
func (d *dictionary) appendPage(dst []byte, t parquet.Type) []byte {
	switch t {
	case parquet.Types.Int32, parquet.Types.Float:
		return encoding.AppendPlain(dst, d.ints.Values)
	case parquet.Types.Int64, parquet.Types.Double:
		return encoding.AppendPlain(dst, d.longs.Values)
	case parquet.Types.FixedLenByteArray:
		for _, v := range d.strings.Values {
			dst = append(dst, v...)
		}
		return dst
	}
	return encoding.AppendPlainStrings(dst, d.strings.Values)
}

// pageSize returns the size of that page in bytes.
func (d *dictionary) pageSize(t parquet.Type) int {
	size := 4*len(d.ints.Values) + 8*len(d.longs.Values) + d.strings.Bytes
	if t == parquet.Types.ByteArray {
		size += 4 * len(d.strings.Values)
	}
	return size
}

// loadCodes appends the values of a dictionary array that s selects. Its
// dictionary has no nulls.
func (w *workspace) loadCodes(d *array.Dictionary, s selection) error {
	c := &w.column
	from := len(c.codes)
	s.only = false // they are changed
	switch a := d.Indices().(type) {
	case *array.Int8:
		c.codes = widened(c.codes, a.Int8Values(), s)
	case *array.Uint8:
		c.codes = widened(c.codes, a.Uint8Values(), s)
	case *array.Int16:
		c.codes = widened(c.codes, a.Int16Values(), s)
	case *array.Uint16:
		c.codes = widened(c.codes, a.Uint16Values(), s)
	case *array.Int32:
		c.codes = pick(c.codes, sameBits[uint32](a.Int32Values()), s)
	case *array.Uint32:
		c.codes = pick(c.codes, a.Uint32Values(), s)
	case *array.Int64:
		c.codes = widened(c.codes, a.Int64Values(), s)
	case *array.Uint64:
		c.codes = widened(c.codes, a.Uint64Values(), s)
	default:
		return fmt.Errorf("a dictionary array has indices of type %s", d.Indices().DataType())
	}
	if err := w.translate(d, c.codes[from:]); err != nil {
		return err
	}
	numbers := w.dictionary.numbers
	for i, code := range c.codes[from:] {
		c.codes[from+i] = numbers[code]
	}
	return nil
}

// loadNumbers appends values at the given places of d's dictionary.
func (w *workspace) loadNumbers(d *array.Dictionary, present selection) error {
	if err := w.translateAll(d); err != nil {
		return err
	}
	w.column.codes = pick(w.column.codes, w.dictionary.numbers, present)
	return nil
}

// translate adds the values of d's dictionary to that of the column chunk: all, unless
// they are more than the codes of an array that is not in the first row group. Then
// it is those that have codes, for who reads the file knows the others from there.
func (w *workspace) translate(d *array.Dictionary, codes []uint32) error {
	if w.later && d.Dictionary().Len() > len(codes) {
		return w.translateUsed(d, codes)
	}
	return w.translateAll(d)
}

// translateAll adds the values of d's dictionary to that of the column chunk, in
// their order and also those that no row has: readers make categories of them.
func (w *workspace) translateAll(d *array.Dictionary) error {
	w.column.coded = true
	values := storageOf(d.Dictionary())
	dict := &w.dictionary
	if dict.source == values.Data() && !dict.some {
		return nil
	}
	dict.source, dict.some = values.Data(), false
	dict.numbers = dict.numbers[:0]
	l := w.column.leaf
	s := selection{hi: values.Len(), only: true}
	if isNull := nullTest(values); isNull != nil {
		// No row refers to a null any more, but the others keep their places.
		return w.translateSome(l, values, isNull)
	}
	var err error
	dict.numbers, err = dict.add(dict.numbers, l, values, s, w)
	return err
}

// translateUsed adds the values that have codes, in their order. The dictionary has no
// nulls.
func (w *workspace) translateUsed(d *array.Dictionary, codes []uint32) error {
	const unknown = math.MaxUint32
	w.column.coded = true
	values := storageOf(d.Dictionary())
	dict := &w.dictionary
	if dict.source == values.Data() && !dict.some {
		return nil
	}
	if dict.source != values.Data() {
		dict.source, dict.some = values.Data(), true
		dict.numbers = slices.Grow(dict.numbers[:0], values.Len())[:values.Len()]
		for i := range dict.numbers {
			dict.numbers[i] = unknown
		}
	}
	var at []int
	for _, code := range codes {
		if dict.numbers[code] == unknown {
			dict.numbers[code] = 0
			at = append(at, int(code))
		}
	}
	slices.Sort(at)
	numbers, err := dict.add(nil, w.column.leaf, values, selection{hi: values.Len(), at: at}, w)
	if err != nil {
		return err
	}
	for i, code := range at {
		dict.numbers[code] = numbers[i]
	}
	return nil
}

func (w *workspace) translateSome(l *leaf, values arrow.Array, isNull func(int) bool) error {
	dict := &w.dictionary
	for i := range values.Len() {
		if isNull(i) {
			dict.numbers = append(dict.numbers, 0)
			continue
		}
		var err error
		if dict.numbers, err = dict.add(dict.numbers, l, values, selection{lo: i, hi: i + 1}, w); err != nil {
			return err
		}
	}
	return nil
}

// add appends the numbers of the selected values to dst.
func (d *dictionary) add(dst []uint32, l *leaf, values arrow.Array, s selection, w *workspace) ([]uint32, error) {
	all := s.hi + d.len()
	switch l.column.PhysicalType() {
	case parquet.Types.Int32, parquet.Types.Float:
		words, err := w.intsOf(nil, values, s)
		if err == nil {
			dst, _ = d.ints.Append(dst, words, all)
		}
		return dst, err
	case parquet.Types.Int64, parquet.Types.Double:
		words, err := w.longsOf(nil, values, s)
		if err == nil {
			dst, _ = d.longs.Append(dst, words, all)
		}
		return dst, err
	case parquet.Types.FixedLenByteArray:
		width := l.column.TypeLength()
		fixed, err := fixedOf(nil, values, s, width)
		if err != nil {
			return dst, err
		}
		return d.addFixed(dst, fixed, width), nil
	case parquet.Types.ByteArray:
		var b byteArrays
		if err := b.add(values, s); err != nil {
			return dst, err
		}
		return d.addStrings(dst, b.read(), make([]string, 0, min(s.hi-s.lo, stringBlock)))
	}
	return dst, fmt.Errorf("no dictionary of %s", values.DataType())
}

func (d *dictionary) addFixed(dst []uint32, fixed []byte, width int) []uint32 {
	for from := 0; from < len(fixed); from += width {
		dst = append(dst, d.strings.Add(stringAt(fixed, from, from+width)))
	}
	return dst
}

func (d *dictionary) addStrings(dst []uint32, r byteReader, block []string) ([]uint32, error) {
	for {
		values, err := r.fill(block[:0])
		if err != nil || len(values) == 0 {
			return dst, err
		}
		dst = d.strings.Append(dst, values)
	}
}

// key returns the first eight bytes of v as a number that orders as they do.
func key(v string) uint64 {
	if len(v) >= 8 {
		return binary.BigEndian.Uint64([]byte(v[:8]))
	}
	var first [8]byte
	copy(first[:], v)
	return binary.BigEndian.Uint64(first[:])
}
