package pgcopy

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// texts reads text.
func texts(t arrow.DataType) func(arrow.Array) func(int) string {
	switch t.ID() {
	case arrow.STRING:
		return func(a arrow.Array) func(int) string { return a.(*array.String).Value }
	case arrow.LARGE_STRING:
		return func(a arrow.Array) func(int) string { return a.(*array.LargeString).Value }
	case arrow.STRING_VIEW:
		return func(a arrow.Array) func(int) string { return a.(*array.StringView).Value }
	}
	return nil
}

// binaries reads bytes.
func binaries(t arrow.DataType) func(arrow.Array) func(int) []byte {
	switch t.ID() {
	case arrow.BINARY:
		return func(a arrow.Array) func(int) []byte { return a.(*array.Binary).Value }
	case arrow.LARGE_BINARY:
		return func(a arrow.Array) func(int) []byte { return a.(*array.LargeBinary).Value }
	case arrow.BINARY_VIEW:
		return func(a arrow.Array) func(int) []byte { return a.(*array.BinaryView).Value }
	case arrow.FIXED_SIZE_BINARY:
		return func(a arrow.Array) func(int) []byte { return a.(*array.FixedSizeBinary).Value }
	}
	return nil
}

// textField takes text; for columns of text also what has only one text in every
// session: integers, decimals, and bytes in hexadecimal.
func textField(t arrow.DataType, to Type) maker {
	if read := texts(t); read != nil {
		if to == JSONB { // a version comes first
			return func(a arrow.Array) field {
				get := read(a)
				return func(b []byte, i int) ([]byte, error) {
					s := get(i)
					b = append(binary.BigEndian.AppendUint32(b, uint32(len(s)+1)), 1)
					return append(b, s...), nil
				}
			}
		}
		return func(a arrow.Array) field {
			get := read(a)
			return func(b []byte, i int) ([]byte, error) {
				s := get(i)
				return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...), nil
			}
		}
	}
	if to == JSON || to == JSONB {
		return nil
	}
	if read := integers(t); read != nil {
		return func(a arrow.Array) field {
			get := read(a)
			return func(b []byte, i int) ([]byte, error) {
				start := len(b)
				return sized(strconv.AppendInt(append(b, 0, 0, 0, 0), get(i), 10), start), nil
			}
		}
	}
	if t.ID() == arrow.UINT64 {
		return func(a arrow.Array) field {
			v := a.(*array.Uint64).Values()
			return func(b []byte, i int) ([]byte, error) {
				start := len(b)
				return sized(strconv.AppendUint(append(b, 0, 0, 0, 0), v[i], 10), start), nil
			}
		}
	}
	if read := decimals(t); read != nil {
		return func(a arrow.Array) field {
			get := read(a)
			return func(b []byte, i int) ([]byte, error) {
				start := len(b)
				return sized(append(append(b, 0, 0, 0, 0), get(i)...), start), nil
			}
		}
	}
	read := binaries(t)
	if read == nil {
		return nil
	}
	return func(a arrow.Array) field {
		get := read(a)
		return func(b []byte, i int) ([]byte, error) {
			start := len(b)
			return sized(hex.AppendEncode(append(b, 0, 0, 0, 0, '\\', 'x'), get(i)), start), nil
		}
	}
}

func byteaField(t arrow.DataType) maker {
	read := binaries(t)
	if read == nil {
		return nil
	}
	return func(a arrow.Array) field {
		get := read(a)
		return func(b []byte, i int) ([]byte, error) {
			v := get(i)
			return append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...), nil
		}
	}
}

// uuidField takes 16 bytes, or text in the form that Python gives it.
func uuidField(t arrow.DataType) maker {
	if read := texts(t); read != nil {
		return func(a arrow.Array) field {
			get := read(a)
			return func(b []byte, i int) ([]byte, error) { return appendUUID(b, get(i)) }
		}
	}
	if f, ok := t.(*arrow.FixedSizeBinaryType); ok && f.ByteWidth == 16 {
		return byteaField(t)
	}
	return nil
}

func appendUUID(b []byte, s string) ([]byte, error) {
	b = append(b, 0, 0, 0, 16)
	n := 0
	for i := 0; i < len(s); {
		if s[i] == '-' && (n == 4 || n == 6 || n == 8 || n == 10) {
			i++
			continue
		}
		if i+2 > len(s) || n == 16 {
			return nil, errUUID
		}
		v, err := strconv.ParseUint(s[i:i+2], 16, 8)
		if err != nil {
			return nil, errUUID
		}
		b, n, i = append(b, byte(v)), n+1, i+2
	}
	if n != 16 {
		return nil, errUUID
	}
	return b, nil
}
