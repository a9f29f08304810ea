package avro

import (
	"bytes"
	"strconv"

	"github.com/twmb/avro"
	"github.com/twmb/avro/ocf"
	"github.com/zeebo/xxh3"

	"github.com/seojaeohcode/atio/core/encode"
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
