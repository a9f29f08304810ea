package compress

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/pierrec/lz4/v4"
)

// Encoder compresses one block after another. It is used by one goroutine at a time.
type Encoder interface {
	// Append appends the compressed block to dst.
	Append(dst, block []byte) ([]byte, error)
}

// None leaves blocks as they are.
func None() Encoder { return none{} }

type none struct{}

func (none) Append(dst, block []byte) ([]byte, error) { return append(dst, block...), nil }

// Snappy is Google's Snappy in its block format, without frames
// (https://github.com/google/snappy/blob/main/format_description.txt).
func Snappy() Encoder { return snappy{} }

type snappy struct{ better bool }

func (s snappy) Append(dst, block []byte) ([]byte, error) {
	most := s2.MaxEncodedLen(len(block))
	if most < 0 {
		return nil, tooLarge("snappy", block)
	}
	dst = slices.Grow(dst, most)
	encode := s2.EncodeSnappy
	if s.better {
		encode = s2.EncodeSnappyBetter
	}
	out := encode(dst[len(dst):len(dst)+most], block)
	return dst[:len(dst)+len(out)], nil
}

// SnappyBetter is Snappy that takes longer to find more of what repeats.
func SnappyBetter() Encoder { return snappy{better: true} }

// LZ4 is LZ4 in its block format, without frames
// (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md).
func LZ4() Encoder { return new(lz4Encoder) }

type lz4Encoder struct{ c lz4.Compressor }

func (e *lz4Encoder) Append(dst, block []byte) ([]byte, error) {
	if len(block) == 0 {
		return append(dst, 0), nil // a token: no literals, no match
	}
	most := lz4.CompressBlockBound(len(block))
	dst = slices.Grow(dst, most)
	n, err := e.c.CompressBlock(block, dst[len(dst):len(dst)+most])
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, fmt.Errorf("lz4: a block of %d bytes did not fit its bound", len(block))
	}
	return dst[:len(dst)+n], nil
}

// Gzip is gzip (RFC 1952), a member for each block, at levels 0 to 9.
func Gzip(level int) (Encoder, error) {
	w, err := gzip.NewWriterLevel(nil, level)
	return &streamEncoder{w: w}, err
}

// Deflate is DEFLATE (RFC 1951), a stream for each block, at levels 0 to 9.
func Deflate(level int) (Encoder, error) {
	w, err := flate.NewWriter(nil, level)
	return &streamEncoder{w: w}, err
}

// Brotli is Brotli (RFC 7932) at levels 0 to 11.
func Brotli(level int) Encoder {
	return &streamEncoder{w: brotli.NewWriterLevel(nil, level)}
}

// streamEncoder makes blocks by a codec that has streams only.
type streamEncoder struct {
	w interface {
		io.WriteCloser
		Reset(io.Writer)
	}
}

func (e *streamEncoder) Append(dst, block []byte) ([]byte, error) {
	out := bytes.NewBuffer(dst)
	e.w.Reset(out)
	if _, err := e.w.Write(block); err != nil {
		return nil, err
	}
	if err := e.w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func tooLarge(codec string, block []byte) error {
	return fmt.Errorf("%s cannot compress a block of %d bytes", codec, len(block))
}
