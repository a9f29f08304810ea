package csv

import (
	"context"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/compressed"
	"github.com/seojaeohcode/atio/core/encode/internal/held"
)

// A task formats about so many fields, and about so many bytes of strings: enough
// to make its cost negligible, few enough for its text to stay in a core's own cache
// and for the tasks under way to take little memory.
const (
	taskCells = 1 << 13
	taskBytes = 1 << 17
	// Of wide tables a task formats more, as it has to look at each column first.
	wideTaskRows  = 64
	wideTaskCells = 1 << 19
)

// pandasCells is how many fields pandas converts at once.
const pandasCells = 100_000

var errClosed = errors.New("csv: the encoder is closed")

type encoder struct {
	style     *style
	names     []string
	chunkRows int
	env       encode.Env
	pipeline  *encode.Pipeline
	verbatim  []int
	below     compressed.Writer // nil if nothing is compressed
	rows      int64
	closed    bool
	batches   held.Batches
}

func newEncoder(ctx context.Context, w io.Writer, s *style, names []string, chunkRows int, env encode.Env) *encoder {
	if chunkRows == 0 {
		chunkRows = max(1, pandasCells/max(1, len(names)))
	}
	return &encoder{
		style:     s,
		names:     names,
		chunkRows: chunkRows,
		env:       env,
		pipeline:  encode.NewPipeline(ctx, w, 0, env.Workers, 0),
	}
}

func (e *encoder) header(fields []string) error {
	return e.pipeline.Go(func(buf []byte) ([]byte, error) {
		return e.style.appendHeader(buf, fields), nil
	}, nil)
}

func (e *encoder) text(s string) error {
	return e.pipeline.Go(func(b []byte) ([]byte, error) { return append(b, s...), nil }, nil)
}

// Write formats a batch. In the pandas dialect it is a whole frame; see
// [Options.ChunkRows].
func (e *encoder) Write(batch arrow.RecordBatch) error {
	if e.closed {
		return errClosed
	}
	columns, err := columnsOf(e.names, batch, e.rows)
	if err != nil {
		return err
	}
	for _, i := range e.verbatim {
		if i < 0 || i >= len(columns) || !isText(columns[i].array) {
			return optionError("verbatim", i, "it is the number of a string column")
		}
		columns[i].verbatim = true
	}
	rows := int(batch.NumRows())
	if rows == 0 {
		return nil
	}
	base := e.rows
	e.rows += int64(rows)

	h := e.batches.Hold(batch)
	defer e.batches.Done(h)

	step := taskRows(columns)
	for _, c := range e.chunks(columns, rows) {
		for lo := c.lo; lo < c.hi; lo += step {
			hi := min(lo+step, c.hi)
			h.AddTask()
			err := e.pipeline.Go(func(buf []byte) ([]byte, error) {
				defer e.batches.Done(h)
				return c.format(e.style, buf, lo, hi, base)
			}, func(int64, int) {
				e.env.Progress.AddRows(int64(hi - lo))
			})
			if err != nil {
				e.batches.Done(h)
				return err
			}
		}
	}
	return nil
}

// taskRows returns how many rows of a batch one task formats.
func taskRows(columns []*column) int {
	n := max(1, len(columns))
	rows := max(taskCells/n, min(wideTaskRows, wideTaskCells/n))
	text := 0
	for _, c := range columns {
		text += textLength(c.array)
	}
	return max(1, min(rows, taskBytes/max(1, text)))
}

// chunks cuts a batch where pandas does, if that shows.
func (e *encoder) chunks(columns []*column, rows int) []*chunk {
	step := rows
	if e.style.pandas && hasTimestamps(columns) {
		step = e.chunkRows
	}
	var out []*chunk
	for lo := 0; lo < rows; lo += step {
		out = append(out, &chunk{columns: columns, lo: lo, hi: min(lo+step, rows)})
	}
	return out
}

// Close writes what is pending.
func (e *encoder) Close() error {
	e.closed = true
	err := e.pipeline.Close()
	e.batches.Release()
	if e.below == nil {
		return err
	}
	if err != nil {
		e.below.Discard()
		return err
	}
	return e.below.Close()
}

// Discard stops.
func (e *encoder) Discard() {
	e.closed = true
	e.pipeline.Discard()
	e.batches.Release()
	if e.below != nil {
		e.below.Discard()
	}
}
