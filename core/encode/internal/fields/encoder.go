package fields

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/held"
)

// A task formats about so many fields, and about so many bytes of text.
const (
	taskCells = 1 << 14
	taskBytes = 1 << 18
)

// Encoder encodes batches for a table. It is an [encode.Encoder]. Each piece that
// it writes holds whole rows.
type Encoder struct {
	t        *Table
	env      encode.Env
	pipeline *encode.Pipeline
	batches  held.Batches
	schema   *arrow.Schema
	sources  []source // for schema
	rows     int64
	closed   bool
}

// NewEncoder begins to encode onto w. The encoder has to be closed or discarded
// after an error, too.
func NewEncoder(ctx context.Context, w io.Writer, t *Table, env encode.Env) (*Encoder, error) {
	e := &Encoder{t: t, env: env, pipeline: encode.NewPipeline(ctx, w, 0, env.Workers, 0)}
	return e, e.text(t.Head)
}

func (e *Encoder) text(s string) error {
	if s == "" {
		return nil
	}
	return e.pipeline.Go(func(b []byte) ([]byte, error) { return append(b, s...), nil }, nil)
}

// Rows is how many rows there have been so far.
func (e *Encoder) Rows() int64 { return e.rows }

// Write encodes a batch, whose columns are found by their names, and may have
// other types than those of the batch before.
func (e *Encoder) Write(batch arrow.RecordBatch) error {
	if e.closed {
		return fmt.Errorf("%s: the encoder is closed", e.t.Format)
	}
	if e.schema == nil || e.schema != batch.Schema() {
		sources, err := e.t.plan(batch.Schema())
		if err != nil {
			return err
		}
		e.schema, e.sources = batch.Schema(), sources
	}
	fields := make([]Field, len(e.sources))
	text := 0
	for i, s := range e.sources {
		array := batch.Column(s.index)
		fields[i] = s.make(array)
		for _, b := range array.Data().Buffers() {
			if b != nil {
				text += b.Len()
			}
		}
	}
	base, rows := e.rows, int(batch.NumRows())
	e.rows += int64(rows)
	h := e.batches.Hold(batch)
	defer e.batches.Done(h)
	step := max(1, min(taskCells/max(1, len(fields)), taskBytes/max(1, text/max(1, rows))))
	for lo := 0; lo < rows; lo += step {
		hi := min(lo+step, rows)
		h.AddTask()
		err := e.pipeline.Go(func(b []byte) ([]byte, error) {
			defer e.batches.Done(h)
			b, err := e.t.Rows(b, fields, lo, hi)
			return b, e.explain(err, base)
		}, func(_ int64, n int) {
			e.env.Progress.AddRows(int64(hi - lo))
			e.env.Progress.AddBytes(int64(n))
		})
		if err != nil {
			e.batches.Done(h)
			return err
		}
	}
	return nil
}

// explain says of a field that could not be made which value it was, of a batch
// whose first row is number base.
func (e *Encoder) explain(err error, base int64) error {
	var f *Failure
	if !errors.As(err, &f) {
		return err
	}
	c := e.t.Columns[f.Column]
	return &encode.ValueError{Format: e.t.Format, Column: c.Name, Row: base + int64(f.Row),
		Reason: fmt.Sprintf("the value cannot be written as %s: %v; the table is as before", c.SQL, f.Err)}
}

// Close writes what is pending.
func (e *Encoder) Close() error {
	var err error
	if !e.closed {
		err = e.text(e.t.Tail)
	}
	e.closed = true
	if closing := e.pipeline.Close(); err == nil {
		err = closing
	}
	e.batches.Release()
	return err
}

// Discard stops.
func (e *Encoder) Discard() {
	e.closed = true
	e.pipeline.Discard()
	e.batches.Release()
}
