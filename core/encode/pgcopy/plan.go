package pgcopy

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode/internal/fields"
)

type (
	field = fields.Field
	maker = fields.Maker
)

var (
	errRange   = errors.New("out of range")
	errTooLong = errors.New("longer than 1 GB, which no field can be")
	errUUID    = errors.New("not a UUID")
	errNaN     = errors.New("not a number, which the type cannot hold")
)

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
func nullable(a arrow.Array, f field) field { return fields.Nullable(a, f, null) }
