package csv

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/held"
	"github.com/seojaeohcode/atio/core/encode/internal/number"
)

// Matrix says how the NumPy dialect writes the rows of a table of numbers, which
// are the lists of a column of fixed-size lists: as numpy.savetxt, a format for
// each number, and texts around them.
type Matrix struct {
	// Formats are those of C's printf for each number of a row: %d, %e, %f, %g or
	// %s (the fewest digits) with flags "+", "-" and " ", a width, and but for %d
	// and %s a precision. A float is cut off to its whole part by %d.
	Formats []string `json:"formats"`
	// Around are the texts before the first number of a row, between two, and after
	// the last one: one more than Formats, the last with the line end.
	Around []string `json:"around"`
	// Before and After are the first and the last text of the file.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// numeric are the types of numbers in a matrix.
type numeric interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64
}

// numberFormat is one of C's printf.
type numberFormat struct {
	printf
	sign  byte // "+", " " or 0, before numbers that have none
	left  bool
	width int
}

var numberPattern = regexp.MustCompile(`^%([-+ ]*)([0-9]{0,3})(?:\.([0-9]{1,3}))?([defgs])$`)

func (m *Matrix) formats() ([]*numberFormat, error) {
	if len(m.Formats) == 0 || len(m.Around) != len(m.Formats)+1 {
		return nil, optionError("around", len(m.Around), "it is one text more than there are formats, of which there is at least one")
	}
	out := make([]*numberFormat, len(m.Formats))
	for i, text := range m.Formats {
		if i > 0 && text == m.Formats[i-1] {
			out[i] = out[i-1]
			continue
		}
		parts := numberPattern.FindStringSubmatch(text)
		if parts == nil || len(parts[2]) > 0 && parts[2][0] == '0' || len(parts[3]) > 0 && (parts[4] == "d" || parts[4] == "s") {
			return nil, optionError("formats", strconv.Quote(text), "a format is %d, %e, %f, %g or %s with flags, a width and a precision")
		}
		f := &numberFormat{printf: printf{verb: parts[4][0], precision: 6}}
		for _, flag := range []byte(parts[1]) {
			switch {
			case flag == '-':
				f.left = true
			case f.sign != '+':
				f.sign = flag
			}
		}
		if f.verb == 's' {
			f.sign = 0 // which %s does not heed
		}
		f.width, _ = strconv.Atoi(parts[2]) // digits, by the pattern
		if parts[3] != "" {
			f.precision, _ = strconv.Atoi(parts[3])
		}
		out[i] = f
	}
	return out, nil
}

// matrixEncoder writes rows of numbers.
type matrixEncoder struct {
	formats  []*numberFormat
	around   []string
	after    string
	env      encode.Env
	pipeline *encode.Pipeline
	closed   bool
	batches  held.Batches
}

func (m *Matrix) newEncoder(ctx context.Context, w io.Writer, schema *arrow.Schema, env encode.Env) (encode.Encoder, error) {
	formats, err := m.formats()
	if err != nil {
		return nil, err
	}
	if _, err := m.numbers(schema); err != nil {
		return nil, err
	}
	e := &matrixEncoder{formats: formats, around: m.Around, after: m.After, env: env, pipeline: encode.NewPipeline(ctx, w, 0, env.Workers, 0)}
	if m.Before != "" {
		if err := e.text(m.Before); err != nil {
			e.Discard()
			return nil, err
		}
	}
	return e, nil
}

// numbers returns the type of the numbers.
func (m *Matrix) numbers(schema *arrow.Schema) (arrow.DataType, error) {
	if schema.NumFields() == 1 {
		if list, ok := schema.Field(0).Type.(*arrow.FixedSizeListType); ok && int(list.Len()) == len(m.Formats) {
			switch list.Elem().ID() {
			case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64, arrow.FLOAT32, arrow.FLOAT64:
				return list.Elem(), nil
			}
		}
	}
	return nil, &encode.UnsupportedError{
		Format: format, Column: "", Type: schema.String(),
		Reason: fmt.Sprintf("a matrix is one column of lists of %d numbers", len(m.Formats)),
	}
}

func (e *matrixEncoder) text(s string) error {
	return e.pipeline.Go(func(b []byte) ([]byte, error) { return append(b, s...), nil }, nil)
}

func (e *matrixEncoder) Write(batch arrow.RecordBatch) error {
	if e.closed {
		return errClosed
	}
	list, ok := batch.Column(0).(*array.FixedSizeList)
	if !ok || list.NullN() > 0 || list.ListValues().NullN() > 0 {
		return &encode.ValueError{Format: format, Column: batch.ColumnName(0), Row: -1, Reason: "a matrix has no nulls"}
	}
	if n := int(list.DataType().(*arrow.FixedSizeListType).Len()); n != len(e.formats) {
		return &encode.ValueError{Format: format, Column: batch.ColumnName(0), Row: -1, Reason: fmt.Sprintf("a row of this batch has %d numbers, one of the first %d; give all batches the same columns", n, len(e.formats))}
	}
	from := list.Offset() * len(e.formats)
	switch v := list.ListValues().(type) {
	case *array.Int8:
		return writeRows(e, batch, v.Int8Values()[from:])
	case *array.Int16:
		return writeRows(e, batch, v.Int16Values()[from:])
	case *array.Int32:
		return writeRows(e, batch, v.Int32Values()[from:])
	case *array.Int64:
		return writeRows(e, batch, v.Int64Values()[from:])
	case *array.Uint8:
		return writeRows(e, batch, v.Uint8Values()[from:])
	case *array.Uint16:
		return writeRows(e, batch, v.Uint16Values()[from:])
	case *array.Uint32:
		return writeRows(e, batch, v.Uint32Values()[from:])
	case *array.Uint64:
		return writeRows(e, batch, v.Uint64Values()[from:])
	case *array.Float32:
		return writeRows(e, batch, v.Float32Values()[from:])
	case *array.Float64:
		return writeRows(e, batch, v.Float64Values()[from:])
	}
	return &encode.UnsupportedError{Format: format, Column: batch.ColumnName(0), Type: list.DataType().String(), Reason: "a matrix holds integers or floats"}
}

// writeRows has all rows of a batch formatted.
func writeRows[T numeric](e *matrixEncoder, batch arrow.RecordBatch, v []T) error {
	columns, rows := len(e.formats), int(batch.NumRows())
	h := e.batches.Hold(batch)
	defer e.batches.Done(h)
	step := max(1, taskCells/columns)
	for lo := 0; lo < rows; lo += step {
		hi := min(lo+step, rows)
		part := v[lo*columns : hi*columns]
		h.AddTask()
		err := e.pipeline.Go(func(b []byte) ([]byte, error) {
			defer e.batches.Done(h)
			return appendRows(e, b, part), nil
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

func appendRows[T numeric](e *matrixEncoder, b []byte, v []T) []byte {
	for len(v) > 0 {
		for i, f := range e.formats {
			if text := e.around[i]; len(text) == 1 {
				b = append(b, text[0])
			} else {
				b = append(b, text...)
			}
			b = appendNumber(f, b, v[i])
		}
		b = append(b, e.around[len(e.formats)]...)
		v = v[len(e.formats):]
	}
	return b
}

func appendNumber[T numeric](f *numberFormat, b []byte, x T) []byte {
	at := len(b)
	half := 0.5 // for T not to be known as an integer type
	whole := T(half) == 0
	switch {
	case f.verb == 'd' || f.verb == 's' && whole:
		if x < 0 {
			b = number.AppendInt(b, int64(x))
		} else {
			b = number.AppendUint(b, uint64(x))
		}
	case f.verb == 's':
		b = number.AppendFloat64(b, float64(x), &number.Python)
	default:
		b = f.append(b, float64(x), &number.Python)
	}
	if f.sign != 0 && b[at] != '-' {
		b = append(b, 0)
		copy(b[at+1:], b[at:])
		b[at] = f.sign
	}
	if missing := f.width - (len(b) - at); missing > 0 {
		for range missing {
			b = append(b, ' ')
		}
		if !f.left {
			copy(b[at+missing:], b[at:])
			for i := range missing {
				b[at+i] = ' '
			}
		}
	}
	return b
}

func (e *matrixEncoder) Close() error {
	e.closed = true
	if e.after != "" {
		if err := e.text(e.after); err != nil {
			e.Discard()
			return err
		}
	}
	err := e.pipeline.Close()
	e.batches.Release()
	return err
}

func (e *matrixEncoder) Discard() {
	e.closed = true
	e.pipeline.Discard()
	e.batches.Release()
}

// check reads the first and the last text.
func (m *Matrix) check(r io.ReaderAt, size int64) error {
	last := m.After
	if last == "" && len(m.Around) > 0 {
		last = m.Around[len(m.Around)-1]
	}
	if size == 0 {
		return nil // no rows
	}
	for _, text := range []struct {
		want, where string
		at          int64
	}{{m.Before, "begin", 0}, {last, "end", size - int64(len(last))}} {
		got := make([]byte, len(text.want))
		if n, err := r.ReadAt(got, max(0, text.at)); n < len(got) && err != io.EOF {
			return err
		}
		if string(got) != text.want && (text.where == "begin" || size > int64(len(m.Before))) {
			return checkError("it does not %s with %q", text.where, text.want)
		}
	}
	return nil
}
