package avro

import (
	"context"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
)

// The codecs of blocks.
const (
	Uncompressed = "uncompressed" // Avro's "null"
	Snappy       = "snappy"       // in its block format, with a checksum
	Deflate      = "deflate"      // RFC 1951
)

// DefaultName is what the record is called if nothing is said.
const DefaultName = "record"

// Options say how an Avro file is written. The zero value is without compression.
type Options struct {
	// Compression of each block is [Uncompressed] (if empty), [Snappy] or [Deflate].
	Compression string `json:"compression,omitempty"`
	// Name is the full name of the record, such as "com.example.Flight", [DefaultName]
	// if empty.
	Name string `json:"name,omitempty"`
	// Unnamed gives the record the empty name, as polars does by default, and which the
	// specification does not allow.
	Unnamed bool `json:"unnamed,omitempty"`
}

// Format is "avro".
func (*Options) Format() string { return "avro" }

// NewEncoder returns an encoder of schema onto w. Names of columns are written as they
// are; some readers want letters, digits and underscores only.
func (o *Options) NewEncoder(ctx context.Context, w io.Writer, schema *arrow.Schema, env encode.Env) (encode.Encoder, error) {
	if o.Unnamed && o.Name != "" {
		return nil, &encode.OptionError{Format: "avro", Option: "unnamed", Value: true, Reason: fmt.Sprintf("the record has the name %q", o.Name)}
	}
	codec, err := codecOf(o.Compression)
	if err != nil {
		return nil, err
	}
	text, err := schemaOf(schema, o.name())
	if err != nil {
		return nil, err
	}
	header, err := headerOf(text, o.name(), codec)
	if err != nil {
		return nil, err
	}
	return newEncoder(ctx, w, schema, codec, header, env), nil
}

func (o *Options) name() string {
	if o.Name == "" && !o.Unnamed {
		return DefaultName
	}
	return o.Name
}
