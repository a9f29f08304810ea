package mysqltext

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

// format is the name of the format in messages.
const format = "mysql"

var errClosed = errors.New("mysql: the encoder is closed")

// Style is what the text is for.
type Style int

// The styles.
const (
	Load   Style = iota // LOAD DATA
	Insert              // INSERT: rows in parentheses, each with a comma before it
)

// Column is a column of the table.
type Column struct {
	Name string
	Type string // DATA_TYPE of information_schema.columns, such as "bigint"
}

// IsBinary reports whether the fields of a column are hexadecimal digits.
func (c *Column) IsBinary() bool { return kindOf(c.Type) == binaryKind }

// Options say what is to be encoded.
type Options struct {
	Style Style
	// Columns are those that are written, in this order.
	Columns []Column
	// NaNIsNull makes a null of a float that is no number, as pandas means it.
	NaNIsNull bool
}

// Check returns an [*encode.UnsupportedError] for a column that is not encoded,
// and an [*encode.ValueError] if one has no column to go into, or the other way
// round.
func (o *Options) Check(schema *arrow.Schema) error {
	_, err := o.plan(schema)
	return err
}

// Encoder encodes batches. It is an [encode.Encoder]. Each piece that it writes
// holds whole rows.
type Encoder struct {
	o        *Options
	env      encode.Env
	pipeline *encode.Pipeline
	batches  held.Batches
	schema   *arrow.Schema
	makers   []column // for schema
	rows     int64
	closed   bool
}

// NewEncoder begins to encode onto w.
func NewEncoder(ctx context.Context, w io.Writer, o *Options, env encode.Env) *Encoder {
	return &Encoder{o: o, env: env, pipeline: encode.NewPipeline(ctx, w, 0, env.Workers, 0)}
}

// Rows is how many rows there have been so far.
func (e *Encoder) Rows() int64 { return e.rows }

// Write encodes a batch, whose columns are found by their names, and may have
// other types than those of the batch before.
func (e *Encoder) Write(batch arrow.RecordBatch) error {
	if e.closed {
		return errClosed
	}
	if e.schema == nil || e.schema != batch.Schema() {
		makers, err := e.o.plan(batch.Schema())
		if err != nil {
			return err
		}
		e.schema, e.makers = batch.Schema(), makers
	}
	fields := make([]field, len(e.makers))
	text := 0
	for i, c := range e.makers {
		array := batch.Column(c.index)
		fields[i] = c.make(array)
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
			return e.format(b, fields, lo, hi, base)
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

// format appends rows lo to hi.
func (e *Encoder) format(b []byte, fields []field, lo, hi int, base int64) ([]byte, error) {
	insert := e.o.Style == Insert
	separator := byte('\t')
	if insert {
		separator = ','
	}
	for row := lo; row < hi; row++ {
		if insert {
			b = append(b, ',', '(')
		}
		for i, f := range fields {
			if i > 0 {
				b = append(b, separator)
			}
			var err error
			if b, err = f(b, row); err != nil {
				c := &e.o.Columns[i]
				return nil, &encode.ValueError{Format: format, Column: c.Name, Row: base + int64(row), Reason: fmt.Sprintf(
					"the value cannot be written as %s: %v; the table is as before", c.Type, err)}
			}
		}
		if insert {
			b = append(b, ')')
		} else {
			b = append(b, '\n')
		}
	}
	return b, nil
}

// Close writes what is pending.
func (e *Encoder) Close() error {
	e.closed = true
	err := e.pipeline.Close()
	e.batches.Release()
	return err
}

// Discard stops.
func (e *Encoder) Discard() {
	e.closed = true
	e.pipeline.Discard()
	e.batches.Release()
}
