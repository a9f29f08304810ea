package avro

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strconv"
	"sync"

	"github.com/twmb/avro"
	"github.com/twmb/avro/ocf"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/compress"
)

const markerSize = 16

// anyNames has the library take names that the specification does not allow, and which
// polars writes.
var anyNames = avro.WithLaxNames(func(string) error { return nil })

// headerOf returns the header of a file and the marker between its blocks, with which it
// ends. Of a schema that schemaOf made, nothing but the record's name can be wrong.
func headerOf(schema, name string, codec *codec) (marker [markerSize]byte, header []byte, err error) {
	parsed, err := avro.Parse(schema, anyNames)
	if err != nil {
		return marker, nil, &encode.OptionError{Format: "avro", Option: "name", Value: strconv.Quote(name), Reason: err.Error()}
	}
	var b bytes.Buffer
	// That nothing is written by this writer is why its codec is a name only.
	if _, err := ocf.NewWriter(&b, parsed, ocf.WithSchema(schema), ocf.WithCodec(codec)); err != nil {
		return marker, nil, err
	}
	header = b.Bytes()
	copy(marker[:], header[len(header)-markerSize:])
	return marker, header, nil
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
	snappy  = newCodec("snappy", func() (compress.Encoder, error) { return compress.Snappy(), nil })
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
