package avro

import (
	"encoding/binary"
	"hash/crc32"
	"strconv"
	"sync"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/compress"
)

// codec is one of those that blocks are compressed with.
type codec struct {
	name    string
	workers sync.Pool
}

// worker is what a goroutine needs to compress a block. It is kept for the next file.
type worker struct {
	encoder compress.Encoder
	records []byte
}

// twice compresses again what is worth it. Together they make no file larger than
// polars' is, and take less time than the thorough one alone.
type twice struct {
	quick, thorough compress.Encoder
	again           func(n, of int) bool // whether a block that has become so small can be smaller
}

func (t twice) Append(dst, block []byte) ([]byte, error) {
	out, err := t.quick.Append(dst, block)
	if err == nil && t.again(len(out)-len(dst), len(block)) {
		return t.thorough.Append(out[:len(dst)], block)
	}
	return out, err
}

func newSnappy() (compress.Encoder, error) {
	// Where nearly nothing repeats, there is not more to find.
	return twice{compress.Snappy(), compress.SnappyBetter(), func(n, of int) bool { return n < of-of/32 }}, nil
}

func newDeflate() (compress.Encoder, error) {
	quick, err := compress.Deflate(5)
	if err != nil {
		return nil, err
	}
	// Where nearly nothing repeats, level 5 takes little care of the bytes' frequencies.
	thorough, err := compress.Deflate(7)
	return twice{quick, thorough, func(n, of int) bool { return n > of-of/8 }}, err
}

var (
	null    = &codec{name: "null"}
	snappy  = newCodec("snappy", newSnappy)
	deflate = newCodec("deflate", newDeflate)
)

func newCodec(name string, encoder func() (compress.Encoder, error)) *codec {
	return &codec{name: name, workers: sync.Pool{New: func() any {
		e, err := encoder()
		if err != nil {
			panic(err) // of a level that there is not
		}
		return &worker{encoder: e}
	}}}
}

func codecOf(compression string) (*codec, error) {
	switch compression {
	case "", Uncompressed:
		return null, nil
	case Snappy:
		return snappy, nil
	case Deflate:
		return deflate, nil
	}
	return nil, &encode.OptionError{Format: "avro", Option: "compression", Value: strconv.Quote(compression), Reason: "it is uncompressed, snappy or deflate"}
}

// appendBlock appends what stands in a block for records.
func (c *codec) appendBlock(b, records []byte, w *worker) ([]byte, error) {
	b, err := w.encoder.Append(b, records)
	if err == nil && c == snappy {
		b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(records))
	}
	return b, err
}

// The rest of an [ocf.Codec], which the header's writer takes but does not use.

func (c *codec) Name() string                      { return c.name }
func (c *codec) Compress([]byte) ([]byte, error)   { return nil, errUnused }
func (c *codec) Decompress([]byte) ([]byte, error) { return nil, errUnused }
func (c *codec) Close() error                      { return nil }
