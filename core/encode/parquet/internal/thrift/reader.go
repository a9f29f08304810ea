package thrift

import (
	"encoding/binary"
	"errors"
	"math"
)

// ErrBroken says that bytes are not a struct of the compact protocol.
var ErrBroken = errors.New("thrift: broken struct")

// deepest is how far structs and lists may lie in each other.
const deepest = 64

// Reader reads what Writer writes. After a mistake in Bytes everything is 0 and
// nothing is left to read; Err tells.
type Reader struct {
	Bytes []byte
	Err   error
	depth int
}

func (r *Reader) fail() {
	r.Bytes, r.Err = nil, ErrBroken
}

func (r *Reader) byte() byte {
	if len(r.Bytes) == 0 {
		r.fail()
		return 0
	}
	b := r.Bytes[0]
	r.Bytes = r.Bytes[1:]
	return b
}

func (r *Reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.Bytes)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.Bytes = r.Bytes[n:]
	return v
}

// Int reads a value of type i16, i32 or i64.
func (r *Reader) Int() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// Struct reads a struct and calls field for each of its fields, which has to read
// the value, or to Skip it.
func (r *Reader) Struct(field func(id int16, typ byte)) {
	r.depth++
	defer func() { r.depth-- }()
	if r.depth > deepest {
		r.fail()
	}
	for id := int16(0); r.Err == nil; {
		b := r.byte()
		typ := b & 0x0F
		if typ == 0 {
			if b != 0 {
				r.fail()
			}
			return
		}
		if d := b >> 4; d != 0 {
			id += int16(d)
		} else {
			id = int16(r.Int())
		}
		field(id, typ)
	}
}

// List reads the beginning of a list whose elements are of the given type, and
// returns how many there are.
func (r *Reader) List(elem byte) int {
	n, typ := r.list()
	if typ != elem {
		r.fail()
		return 0
	}
	return n
}

func (r *Reader) list() (n int, elem byte) {
	b := r.byte()
	count := uint64(b >> 4)
	if count == 15 {
		count = r.uvarint()
	}
	if count > uint64(len(r.Bytes)) { // each takes a byte at least
		r.fail()
		return 0, 0
	}
	return int(count), b & 0x0F
}

// Skip reads over the value of a field.
func (r *Reader) Skip(typ byte) {
	if typ != Bool && typ != 2 { // a field's type is its value
		r.skip(typ)
	}
}

// skip reads over a value.
func (r *Reader) skip(typ byte) {
	switch typ {
	case Bool, 2, i8:
		r.byte()
	case i16, I32, I64:
		r.uvarint()
	case Binary:
		n := r.uvarint()
		if n > math.MaxInt32 || int(n) > len(r.Bytes) {
			r.fail()
			return
		}
		r.Bytes = r.Bytes[n:]
	case list:
		r.depth++
		n, elem := r.list()
		if r.depth > deepest {
			r.fail()
		}
		for i := 0; i < n && r.Err == nil; i++ {
			r.skip(elem)
		}
		r.depth--
	case Struct:
		r.Struct(func(_ int16, typ byte) { r.Skip(typ) })
	default: // maps, sets and doubles, which Parquet has none of
		r.fail()
	}
}
