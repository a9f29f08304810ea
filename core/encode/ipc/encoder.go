package ipc

import (
	"context"
	"errors"
	"io"
	"runtime"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/seojaeohcode/atio/core/encode"
)

var errClosed = errors.New("ipc: the encoder is closed")

type encoder struct {
	ctx    context.Context
	o      *Options
	env    encode.Env
	file   *ipc.FileWriter
	closed bool
}

func newEncoder(ctx context.Context, w io.Writer, o *Options, schema *arrow.Schema, env encode.Env) (*encoder, error) {
	workers := env.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	// The columns of a batch are compressed at once, by goroutines that end with it.
	options := []ipc.Option{ipc.WithSchema(schema), ipc.WithCompressConcurrency(workers)}
	switch o.Compression {
	case "lz4":
		options = append(options, ipc.WithLZ4())
	case "zstd":
		options = append(options, ipc.WithZstd())
	}
	file, err := ipc.NewFileWriter(w, options...)
	if err != nil {
		return nil, err
	}
	return &encoder{ctx: ctx, o: o, env: env, file: file}, nil
}

// Write writes a batch as one of the file, or as several if it has more rows than
// those may have.
func (e *encoder) Write(batch arrow.RecordBatch) error {
	if e.closed {
		return errClosed
	}
	rows := batch.NumRows()
	step := rows
	if e.o.BatchRows > 0 {
		step = e.o.BatchRows
	}
	for lo := int64(0); lo < rows; lo += step {
		if e.ctx.Err() != nil {
			return context.Cause(e.ctx)
		}
		hi := min(lo+step, rows)
		if err := e.writePart(batch, lo, hi); err != nil {
			return err
		}
		e.env.Progress.AddRows(hi - lo)
	}
	return nil
}

func (e *encoder) writePart(batch arrow.RecordBatch, lo, hi int64) error {
	part := batch.NewSlice(lo, hi)
	defer part.Release()
	return e.file.Write(part)
}

// Close writes the footer.
func (e *encoder) Close() error {
	if e.closed {
		return errClosed
	}
	e.closed = true
	return e.file.Close()
}

// Discard does nothing: between the calls nothing goes on.
func (e *encoder) Discard() { e.closed = true }
