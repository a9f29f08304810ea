package mysqltext

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode/internal/fields"
)

type (
	field = fields.Field
	maker = fields.Maker
)

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
func (o *Options) nullable(a arrow.Array, f field) field { return fields.Nullable(a, f, o.null) }

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
