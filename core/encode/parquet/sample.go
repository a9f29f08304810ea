package parquet

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
)

// sampleSize is how many values are looked at to guess how many there are.
const sampleSize = 4096

// dictionaryPays guesses from a sample whether the chunk's dictionary will stay
// below its limit. One that does not is built, with much hashing, only to be left
// behind in the file.
//
// Of n values drawn from d equally frequent ones, about n²/2d are drawn twice.
func dictionaryPays(l *leaf, pieces []arrow.Array, limit int64) bool {
	rows := 0
	for _, p := range pieces {
		rows += p.Len()
	}
	if len(l.path) > 1 || rows < 2*sampleSize {
		return true // nested, or so few that it does not matter
	}
	s := sample{seen: make(map[string]struct{}, sampleSize)}
	step := rows / sampleSize
	next := 0 // row to look at, counted from the start of the piece
	for _, p := range pieces {
		if !s.add(l, storageOf(p), next, step) {
			return true
		}
		for next < p.Len() {
			next += step
		}
		next -= p.Len()
	}
	repeated := s.values - len(s.seen)
	if s.values < sampleSize/2 || repeated == 0 {
		return s.values < sampleSize/2
	}
	distinct := float64(s.values) * float64(s.values) / 2 / float64(repeated)
	return distinct*float64(s.bytes)/float64(s.values) < float64(limit)
}

// sample is some values of a leaf.
type sample struct {
	seen   map[string]struct{}
	values int
	bytes  int // they take in a dictionary page
	at     []int
	buf    []byte
}

// add looks at each step-th value of arr that is not null. It returns false if
// there is nothing to guess from values of that type.
func (s *sample) add(l *leaf, arr arrow.Array, start, step int) bool {
	isNull := nullTest(arr)
	s.at = s.at[:0]
	for i := start; i < arr.Len(); i += step {
		if isNull == nil || !isNull(i) {
			s.at = append(s.at, i)
		}
	}
	r := leafRange{values: arr, at: s.at}
	var v scratch
	switch l.column.PhysicalType() {
	case parquet.Types.Int32:
		return count(s, r, v.asInts, func(x int32) []byte { return s.bits(uint64(uint32(x)), 4) })
	case parquet.Types.Int64:
		return count(s, r, v.asLongs, func(x int64) []byte { return s.bits(uint64(x), 8) })
	case parquet.Types.Float:
		return count(s, r, v.asFloats, func(x float32) []byte { return s.bits(uint64(math.Float32bits(x)), 4) })
	case parquet.Types.Double:
		return count(s, r, v.asDoubles, func(x float64) []byte { return s.bits(math.Float64bits(x), 8) })
	case parquet.Types.ByteArray:
		return count(s, r, v.asSlices, func(x parquet.ByteArray) []byte { s.bytes += 4; return x })
	}
	return false
}

func count[T any](s *sample, r leafRange, values func(leafRange) ([]T, error), key func(T) []byte) bool {
	vs, err := values(r)
	if err != nil {
		return false // encoding will say what is wrong
	}
	for _, v := range vs {
		k := key(v)
		s.bytes += len(k)
		s.seen[string(k)] = struct{}{}
	}
	s.values += len(vs)
	return true
}

func (s *sample) bits(v uint64, n int) []byte {
	s.buf = binary.LittleEndian.AppendUint64(s.buf[:0], v)
	return s.buf[:n]
}
