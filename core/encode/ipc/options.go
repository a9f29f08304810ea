package ipc

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
)

// Options say how an IPC file is written. The zero value is without compression.
type Options struct {
	// Compression of each column of a batch is "none" (if empty), "lz4" or "zstd".
	Compression string `json:"compression,omitempty"`
	// BatchRows is how many rows a batch of the file has at most; 0 leaves the batches
	// as they come.
	BatchRows int64 `json:"batch_rows,omitempty"`
}

// Format is "ipc".
func (*Options) Format() string { return "ipc" }

// NewEncoder returns an encoder of schema onto w.
func (o *Options) NewEncoder(ctx context.Context, w io.Writer, schema *arrow.Schema, env encode.Env) (encode.Encoder, error) {
	switch o.Compression {
	case "", "none", "lz4", "zstd":
	default:
		return nil, &encode.OptionError{Format: "ipc", Option: "compression", Value: o.Compression, Reason: "it is none, lz4 or zstd"}
	}
	if o.BatchRows < 0 {
		return nil, &encode.OptionError{Format: "ipc", Option: "batch_rows", Value: o.BatchRows, Reason: "it is a number of rows, or 0"}
	}
	return newEncoder(ctx, w, o, schema, env)
}
