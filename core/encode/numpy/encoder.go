package numpy

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
)

var errClosed = errors.New("numpy: the encoder is closed")

// output is a layout on its way to a file.
type output interface {
	// begin begins the next array.
	begin(a *Array) error
	// data adds bytes of the array at hand, which are the batch's.
	data(p []byte, batch arrow.RecordBatch) error
	// end ends the array at hand.
	end() error
	// close writes what stands behind the last array.
	close() error
	// discard stops and gives back what is held.
	discard()
}

type encoder struct {
	o      *Options
	env    encode.Env
	out    output
	next   int   // array that is to begin when the one at hand is complete
	left   int64 // bytes missing of the array at hand
	open   bool  // there is one at hand
	closed bool
}

func newEncoder(ctx context.Context, w io.Writer, o *Options, env encode.Env) *encoder {
	e := &encoder{o: o, env: env}
	switch o.Layout {
	case Npz:
		e.out = &stored{ctx: ctx, w: w, workers: env.Workers}
	case NpzCompressed:
		e.out = newDeflated(ctx, w, env)
	default:
		e.out = &bare{w: w, headed: o.Layout == Npy}
	}
	return e
}

// Rows is the length of the only array's first dimension.
func (e *encoder) Rows() int64 {
	if e.o.isArchive() || len(e.o.Arrays) != 1 || len(e.o.Arrays[0].Shape) == 0 {
		return -1
	}
	return e.o.Arrays[0].Shape[0]
}

// Write adds bytes.
func (e *encoder) Write(batch arrow.RecordBatch) error {
	if e.closed {
		return errClosed
	}
	p, err := e.bytesOf(batch)
	for err == nil && len(p) > 0 {
		if err = e.advance(); err != nil {
			break
		}
		if !e.open {
			return fmt.Errorf("%s: there are more bytes than the %d that the arrays have", e.o.Layout, e.o.size())
		}
		part := p[:min(int64(len(p)), e.left)]
		p = p[len(part):]
		e.left -= int64(len(part))
		if err = e.out.data(part, batch); err == nil && e.left == 0 {
			e.open, err = false, e.out.end()
		}
	}
	if err == nil {
		e.env.Progress.AddRows(batch.NumRows())
	}
	return err
}

// advance begins the next array that has any bytes, if none is at hand. Those before
// it, without any, are written.
func (e *encoder) advance() error {
	for !e.open && e.next < len(e.o.Arrays) {
		a := &e.o.Arrays[e.next]
		e.next++
		if err := e.out.begin(a); err != nil {
			return err
		}
		if e.left = a.Bytes; e.left > 0 {
			e.open = true
		} else if err := e.out.end(); err != nil {
			return err
		}
	}
	return nil
}

// bytesOf is the memory of a batch's only column.
func (e *encoder) bytesOf(batch arrow.RecordBatch) ([]byte, error) {
	if err := e.o.checkSchema(batch.Schema()); err != nil {
		return nil, err
	}
	column := batch.Column(0)
	if column.NullN() > 0 {
		return nil, &encode.ValueError{Format: e.o.Layout, Column: batch.ColumnName(0), Row: -1,
			Reason: "it has nulls, which an array does not: fill them first"}
	}
	data := column.Data()
	if data.Len() == 0 {
		return nil, nil
	}
	width := data.DataType().(arrow.FixedWidthDataType).BitWidth() / 8
	return data.Buffers()[1].Bytes()[data.Offset()*width : (data.Offset()+data.Len())*width], nil
}

// Close writes what is pending.
func (e *encoder) Close() error {
	if e.closed {
		return errClosed
	}
	e.closed = true
	err := e.advance()
	if err == nil && e.open {
		err = fmt.Errorf("%s: array %d lacks %d of its %d bytes", e.o.Layout, e.next-1, e.left, e.o.Arrays[e.next-1].Bytes)
	}
	if err != nil {
		e.out.discard()
		return err
	}
	return e.out.close()
}

// Discard stops.
func (e *encoder) Discard() {
	e.closed = true
	e.out.discard()
}

// bare is one array without an archive around it.
type bare struct {
	w      io.Writer
	headed bool
}

func (b *bare) begin(a *Array) error {
	if !b.headed {
		return nil
	}
	_, err := b.w.Write(a.header())
	return err
}

func (b *bare) data(p []byte, _ arrow.RecordBatch) error {
	_, err := b.w.Write(p)
	return err
}

func (b *bare) end() error   { return nil }
func (b *bare) close() error { return nil }
func (b *bare) discard()     {}
