package postgres

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
)

// typeFor is a type that holds what one of Arrow's does, "" if none is known.
func typeFor(t arrow.DataType) string {
	switch t := t.(type) {
	case *arrow.BooleanType:
		return "boolean"
	case *arrow.Int8Type, *arrow.Int16Type, *arrow.Uint8Type:
		return "smallint"
	case *arrow.Int32Type, *arrow.Uint16Type:
		return "integer"
	case *arrow.Int64Type, *arrow.Uint32Type:
		return "bigint"
	case *arrow.Uint64Type:
		return "numeric(20, 0)"
	case *arrow.Float16Type, *arrow.Float32Type:
		return "real"
	case *arrow.Float64Type:
		return "double precision"
	case arrow.DecimalType:
		if t.GetScale() < 0 {
			return "numeric"
		}
		return fmt.Sprintf("numeric(%d, %d)", t.GetPrecision(), t.GetScale())
	case *arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType, *arrow.NullType:
		return "text"
	case *arrow.BinaryType, *arrow.LargeBinaryType, *arrow.BinaryViewType, *arrow.FixedSizeBinaryType:
		return "bytea"
	case *arrow.Date32Type, *arrow.Date64Type:
		return "date"
	case *arrow.Time32Type, *arrow.Time64Type:
		return "time"
	case *arrow.TimestampType:
		if t.TimeZone != "" {
			return "timestamp with time zone"
		}
		return "timestamp"
	case *arrow.DurationType:
		return "interval"
	case *arrow.DictionaryType:
		return typeFor(t.ValueType)
	case arrow.ListLikeType:
		if of := typeFor(t.Elem()); of != "" && t.ID() != arrow.MAP {
			return of + "[]"
		}
	}
	return ""
}
