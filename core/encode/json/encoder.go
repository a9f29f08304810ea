package json

import (
	"context"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/held"
)

// A task formats about so many values: enough to make its cost negligible, few
// enough for its text to stay in a core's own cache.
const taskCells = 1 << 13

var errClosed = errors.New("json: the encoder is closed")

type encoder struct {
	o        *Options
	env      encode.Env
	pipeline *encode.Pipeline
	batches  held.Batches
	rows     int64
	closed   bool
}

func newEncoder(ctx context.Context, w io.Writer, o *Options, env encode.Env) (*encoder, error) {
	e := &encoder{o: o, env: env, pipeline: encode.NewPipeline(ctx, w, 0, env.Workers, 0)}
	if o.Lines {
		return e, nil
	}
	return e, e.text("[")
}

func (e *encoder) text(s string) error {
	return e.pipeline.Go(func(b []byte) ([]byte, error) { return append(b, s...), nil }, nil)
}

// Write formats a batch, whose columns may be others than those of the one before.
func (e *encoder) Write(batch arrow.RecordBatch) error {
	if e.closed {
		return errClosed
	}
	if err := e.o.checkTypes(batch.Schema()); err != nil {
		return err
	}
	keys := keysOf(batch.Schema().Fields())
	base, rows := e.rows, int(batch.NumRows())
	e.rows += int64(rows)
	h := e.batches.Hold(batch)
	defer e.batches.Done(h)
	step := max(1, taskCells/max(1, len(keys)))
	for lo := 0; lo < rows; lo += step {
		hi := min(lo+step, rows)
		h.AddTask()
		err := e.pipeline.Go(func(buf []byte) ([]byte, error) {
			defer e.batches.Done(h)
			return e.format(buf, batch, keys, lo, hi, base)
		}, func(int64, int) {
			e.env.Progress.AddRows(int64(hi - lo))
		})
		if err != nil {
			e.batches.Done(h)
			return err
		}
	}
	return nil
}

// format appends rows lo to hi. keys is what stands before each value, and base the
// number of the batch's first row.
func (e *encoder) format(b []byte, batch arrow.RecordBatch, keys [][]byte, lo, hi int, base int64) ([]byte, error) {
	values := make([]value, batch.NumCols())
	for i := range values {
		column := batch.Column(i)
		if row := beyondCalendar(column, lo, hi); row >= 0 {
			return nil, &encode.ValueError{Format: e.o.Format(), Column: batch.ColumnName(i), Row: base + int64(row),
				Reason: "its year is beyond the calendar, which has 262142 years before and after 0"}
		}
		values[i] = valueOf(column)
	}
	for row := lo; row < hi; row++ {
		if !e.o.Lines && base+int64(row) > 0 {
			b = append(b, ',')
		}
		b = appendObject(b, keys, values, row)
		if e.o.Lines {
			b = append(b, '\n')
		}
	}
	return b, nil
}

// Close writes what is pending.
func (e *encoder) Close() error {
	if !e.closed && !e.o.Lines {
		if err := e.text("]"); err != nil {
			e.Discard()
			return err
		}
	}
	e.closed = true
	err := e.pipeline.Close()
	e.batches.Release()
	return err
}

// Discard stops.
func (e *encoder) Discard() {
	e.closed = true
	e.pipeline.Discard()
	e.batches.Release()
}
