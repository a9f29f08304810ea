// Package encode is what every file format shares: the [Encoder] interface, the
// [Options] a format is chosen and configured by, the typed errors encoders
// return, and [Pipeline], which runs encoding tasks on all cores and writes
// their results in order.
//
// An encoder turns Arrow record batches into bytes on an [io.Writer]. It knows
// no file names, no stores and nothing of publishing. A format lives in one
// folder below this one and is made known by one line in the registry of
// package core.
package encode

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/progress"
)

// Encoder writes record batches as one format to one writer.
//
// It is used by one goroutine at a time. Whatever it runs in parallel inside
// has ended when Close or Discard returns.
type Encoder interface {
	// Write encodes one record batch. It may return before the bytes are
	// written; the failure of an earlier batch may be returned by a later call.
	// The batch is retained for as long as it is needed.
	Write(batch arrow.RecordBatch) error

	// Close writes what is pending and the format's trailer and waits for both.
	// It does not close the underlying writer.
	Close() error

	// Discard ends the encoder without completing the output and waits for its
	// goroutines. It may be called at any time, also after Close.
	Discard()
}

// RowCounter is an [Encoder] whose rows are not those of the batches it is given.
type RowCounter interface {
	// Rows is how many rows the output has, -1 if it has no such thing.
	Rows() int64
}

// Options chooses a format and says how it is written. A format's option struct
// implements it; the zero value of the struct means the format's defaults.
type Options interface {
	// Format is the registered name of the format, such as "parquet".
	Format() string

	// NewEncoder returns an encoder of schema onto w. A schema or an option the
	// format cannot write is an [*UnsupportedError] or an [*OptionError], before
	// anything is written to w. Cancelling ctx ends the encoder's work.
	NewEncoder(ctx context.Context, w io.Writer, schema *arrow.Schema, env Env) (Encoder, error)

	// Check reads back, as cheaply as the format allows, what NewEncoder's
	// encoder wrote: size bytes holding rows rows. It returns an error if that
	// cannot be a whole file.
	Check(r io.ReaderAt, size, rows int64) error
}

// Env is what the surroundings give to an encoder.
type Env struct {
	// Workers is how many goroutines may encode at once; 0 means one for each
	// processor.
	Workers int
	// Progress, if not nil, is told of the rows that have been encoded.
	Progress *progress.Counter
}
