package numpy

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	magic     = "\x93NUMPY"
	alignment = 64 // of the data in the file
	// growth is how many digits the length of an array may get without moving the
	// data behind the header.
	growth = 21
)

// header is what stands before the data of an array, as numpy.save writes it: in
// the oldest version of the format that can hold it.
func (a *Array) header() []byte {
	text := a.dictionary()
	encoded, latin := latin1(text)
	if latin {
		if h := wrap(encoded, 1); h != nil {
			return h
		}
		return wrap(encoded, 2)
	}
	return wrap([]byte(text), 3)
}

// dictionary is the header's content, a Python literal.
func (a *Array) dictionary() string {
	var b strings.Builder
	b.WriteString("{'descr': ")
	b.WriteString(a.Descr)
	b.WriteString(", 'fortran_order': ")
	if a.Fortran {
		b.WriteString("True")
	} else {
		b.WriteString("False")
	}
	b.WriteString(", 'shape': (")
	for i, n := range a.Shape {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.FormatInt(n, 10))
	}
	if len(a.Shape) == 1 {
		b.WriteByte(',')
	}
	b.WriteString("), }")
	if len(a.Shape) > 0 {
		growing := a.Shape[0]
		if a.Fortran {
			growing = a.Shape[len(a.Shape)-1]
		}
		b.WriteString(strings.Repeat(" ", growth-len(strconv.FormatInt(growing, 10))))
	}
	return b.String()
}

// wrap puts the magic string and the length before a header's text, and fills it up
// with spaces and a line end. It returns nil if the text is too long for the version.
func wrap(text []byte, version byte) []byte {
	width := 4
	if version == 1 {
		width = 2
	}
	length := len(text) + 1
	begin := len(magic) + 2 + width
	padding := alignment - (begin+length)%alignment
	length += padding
	if version == 1 && length > math.MaxUint16 {
		return nil
	}
	b := make([]byte, 0, begin+length)
	b = append(append(b, magic...), version, 0)
	if version == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(length))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(length))
	}
	b = append(b, text...)
	for range padding {
		b = append(b, ' ')
	}
	return append(b, '\n')
}

// latin1 is s in ISO 8859-1, if it has all of its characters.
func latin1(s string) (b []byte, ok bool) {
	b = make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff && r <= utf8.MaxRune {
			return nil, false
		}
		b = append(b, byte(r))
	}
	return b, true
}
