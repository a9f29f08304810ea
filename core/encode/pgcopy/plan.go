package pgcopy

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
)

// format is the name of the format in messages.
const format = "postgresql"

// field appends a row's size and bytes.
type field func(b []byte, row int) ([]byte, error)

// maker makes the field of a column of a batch.
type maker func(array arrow.Array) field

// column is a column of a schema, for a column of the table.
type column struct {
	index int
	make  maker
}

var (
	errRange   = errors.New("out of range")
	errTooLong = errors.New("longer than 1 GB, which no field can be")
	errUUID    = errors.New("not a UUID")
	errNaN     = errors.New("not a number, which the type cannot hold")
)

func reason(err error, c *Column) string {
	return fmt.Sprintf("the value cannot be written as %s: %v; the table is as before", c.SQL, err)
}

// plan finds for each column of the table that of the schema, and how it is encoded.
func (o *Options) plan(schema *arrow.Schema) ([]column, error) {
	if n := schema.NumFields(); n != len(o.Columns) {
		return nil, &encode.ValueError{Format: format, Row: -1, Reason: fmt.Sprintf("the batch has %d columns, not %d", n, len(o.Columns))}
	}
	out := make([]column, len(o.Columns))
	for i := range o.Columns {
		c := &o.Columns[i]
		// By position if the name is there, as a name may stand there twice.
		at := i
		if schema.Field(i).Name != c.Name {
			found := schema.FieldIndices(c.Name)
			if len(found) != 1 {
				return nil, &encode.ValueError{Format: format, Column: c.Name, Row: -1, Reason: "the batch has no such column"}
			}
			at = found[0]
		}
		m := o.maker(schema.Field(at).Type, c)
		if m == nil {
			return nil, &encode.UnsupportedError{
				Format: format, Column: c.Name, Type: schema.Field(at).Type.String(),
				Reason: fmt.Sprintf("it is not converted to %s", c.SQL),
			}
		}
		out[i] = column{index: at, make: m}
	}
	return out, nil
}

// maker is how values of a type are encoded for a column, nil if they are not.
func (o *Options) maker(t arrow.DataType, c *Column) maker {
	if c.Element != 0 {
		return o.arrays(t, c)
	}
	switch t := t.(type) {
	case *arrow.DictionaryType:
		return o.dictionaries(t, c)
	case arrow.ExtensionType:
		below := o.maker(t.StorageType(), c)
		if below == nil {
			return nil
		}
		return func(a arrow.Array) field { return below(storage(a)) }
	case *arrow.NullType:
		return func(arrow.Array) field { return null }
	}
	m := o.values(t, c.Type)
	if m == nil {
		return nil
	}
	return func(a arrow.Array) field { return nullable(a, m(a)) }
}

// values are the makers for values that are not null.
func (o *Options) values(t arrow.DataType, to Type) maker {
	switch to {
	case Bool:
		return boolField(t)
	case Int2, Int4, Int8:
		return intField(t, to, o.NaNIsNull)
	case Float4, Float8:
		return floatField(t, to, o.NaNIsNull)
	case Numeric:
		return numericField(t, o.NaNIsNull)
	case Text, Varchar, BPChar, JSON, JSONB:
		return textField(t, to)
	case Bytea:
		return byteaField(t)
	case UUID:
		return uuidField(t)
	case Date, Time, Timestamp, TimestampTZ, Interval:
		return momentField(t, to)
	}
	return nil
}

func null(b []byte, _ int) ([]byte, error) { return append(b, 0xff, 0xff, 0xff, 0xff), nil }

// nullable is f with nulls where the array has some.
func nullable(a arrow.Array, f field) field {
	if a.NullN() == 0 {
		return f
	}
	return func(b []byte, row int) ([]byte, error) {
		if a.IsNull(row) {
			return append(b, 0xff, 0xff, 0xff, 0xff), nil
		}
		return f(b, row)
	}
}
