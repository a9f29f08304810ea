package avro

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strconv"
	"sync"

	"github.com/twmb/avro"
	"github.com/twmb/avro/ocf"
	"github.com/zeebo/xxh3"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/compress"
)

const markerSize = 16

// anyNames has the library take names that the specification does not allow, and which
// polars writes.
var anyNames = avro.WithLaxNames(func(string) error { return nil })

// headerOf returns the header of a file, which ends with a marker of zeros. Of a schema
// that schemaOf made, nothing but the record's name can be wrong.
func headerOf(schema, name string, codec *codec) ([]byte, error) {
	parsed, err := avro.Parse(schema, anyNames)
	if err != nil {
		return nil, &encode.OptionError{Format: "avro", Option: "name", Value: strconv.Quote(name), Reason: err.Error()}
	}
	var b bytes.Buffer
	// That nothing is written by this writer is why its codec is a name only.
	_, err = ocf.NewWriter(&b, parsed, ocf.WithSchema(schema), ocf.WithCodec(codec), ocf.WithSyncMarker(marker{}))
	return b.Bytes(), err
}

// marker stands behind the header and every block, so that readers who begin anywhere
// find the next one. The specification has it random, so that it does not stand in the
// data by chance. A hash does not either, and the same data make the same file.
type marker = [markerSize]byte

// mark gives a header the marker for a file that begins with these records.
func mark(header, records []byte) marker {
	h := xxh3.New()
	_, _ = h.Write(header)
	_, _ = h.Write(records)
	m := h.Sum128().Bytes()
	copy(header[len(header)-markerSize:], m[:])
	return m
}

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

// deflateLevel makes files no larger than polars' and is the fastest that does.
const deflateLevel = 5

var (
	null    = &codec{name: "null"}
	snappy  = newCodec("snappy", func() (compress.Encoder, error) { return compress.SmallSnappy(), nil })
	deflate = newCodec("deflate", func() (compress.Encoder, error) { return compress.Deflate(deflateLevel) })
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
