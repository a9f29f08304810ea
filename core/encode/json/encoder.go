package json

import (
	"context"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/compressed"
	"github.com/seojaeohcode/atio/core/encode/internal/held"
)

// A task formats about so many values, and about so many bytes of strings: enough to
// make its cost negligible, few enough for its text to stay in a core's own cache and
// for the tasks under way to take little memory.
const (
	taskCells = 1 << 13
	taskBytes = 1 << 17
)

var errClosed = errors.New("json: the encoder is closed")

type encoder struct {
	o        *Options
	style    *style
	first    *arrow.Schema
	env      encode.Env
	pipeline *encode.Pipeline
	below    compressed.Writer // nil if nothing is compressed
	batches  held.Batches
	pending  []*part // what Split and Columns write at the end
	rows     int64
	closed   bool
}

// part is a batch with its columns.
type part struct {
	columns []*column
	layout  *layout
	batch   arrow.RecordBatch
	held    *held.Batch
	base    int64 // the number of its first row
}

func (p *part) rows() int { return int(p.batch.NumRows()) }

func newEncoder(ctx context.Context, w io.Writer, o *Options, s *style, schema *arrow.Schema, env encode.Env) (*encoder, error) {
	var below compressed.Writer
	if o.Compression != "" {
		var err error
		if below, err = compressed.NewWriter(ctx, w, o.Compression, o.CompressionLevel, env.Workers); err != nil {
			return nil, err
		}
		w = below
	}
	e := &encoder{o: o, style: s, first: schema, env: env, below: below, pipeline: encode.NewPipeline(ctx, w, 0, env.Workers, 0)}
	if err := e.begin(); err != nil {
		e.Discard()
		return nil, err
	}
	return e, nil
}

// begin writes what stands before the rows, unless they come at the end.
func (e *encoder) begin() error {
	if e.o.Lines {
		return nil
	}
	l := e.o.layout(e.style, e.first)
	before := e.o.Before
	switch e.o.orient() {
	case Split:
		if before == "" {
			before = e.columnLabels(l)
		}
		return e.text(before)
	case Index, Columns:
		return e.text(before + l.open("{"))
	}
	return e.text(before + l.open("["))
}

// columnLabels is the beginning of orient Split, up to its index or data.
func (e *encoder) columnLabels(l *layout) string {
	b := []byte(l.open("{") + l.blanks(1) + `"columns":` + l.open("["))
	for i, label := range e.o.labelsOf(e.first) {
		if i > 0 {
			b = append(b, l.comma()...)
		}
		b = e.style.escaping.appendString(append(b, l.blanks(2)...), label)
	}
	b = append(b, l.close(1, "]")+l.comma()+l.blanks(1)...)
	if e.o.RowLabels {
		return string(b) + `"index":`
	}
	return string(b) + `"data":`
}

func (e *encoder) text(s string) error {
	return e.pipeline.Go(func(b []byte) ([]byte, error) { return append(b, s...), nil }, nil)
}

// Write formats a batch, whose columns may be others than those of the one before.
func (e *encoder) Write(batch arrow.RecordBatch) error {
	if e.closed {
		return errClosed
	}
	columns, err := e.o.columnsOf(batch)
	if err != nil {
		return err
	}
	p := &part{columns: columns, layout: e.o.layout(e.style, batch.Schema()), batch: batch, held: e.batches.Hold(batch), base: e.rows}
	e.rows += batch.NumRows()
	switch e.o.orient() {
	case Split, Columns:
		e.pending = append(e.pending, p)
		return nil
	}
	defer e.batches.Done(p.held)
	return e.writeRows(p, columns, e.o.RowLabels)
}

// writeRows writes the rows of a part.
func (e *encoder) writeRows(p *part, columns []*column, labelled bool) error {
	return e.each(p, taskRows(columns), true, func(b []byte, lo, hi int) ([]byte, error) {
		if !e.style.pandas {
			if err := e.o.checkCalendar(columns, p.batch, lo, hi, p.base); err != nil {
				return nil, err
			}
		}
		r := e.style.rows(p.layout, columns, labelled)
		for row := lo; row < hi; row++ {
			if p.base+int64(row) == 0 {
				b = append(b, r.first...)
			} else {
				b = append(b, r.rest...)
			}
			b = r.append(b, row)
		}
		return b, nil
	})
}

// each submits tasks for step rows each of a part. counts says that these rows have
// been written then.
func (e *encoder) each(p *part, step int, counts bool, task func(b []byte, lo, hi int) ([]byte, error)) error {
	for lo := 0; lo < p.rows(); lo += step {
		hi := min(lo+step, p.rows())
		p.held.AddTask()
		err := e.pipeline.Go(func(b []byte) ([]byte, error) {
			defer e.batches.Done(p.held)
			return task(b, lo, hi)
		}, func(int64, int) {
			if counts {
				e.env.Progress.AddRows(int64(hi - lo))
			}
		})
		if err != nil {
			e.batches.Done(p.held)
			return err
		}
	}
	return nil
}

// taskRows returns how many rows one task formats.
func taskRows(columns []*column) int {
	rows := taskCells / max(1, len(columns))
	text := 0
	for _, c := range columns {
		text += textLength(c.array)
	}
	return max(1, min(rows, taskBytes/max(1, text)))
}

// writeColumns writes orient Columns: an object for each column.
func (e *encoder) writeColumns() error {
	l := e.o.layout(e.style, e.first)
	for i, label := range e.o.labelsOf(e.first) {
		before := l.blanks(l.level + 1)
		if i > 0 {
			before = l.comma() + before
		}
		name := e.style.escaping.appendString(nil, label)
		if err := e.text(before + string(name) + ":" + l.open("{")); err != nil {
			return err
		}
		for _, p := range e.pending {
			c := p.columns[i+1]
			step := taskRows([]*column{p.columns[0], c})
			last := i == len(p.columns)-2
			if err := e.each(p, step, last, e.labelled(l, p, c)); err != nil {
				return err
			}
		}
		if err := e.text(l.close(l.level+1, "}")); err != nil {
			return err
		}
	}
	return nil
}

// labelled is a task that formats values of a column behind their rows' labels.
func (e *encoder) labelled(l *layout, p *part, c *column) func(b []byte, lo, hi int) ([]byte, error) {
	before := l.blanks(l.level + 2)
	return func(b []byte, lo, hi int) ([]byte, error) {
		label, write := e.style.labelOf(p.columns[0]), e.style.valueOf(c)
		for row := lo; row < hi; row++ {
			if p.base+int64(row) > 0 {
				b = append(b, l.comma()...)
			}
			b = append(label(append(b, before...), row), ':')
			b = write(b, row)
		}
		return b, nil
	}
}

// writeSplit writes the index and the data of orient Split.
func (e *encoder) writeSplit() error {
	l := e.o.layout(e.style, e.first)
	if e.o.RowLabels {
		if err := e.text(l.open("[")); err != nil {
			return err
		}
		for _, p := range e.pending {
			err := e.each(p, taskRows(p.columns[:1]), false, func(b []byte, lo, hi int) ([]byte, error) {
				write := e.style.valueOf(p.columns[0])
				for row := lo; row < hi; row++ {
					if p.base+int64(row) > 0 {
						b = append(b, l.comma()...)
					}
					b = write(append(b, l.blanks(2)...), row)
				}
				return b, nil
			})
			if err != nil {
				return err
			}
		}
		if err := e.text(l.close(1, "]") + l.comma() + l.blanks(1) + `"data":`); err != nil {
			return err
		}
	}
	if err := e.text(l.open("[")); err != nil {
		return err
	}
	for _, p := range e.pending {
		columns := p.columns
		if e.o.RowLabels {
			columns = columns[1:]
		}
		if err := e.writeRows(p, columns, false); err != nil {
			return err
		}
	}
	return nil
}

// end writes what is left, and what stands after the rows.
func (e *encoder) end() error {
	if e.o.Lines {
		if e.style.pandas && e.rows == 0 {
			return e.text("\n") // the end of no line
		}
		return nil
	}
	l := e.o.layout(e.style, e.first)
	bracket := "]"
	var err error
	switch e.o.orient() {
	case Columns:
		bracket, err = "}", e.writeColumns()
	case Index:
		bracket = "}"
	case Split:
		err = e.writeSplit()
	}
	if err != nil {
		return err
	}
	for _, p := range e.pending {
		e.batches.Done(p.held)
	}
	e.pending = nil
	after := l.close(l.level, bracket)
	if l.level > 0 {
		after += l.close(0, "}")
	}
	return e.text(after)
}

// Close writes what is pending.
func (e *encoder) Close() error {
	if !e.closed {
		if err := e.end(); err != nil {
			e.Discard()
			return err
		}
	}
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
