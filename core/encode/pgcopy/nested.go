package pgcopy

import (
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

func storage(a arrow.Array) arrow.Array { return a.(array.ExtensionArray).Storage() }

// dictionaries encode what the indices stand for.
func (o *Options) dictionaries(t *arrow.DictionaryType, c *Column) maker {
	below := o.maker(t.ValueType, c)
	if below == nil {
		return nil
	}
	return func(a arrow.Array) field {
		d := a.(*array.Dictionary)
		values := below(d.Dictionary())
		return nullable(a, func(b []byte, row int) ([]byte, error) { return values(b, d.GetValueIndex(row)) })
	}
}

// arrays encode lists as array_recv wants them: dimensions, whether there are
// nulls, the element's type, length and lower bound, elements.
func (o *Options) arrays(t arrow.DataType, c *Column) maker {
	var of arrow.DataType
	switch t := t.(type) {
	case *arrow.ListType:
		of = t.Elem()
	case *arrow.LargeListType:
		of = t.Elem()
	case *arrow.FixedSizeListType:
		of = t.Elem()
	case *arrow.NullType:
		return func(arrow.Array) field { return null }
	default:
		return nil
	}
	below := o.maker(of, &Column{Name: c.Name, Type: c.Type, SQL: c.SQL})
	if below == nil {
		return nil
	}
	return func(a arrow.Array) field {
		list := a.(array.ListLike)
		elements := below(list.ListValues())
		return nullable(a, func(b []byte, row int) ([]byte, error) {
			start := len(b)
			b = append(b, 0, 0, 0, 0)
			lo, hi := list.ValueOffsets(row)
			if lo == hi {
				b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
				b = binary.BigEndian.AppendUint32(b, c.Element)
				return sized(b, start), nil
			}
			b = append(b, 0, 0, 0, 1, 0, 0, 0, 1) // one dimension, and nulls, if only perhaps
			b = binary.BigEndian.AppendUint32(b, c.Element)
			b = binary.BigEndian.AppendUint32(b, uint32(hi-lo))
			b = append(b, 0, 0, 0, 1)
			for i := lo; i < hi; i++ {
				var err error
				if b, err = elements(b, int(i)); err != nil {
					return nil, err
				}
			}
			return sized(b, start), nil
		})
	}
}

// sized sets the size of a field that begins at start.
func sized(b []byte, start int) []byte {
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-4))
	return b
}
