package mysqltext

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode"
)

// field appends the field of a row.
type field func(b []byte, row int) ([]byte, error)

// maker makes the field of a column of a batch.
type maker func(array arrow.Array) field

// column is a column of a schema, for a column of the table.
type column struct {
	index int
	make  maker
}

// kind is what the types of the server have in common.
type kind int

const (
	otherKind kind = iota
	integerKind
	decimalKind
	floatKind
	textKind
	binaryKind
	dateKind
	datetimeKind
	timeKind
)

func kindOf(t string) kind {
	switch t {
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		return integerKind
	case "decimal":
		return decimalKind
	case "float", "double":
		return floatKind
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "json":
		return textKind
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
		return binaryKind
	case "date":
		return dateKind
	case "datetime", "timestamp":
		return datetimeKind
	case "time":
		return timeKind
	}
	return otherKind
}

var (
	errNaN      = errors.New("not a number, which the server does not have")
	errInfinite = errors.New("infinite, which the server does not have")
)

// plan finds for each column of the table that of the schema, and how it is encoded.
func (o *Options) plan(schema *arrow.Schema) ([]column, error) {
	if n := schema.NumFields(); n != len(o.Columns) {
		return nil, &encode.ValueError{Format: format, Row: -1, Reason: fmt.Sprintf("the batch has %d columns, not %d", n, len(o.Columns))}
	}
	out := make([]column, len(o.Columns))
	for i := range o.Columns {
		c := &o.Columns[i]
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
				Reason: fmt.Sprintf("it is not converted to %s", c.Type),
			}
		}
		out[i] = column{index: at, make: m}
	}
	return out, nil
}

// maker is how values of a type are encoded for a column, nil if they are not.
func (o *Options) maker(t arrow.DataType, c *Column) maker {
	switch t := t.(type) {
	case *arrow.DictionaryType:
		below := o.maker(t.ValueType, c)
		if below == nil {
			return nil
		}
		return func(a arrow.Array) field {
			d := a.(*array.Dictionary)
			value := below(d.Dictionary())
			return o.nullable(a, func(b []byte, i int) ([]byte, error) { return value(b, d.GetValueIndex(i)) })
		}
	case arrow.ExtensionType:
		return nil
	case *arrow.NullType:
		return func(arrow.Array) field { return o.null }
	}
	m := o.values(t, kindOf(c.Type))
	if m == nil {
		return nil
	}
	return func(a arrow.Array) field { return o.nullable(a, m(a)) }
}

func (o *Options) null(b []byte, _ int) ([]byte, error) {
	if o.Style == Insert {
		return append(b, "NULL"...), nil
	}
	return append(b, `\N`...), nil
}

// nullable is f with nulls where the array has some.
func (o *Options) nullable(a arrow.Array, f field) field {
	if a.NullN() == 0 {
		return f
	}
	return func(b []byte, row int) ([]byte, error) {
		if a.IsNull(row) {
			return o.null(b, row)
		}
		return f(b, row)
	}
}

// quoted puts text that needs no escapes into quotes where literals have them.
func (o *Options) quoted(f field) field {
	if o.Style == Load {
		return f
	}
	return func(b []byte, row int) ([]byte, error) {
		b, err := f(append(b, '\''), row)
		return append(b, '\''), err
	}
}
