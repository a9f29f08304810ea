// Package thrift writes structs in Thrift's compact protocol
// (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md):
// as much of it as page headers, page indexes and footers need. They are written too
// often for the allocations and interfaces of a general library: there are many of
// them, or little else in the file.
package thrift

import "encoding/binary"

// Writer appends to Bytes. Fields of a struct are written in ascending order.
type Writer struct {
	Bytes []byte
	last  int16 // number of the field before, in the struct being written
}

// Types of the elements of a list.
const (
	Bool   = 1
	i8     = 3
	i16    = 4
	I32    = 5
	I64    = 6
	Binary = 8
	Struct = 12
	list   = 9
)

func (w *Writer) field(id int16, typ byte) {
	if d := id - w.last; d > 0 && d < 16 {
		w.Bytes = append(w.Bytes, byte(d)<<4|typ)
	} else {
		w.Bytes = append(w.Bytes, typ)
		w.zigZag(int64(id))
	}
	w.last = id
}

func (w *Writer) zigZag(v int64) {
	w.Bytes = binary.AppendUvarint(w.Bytes, uint64(v<<1)^uint64(v>>63))
}

// I8 writes a field of type i8.
func (w *Writer) I8(id int16, v int8) {
	w.field(id, i8)
	w.Bytes = append(w.Bytes, byte(v))
}

// I16 writes a field of type i16.
func (w *Writer) I16(id int16, v int16) {
	w.field(id, i16)
	w.zigZag(int64(v))
}

// I32 writes a field of type i32, or an enum.
func (w *Writer) I32(id int16, v int32) {
	w.field(id, I32)
	w.zigZag(int64(v))
}

// I64 writes a field of type i64.
func (w *Writer) I64(id int16, v int64) {
	w.field(id, I64)
	w.zigZag(v)
}

// Bool writes a field of type bool.
func (w *Writer) Bool(id int16, v bool) {
	if v {
		w.field(id, 1)
	} else {
		w.field(id, 2)
	}
}

// String writes a field of type string or binary.
func (w *Writer) String(id int16, v string) {
	w.field(id, Binary)
	w.ElemBinary(v)
}

// Struct writes a field that is a struct, whose fields content writes.
func (w *Writer) Struct(id int16, content func()) {
	w.field(id, Struct)
	w.Root(content)
}

// Root writes a struct without a field: the outermost one, or a list's element.
func (w *Writer) Root(content func()) {
	outer := w.last
	w.last = 0
	content()
	w.Bytes = append(w.Bytes, 0)
	w.last = outer
}

// List begins a field that is a list of n elements, which follow.
func (w *Writer) List(id int16, elem byte, n int) {
	w.field(id, list)
	if n < 15 {
		w.Bytes = append(w.Bytes, byte(n)<<4|elem)
		return
	}
	w.Bytes = append(w.Bytes, 0xF0|elem)
	w.Bytes = binary.AppendUvarint(w.Bytes, uint64(n))
}

// ElemBool writes an element of a list of bools.
func (w *Writer) ElemBool(v bool) {
	if v {
		w.Bytes = append(w.Bytes, 1)
	} else {
		w.Bytes = append(w.Bytes, 2)
	}
}

// ElemI32 writes an element of a list of i32, or of enums.
func (w *Writer) ElemI32(v int32) { w.zigZag(int64(v)) }

// ElemI64 writes an element of a list of i64.
func (w *Writer) ElemI64(v int64) { w.zigZag(v) }

// ElemBinary writes an element of a list of binaries.
func (w *Writer) ElemBinary(v string) {
	w.Bytes = binary.AppendUvarint(w.Bytes, uint64(len(v)))
	w.Bytes = append(w.Bytes, v...)
}
