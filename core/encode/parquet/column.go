package parquet

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode/parquet/internal/encoding"
)

// column is what a column chunk holds: the levels of its entries, and the values
// that are present in the form in which Parquet stores them. It lives in a
// workspace and in the arrays it was made of.
type column struct {
	leaf    *leaf
	entries int // values, nulls and empty lists
	values  int // that are present

	// Levels. A column that is not nested has only valid, and that only if it
	// has nulls: a bitmap over its entries.
	valid    []byte
	def, rep []uint8

	// Values: one of these, by the physical type.
	ints  []uint32 // INT32, FLOAT
	longs []uint64 // INT64, DOUBLE
	bits  []byte   // BOOLEAN, as a bitmap of values
	fixed []byte   // FIXED_LEN_BYTE_ARRAY, one after another
	bytes byteArrays

	// codes are the values of a column of dictionary arrays, as numbers of the
	// dictionary. There are no other values then.
	codes []uint32
	coded bool

	loadedBits int
	borrowed   bool // the values lie in an array's own memory
}

func (c *column) nulls() int { return c.entries - c.values }

// load reads the arrays of a leaf's column chunk into w.
func (w *workspace) load(l *leaf, pieces []arrow.Array) (*column, error) {
	w.column = column{
		leaf: l,
		ints: w.ints[:0], longs: w.longs[:0], bits: w.bits[:0], fixed: w.fixed[:0], codes: w.codes[:0],
		bytes: byteArrays{pieces: w.pieces[:0]},
	}
	w.dictionary.reset()
	for _, piece := range pieces {
		if err := w.loadPiece(l, storageOf(piece), len(pieces) == 1); err != nil {
			return nil, err
		}
	}
	w.keep()
	return &w.column, nil
}

func (w *workspace) loadPiece(l *leaf, arr arrow.Array, only bool) error {
	if len(l.path) > 1 || isOdd(arr) {
		return w.loadNested(l, arr)
	}
	n := arr.Len()
	s := selection{hi: n, only: only}
	if mayHaveNulls(arr) {
		s.bitmap, s.offset = arr.NullBitmapBytes(), arr.Data().Offset()
		present := encoding.CountBits(s.bitmap, s.offset, n)
		if present == n {
			s.bitmap = nil
		} else if !l.path[0].nullable {
			return errNull
		}
		w.addValidity(n, s.bitmap, s.offset)
		w.column.values += present
	} else {
		w.addValidity(n, nil, 0)
		w.column.values += n
	}
	w.column.entries += n
	w.column.borrowed = only && s.bitmap == nil
	if d, ok := arr.(*array.Dictionary); ok {
		return w.loadCodes(d, s)
	}
	return w.loadValues(arr, s)
}

// isOdd reports whether arr is an array whose nulls are not all in its bitmap.
func isOdd(arr arrow.Array) bool {
	switch a := arr.(type) {
	case *array.Null:
		return true
	case *array.Dictionary:
		values := storageOf(a.Dictionary())
		return values.DataType().ID() == arrow.BOOL || nullTest(values) != nil
	}
	return false
}

// addValidity appends n bits to the validity of the entries; a bitmap of nil
// stands for ones. It is kept only from the first null on.
func (w *workspace) addValidity(n int, bitmap []byte, offset int) {
	c := &w.column
	if bitmap == nil && c.valid == nil {
		return
	}
	if c.valid == nil {
		c.valid = appendOnes(w.validity[:0], 0, c.entries)
	}
	if bitmap == nil {
		c.valid = appendOnes(c.valid, c.entries, n)
	} else {
		c.valid = appendBitmap(c.valid, c.entries, bitmap, offset, n)
	}
	w.validity = c.valid
}

// appendBitmap appends n bits of bitmap to dst, which has at bits.
func appendBitmap(dst []byte, at int, bitmap []byte, offset, n int) []byte {
	if rest := at & 7; rest != 0 && n > 0 {
		head := min(n, 8-rest)
		dst[len(dst)-1] |= byte(encoding.Load64(bitmap, offset)&(1<<head-1)) << rest
		offset += head
		n -= head
	}
	return encoding.AppendBits(dst, bitmap, offset, n)
}

func appendOnes(dst []byte, at, n int) []byte {
	if rest := at & 7; rest != 0 && n > 0 {
		head := min(n, 8-rest)
		dst[len(dst)-1] |= (1<<head - 1) << rest
		n -= head
	}
	for ; n >= 8; n -= 8 {
		dst = append(dst, 0xFF)
	}
	if n > 0 {
		dst = append(dst, 1<<n-1)
	}
	return dst
}

// blockRows is how many rows of a nested column are turned into levels at once:
// few enough to stay in the processor's cache.
const blockRows = 8192

func (w *workspace) loadNested(l *leaf, arr arrow.Array) error {
	c := &w.column
	if c.def == nil {
		c.def, c.rep = w.def[:0], w.rep[:0]
		if c.def == nil {
			c.def, c.rep = []uint8{}, []uint8{}
		}
		c.allPresent(l) // entries of earlier pieces that were not odd
	}
	for lo := 0; lo < arr.Len(); lo += blockRows {
		r, err := w.shred.shred(l, arr, lo, min(lo+blockRows, arr.Len()))
		if err != nil {
			return err
		}
		c.entries += len(r.def)
		c.def, c.rep = append(c.def, r.def...), append(c.rep, r.rep...)
		c.values += r.present.len()
		if r.codes != nil {
			err = w.loadNumbers(r.codes, r.present)
		} else if r.present.len() > 0 {
			err = w.loadValues(r.values, r.present)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// allPresent turns the validity bitmap of a column's first pieces into levels,
// once a later piece needs them.
func (c *column) allPresent(l *leaf) {
	for i := range c.entries {
		level := uint8(l.maxDef)
		if c.valid != nil && c.valid[i>>3]>>(i&7)&1 == 0 {
			level--
		}
		c.def = append(c.def, level)
	}
	c.valid = nil
}

// selection says which elements of an array are present.
type selection struct {
	lo, hi int   // all in here,
	at     []int // or these, if not nil,
	bitmap []byte
	offset int  // or those whose bit is set, where that of element lo is at offset
	only   bool // the chunk has no other arrays, its values may stay where they are
}

// len is how many s selects, which has no bitmap.
func (s selection) len() int {
	if s.at != nil {
		return len(s.at)
	}
	return s.hi - s.lo
}

// choose selects the elements at the given places.
func choose(at []int) selection {
	if len(at) == 0 {
		return selection{}
	}
	first, last := at[0], at[len(at)-1]
	if last-first == len(at)-1 && ascending(at) {
		return selection{lo: first, hi: last + 1}
	}
	return selection{at: at}
}

func ascending(at []int) bool {
	for i, k := range at {
		if k != at[0]+i {
			return false
		}
	}
	return true
}

// pick appends the elements that s selects. If they lie together and are all,
// it returns them where they are.
func pick[T any](dst, values []T, s selection) []T {
	switch {
	case s.at != nil:
		for _, i := range s.at {
			dst = append(dst, values[i])
		}
		return dst
	case s.bitmap != nil:
		return encoding.Compact(dst, values[s.lo:s.hi], s.bitmap, s.offset)
	case s.only && len(dst) == 0:
		return values[s.lo:s.hi:s.hi]
	}
	return append(dst, values[s.lo:s.hi]...)
}

// mismatch is the error of a batch whose column is not of the schema's type.
func mismatch(arr arrow.Array) error {
	return fmt.Errorf("the batch has type %s, which is not that of the schema", arr.DataType())
}

// maxValue is the size of the longest value there can be: a page holds at least
// one whole value, and its size is an int32 (parquet.thrift, PageHeader).
const maxValue = math.MaxInt32 - 1<<20
