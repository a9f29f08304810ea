// Package fields encodes record batches for a table that is there: rows of fields,
// one for each of its columns, by tasks that run in parallel and whose results are
// written in order. What a field looks like is the matter of a server's format.
package fields

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
)

// Field appends the field of a row.
type Field func(b []byte, row int) ([]byte, error)

// Maker makes the Field of a column of a batch.
type Maker func(array arrow.Array) Field

// Nullable is f, and null where the array has nulls.
func Nullable(a arrow.Array, f, null Field) Field {
	if a.NullN() == 0 {
		return f
	}
	return func(b []byte, row int) ([]byte, error) {
		if a.IsNull(row) {
			return null(b, row)
		}
		return f(b, row)
	}
}

// Column is a column of the table.
type Column struct {
	Name string
	SQL  string // its type, for messages
}

// Table says what rows are encoded for, and how.
type Table struct {
	// Format is its name in messages.
	Format string
	// Columns are those that are written, in this order.
	Columns []Column
	// Maker is how values of a type are encoded for one of the columns, nil if they
	// are not.
	Maker func(t arrow.DataType, column int) Maker
	// Rows appends rows lo to hi. If a field cannot be made its error is a [*Failure].
	Rows func(b []byte, fields []Field, lo, hi int) ([]byte, error)
	// Head and Tail stand before and behind all rows.
	Head, Tail string
}

// Failure says which field could not be made.
type Failure struct {
	Column, Row int // of Table.Columns, and of the batch
	Err         error
}

func (f *Failure) Error() string { return f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

// Check returns an [*encode.UnsupportedError] for a column that is not encoded, and
// an [*encode.ValueError] if one has no column to go into, or the other way round.
func (t *Table) Check(schema *arrow.Schema) error {
	_, err := t.plan(schema)
	return err
}

// source is where the fields of a column come from.
type source struct {
	index int // of the batch's column
	make  Maker
}

// plan finds for each column of the table that of the schema, and how it is encoded.
func (t *Table) plan(schema *arrow.Schema) ([]source, error) {
	if n := schema.NumFields(); n != len(t.Columns) {
		return nil, &encode.ValueError{Format: t.Format, Row: -1, Reason: fmt.Sprintf("the batch has %d columns, not %d", n, len(t.Columns))}
	}
	out := make([]source, len(t.Columns))
	for i, c := range t.Columns {
		// By position if the name is there, as a name may stand there twice.
		at := i
		if schema.Field(i).Name != c.Name {
			found := schema.FieldIndices(c.Name)
			if len(found) != 1 {
				return nil, &encode.ValueError{Format: t.Format, Column: c.Name, Row: -1, Reason: "the batch has no such column"}
			}
			at = found[0]
		}
		m := t.Maker(schema.Field(at).Type, i)
		if m == nil {
			return nil, &encode.UnsupportedError{
				Format: t.Format, Column: c.Name, Type: schema.Field(at).Type.String(),
				Reason: fmt.Sprintf("it is not converted to %s", c.SQL),
			}
		}
		out[i] = source{index: at, make: m}
	}
	return out, nil
}
