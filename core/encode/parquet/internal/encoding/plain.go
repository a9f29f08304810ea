package encoding

import (
	"encoding/binary"
	"unsafe"
)

// AppendPlain appends words in PLAIN encoding, which is how they lie in the
// memory of a little-endian machine.
func AppendPlain[W Word](dst []byte, words []W) []byte {
	if littleEndian {
		return append(dst, bytesOf(words)...)
	}
	for _, w := range words {
		switch w := any(w).(type) {
		case uint32:
			dst = binary.LittleEndian.AppendUint32(dst, w)
		case uint64:
			dst = binary.LittleEndian.AppendUint64(dst, w)
		}
	}
	return dst
}

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

func bytesOf[W Word](words []W) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*int(unsafe.Sizeof(*new(W))))
}

// AppendPlainStrings appends byte arrays in PLAIN encoding: the length of each in
// four bytes before it.
func AppendPlainStrings(dst []byte, values []string) []byte {
	for _, v := range values {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(v)))
		dst = append(dst, v...)
	}
	return dst
}

// AppendSplit appends words in BYTE_STREAM_SPLIT encoding: the first bytes of all
// words, then the second ones, and so on.
func AppendSplit[W Word](dst []byte, words []W) []byte {
	width := int(unsafe.Sizeof(*new(W)))
	dst, out := extend(dst, width*len(words))
	for k := range width {
		stream := out[k*len(words):][:len(words)]
		shift := 8 * k
		for i, w := range words {
			stream[i] = byte(w >> shift)
		}
	}
	return dst
}

// AppendSplitFixed is [AppendSplit] for fixed length byte arrays that lie one
// after another.
func AppendSplitFixed(dst, values []byte, width int) []byte {
	n := len(values) / width
	dst, out := extend(dst, n*width)
	for k := range width {
		stream := out[k*n:][:n]
		for i := range stream {
			stream[i] = values[i*width+k]
		}
	}
	return dst
}
