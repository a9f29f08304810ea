package parquet

import (
	"errors"

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
	def, rep []int16
	at       []int // index of each entry in the array reached; absent if there is no value below

	// the same, being built by a step that changes the number of entries
	def2, rep2 []int16
	at2        []int
}

const absent = -1

// leafRange is what a shredder leaves: levels, the array that holds the values,
// and the places of those that are present. If the array is a dictionary array,
// that is codes, and the places are those in its dictionary.
type leafRange struct {
	values   arrow.Array
	codes    *array.Dictionary
	def, rep []int16
	at       []int
}

// shred returns the levels and values of rows [lo, hi) of arr, which is valid
// until the next call.
func (s *shredder) shred(l *leaf, arr arrow.Array, lo, hi int) (leafRange, error) {
	arr = storageOf(arr)
	s.start(lo, hi)
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
	return leafRange{values: arr, codes: codes, def: s.def, rep: s.repetitions(l), at: s.present()}, nil
}

func (s *shredder) start(lo, hi int) {
	s.def, s.rep, s.at = s.def[:0], s.rep[:0], s.at[:0]
	for i := lo; i < hi; i++ {
		s.def = append(s.def, 0)
		s.rep = append(s.rep, 0)
		s.at = append(s.at, i)
	}
}

// skipNulls ends the entries that are null in arr and lifts the others by one
// level if the node is nullable.
func (s *shredder) skipNulls(n node, arr arrow.Array) error {
	isNull := nullTest(arr)
	if isNull == nil {
		if n.nullable {
			for i, at := range s.at {
				if at != absent {
					s.def[i]++
				}
			}
		}
		return nil
	}
	for i, at := range s.at {
		switch {
		case at == absent:
		case isNull(at):
			if !n.nullable {
				return errNull
			}
			s.at[i] = absent
		case n.nullable:
			s.def[i]++
		}
	}
	return nil
}

// descend replaces each entry by the elements of its list. An empty list stays
// as an entry without a value, one level below its elements.
func (s *shredder) descend(n node, list array.ListLike) {
	def, rep, at := s.def2[:0], s.rep2[:0], s.at2[:0]
	for i, k := range s.at {
		var from, to int64
		if k != absent {
			from, to = list.ValueOffsets(k)
		}
		if from == to {
			def = append(def, s.def[i])
			rep = append(rep, s.rep[i])
			at = append(at, absent)
			continue
		}
		r := s.rep[i]
		for j := from; j < to; j++ {
			def = append(def, s.def[i]+1)
			rep = append(rep, r)
			at = append(at, int(j))
			r = n.rep
		}
	}
	s.def, s.def2 = def, s.def
	s.rep, s.rep2 = rep, s.rep
	s.at, s.at2 = at, s.at
}

// lookUp replaces indices into a dictionary array by indices into its dictionary.
func (s *shredder) lookUp(d *array.Dictionary) {
	for i, at := range s.at {
		if at != absent {
			s.at[i] = d.GetValueIndex(at)
		}
	}
}

// present returns the places of the values that are there.
func (s *shredder) present() []int {
	at := s.at2[:0]
	for _, k := range s.at {
		if k != absent {
			at = append(at, k)
		}
	}
	s.at2 = at
	return at
}

func (s *shredder) repetitions(l *leaf) []int16 {
	if l.maxRep == 0 {
		return nil
	}
	return s.rep
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
