package pgcopy

import (
	"context"
	"encoding/binary"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/fields"
)

const (
	// header is the signature, no flags, and no extension of the header.
	header  = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"
	trailer = "\xff\xff"
)

// maxField is the size at which the server refuses a message.
const maxField = 1<<30 - 1

// Options say what is to be encoded.
type Options struct {
	// Columns are those that are copied into, in this order.
	Columns []Column
	// NaNIsNull makes a null of a float that is no number, as pandas means it.
	NaNIsNull bool
}

// Check returns an [*encode.UnsupportedError] for a column that is not encoded,
// and an [*encode.ValueError] if one has no column to go into, or the other way
// round.
func (o *Options) Check(schema *arrow.Schema) error { return o.table().Check(schema) }

func (o *Options) table() *fields.Table {
	t := &fields.Table{Format: "postgresql", Rows: appendRows, Head: header, Tail: trailer,
		Maker: func(t arrow.DataType, column int) maker { return o.maker(t, &o.Columns[column]) }}
	for _, c := range o.Columns {
		t.Columns = append(t.Columns, fields.Column{Name: c.Name, SQL: c.SQL})
	}
	return t
}

// Encoder encodes batches. It is an [encode.Encoder].
type Encoder struct{ *fields.Encoder }

// NewEncoder begins to encode onto w. The encoder has to be closed or discarded
// after an error, too.
func NewEncoder(ctx context.Context, w io.Writer, o *Options, env encode.Env) (*Encoder, error) {
	e, err := fields.NewEncoder(ctx, w, o.table(), env)
	return &Encoder{e}, err
}

// appendRows appends for each row the number of its fields, and for each field its
// size and its bytes.
func appendRows(b []byte, of []field, lo, hi int) ([]byte, error) {
	for row := lo; row < hi; row++ {
		b = binary.BigEndian.AppendUint16(b, uint16(len(of)))
		for i, f := range of {
			start := len(b)
			var err error
			if b, err = f(b, row); err == nil && len(b)-start > maxField {
				err = errTooLong
			}
			if err != nil {
				return nil, &fields.Failure{Column: i, Row: row, Err: err}
			}
		}
	}
	return b, nil
}
