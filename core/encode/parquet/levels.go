package parquet

import (
	"errors"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
)

// errNull is a null where the schema says there is none.
var errNull = errors.New("null in a column that the schema declares not nullable")

// shredder turns a range of rows of one column into the levels and the places
// of the values of one leaf. It walks down the leaf's path one array at a time;
// between two steps there is one entry for each element reached so far.
type shredder struct {
	// As long as the entries are elements in a row, lo to hi, none of them null, they
	// are even: all have this level and repetition level 0.
	even   bool
	lo, hi int
	level  uint8

	// Entries that are not.
	def, rep []uint8
	at       []int // index of each entry in the array reached; absent if there is no value below

	// the same, being built by a step that changes the number of entries
	def2, rep2 []uint8
	at2        []int
}

const absent = -1

// leafRange is what a shredder leaves: levels, the array that holds the values,
// and those that are present. If the array is a dictionary array, that is codes,
// and present are places in its dictionary.
type leafRange struct {
	values   arrow.Array
	codes    *array.Dictionary
	def, rep []uint8
	present  selection
}

// shred returns the levels and values of rows [lo, hi) of arr, which is valid
// until the next call.
func (s *shredder) shred(l *leaf, arr arrow.Array, lo, hi int) (leafRange, error) {
	arr = storageOf(arr)
	s.even, s.lo, s.hi, s.level = true, lo, hi, 0
	var codes *array.Dictionary
	for _, n := range l.path {
		if err := s.skipNulls(n, arr); err != nil {
			return leafRange{}, err
		}
		switch n.kind {
		case structNode:
			arr = storageOf(arr.(*array.Struct).Field(n.child))
		case listNode, mapNode:
			list := arr.(array.ListLike)
			s.descend(n, list)
			arr = storageOf(list.ListValues())
		case dictionaryLeaf:
			d := arr.(*array.Dictionary)
			s.lookUp(d)
			if l.column.PhysicalType() == parquet.Types.Boolean { // two values, they need no dictionary
				arr = storageOf(d.Dictionary())
			} else {
				codes = d
			}
		}
	}
	r := leafRange{values: arr, codes: codes}
	if s.even {
		r.present = selection{lo: s.lo, hi: s.hi}
		s.makeLevels()
	} else {
		r.present = choose(s.present())
	}
	r.def = s.def
	if l.maxRep > 0 {
		r.rep = s.rep
	}
	return r, nil
}

// makeLevels makes the levels of even entries.
func (s *shredder) makeLevels() {
	n := s.hi - s.lo
	s.def, s.rep = slices.Grow(s.def[:0], n)[:n], slices.Grow(s.rep[:0], n)[:n]
	for i := range s.def {
		s.def[i] = s.level
	}
	clear(s.rep)
}

// spread turns even entries into those that need not be.
func (s *shredder) spread() {
	if !s.even {
		return
	}
	s.makeLevels()
	s.even = false
	s.at = slices.Grow(s.at[:0], s.hi-s.lo)[:s.hi-s.lo]
	for i := range s.at {
		s.at[i] = s.lo + i
	}
}

// skipNulls ends the entries that are null in arr and lifts the others by one
// level if the node is nullable.
func (s *shredder) skipNulls(n node, arr arrow.Array) error {
	up := uint8(0)
	if n.nullable {
		up = 1
	}
	switch isNull := nullTest(arr); {
	case isNull == nil && s.even:
		s.level += up
	case isNull == nil:
		for i, at := range s.at {
			if at != absent {
				s.def[i] += up
			}
		}
	default:
		s.spread()
		if arr.DataType().ID() != arrow.DICTIONARY && arr.DataType().ID() != arrow.NULL {
			return s.skipZeros(up, arr.NullBitmapBytes(), arr.Data().Offset())
		}
		for i, at := range s.at {
			switch {
			case at == absent:
			case !isNull(at):
				s.def[i] += up
			case !n.nullable:
				return errNull
			default:
				s.at[i] = absent
			}
		}
	}
	return nil
}

// skipZeros is skipNulls for an array whose nulls are the zeros of bitmap. up is 1 if
// the node is nullable, and 0 if not.
func (s *shredder) skipZeros(up uint8, bitmap []byte, offset int) error {
	def, nulls := s.def[:len(s.at)], 0
	for i, at := range s.at {
		if at == absent {
			continue
		}
		bit := int(bitmap[(offset+at)>>3]>>((offset+at)&7)) & 1
		def[i] += uint8(bit) & up
		s.at[i] = at&-bit | absent&(bit-1) // without a branch, as nulls may be anywhere
		nulls += 1 - bit
	}
	if nulls > 0 && up == 0 {
		return errNull
	}
	return nil
}

// descend replaces each entry by the elements of its list. An empty list stays
// as an entry without a value, one level below its elements.
func (s *shredder) descend(n node, list array.ListLike) {
	s.spread()
	s.def2, s.rep2, s.at2 = s.def2[:0], s.rep2[:0], s.at2[:0]
	switch l := list.(type) {
	case *array.List:
		descend(s, n, l.Offsets()[l.Data().Offset():])
	case *array.LargeList:
		descend(s, n, l.Offsets()[l.Data().Offset():])
	default:
		for i, k := range s.at {
			var from, to int64
			if k != absent {
				from, to = list.ValueOffsets(k)
			}
			s.descendInto(n, i, int(from), int(to))
		}
	}
	s.def, s.def2 = s.def2, s.def
	s.rep, s.rep2 = s.rep2, s.rep
	s.at, s.at2 = s.at2, s.at
}

func descend[O int32 | int64](s *shredder, n node, offsets []O) {
	for i, k := range s.at {
		var from, to O
		if k != absent {
			from, to = offsets[k], offsets[k+1]
		}
		s.descendInto(n, i, int(from), int(to))
	}
}

// descendInto adds elements [from, to), which are those of entry i.
func (s *shredder) descendInto(n node, i, from, to int) {
	if from == to {
		s.def2 = append(s.def2, s.def[i])
		s.rep2 = append(s.rep2, s.rep[i])
		s.at2 = append(s.at2, absent)
		return
	}
	r := s.rep[i]
	for j := from; j < to; j++ {
		s.def2 = append(s.def2, s.def[i]+1)
		s.rep2 = append(s.rep2, r)
		s.at2 = append(s.at2, j)
		r = uint8(n.rep)
	}
}

// lookUp replaces indices into a dictionary array by indices into its dictionary.
func (s *shredder) lookUp(d *array.Dictionary) {
	s.spread()
	for i, at := range s.at {
		if at != absent {
			s.at[i] = d.GetValueIndex(at)
		}
	}
}

// present returns the places of the values that are there.
func (s *shredder) present() []int {
	s.at2 = slices.Grow(s.at2[:0], len(s.at))[:len(s.at)]
	n := 0
	for _, k := range s.at {
		s.at2[n] = k // is overwritten by the next one if it is absent
		n += 1 + k>>63
	}
	return s.at2[:n]
}

// storageOf returns the array below extension arrays.
func storageOf(arr arrow.Array) arrow.Array {
	for {
		ext, ok := arr.(array.ExtensionArray)
		if !ok {
			return arr
		}
		arr = ext.Storage()
	}
}

// nullTest returns a function that says whether an element is null, or nil if
// none is. A dictionary's element is null also if its value is.
func nullTest(arr arrow.Array) func(int) bool {
	switch a := arr.(type) {
	case *array.Null:
		return func(int) bool { return true }
	case *array.Dictionary:
		values := nullTest(storageOf(a.Dictionary()))
		switch {
		case values == nil && !mayHaveNulls(a):
			return nil
		case values == nil:
			return a.IsNull
		}
		return func(i int) bool { return a.IsNull(i) || values(a.GetValueIndex(i)) }
	}
	if !mayHaveNulls(arr) {
		return nil
	}
	return arr.IsNull
}

// mayHaveNulls looks only at what is known already. Array.NullN would count, and
// store what it finds in memory that other tasks read: arrays are shared.
func mayHaveNulls(arr arrow.Array) bool {
	return len(arr.NullBitmapBytes()) > 0 && arr.Data().NullN() != 0
}
