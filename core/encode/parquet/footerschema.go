package parquet

import (
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/seojaeohcode/atio/core/encode/parquet/internal/thrift"
)

// countNodes returns how many SchemaElements a tree of nodes becomes.
func countNodes(n schema.Node) int {
	count := 1
	if g, ok := n.(*schema.GroupNode); ok {
		for i := range g.NumFields() {
			count += countNodes(g.Field(i))
		}
	}
	return count
}

// schemaElements writes the elements of a list of SchemaElement: node n, and then
// what is below it.
func schemaElements(t *thrift.Writer, n schema.Node) {
	t.Root(func() { schemaElement(t, n) })
	if g, ok := n.(*schema.GroupNode); ok {
		for i := range g.NumFields() {
			schemaElements(t, g.Field(i))
		}
	}
}

func schemaElement(t *thrift.Writer, n schema.Node) {
	p, isPrimitive := n.(*schema.PrimitiveNode)
	if isPrimitive {
		t.I32(1, int32(p.PhysicalType()))
		if p.PhysicalType() == parquet.Types.FixedLenByteArray {
			t.I32(2, int32(p.TypeLength()))
		}
	}
	if n.Parent() != nil {
		t.I32(3, int32(n.RepetitionType()))
	}
	t.String(4, n.Name())
	if !isPrimitive {
		t.I32(5, int32(n.(*schema.GroupNode).NumFields()))
	}
	if c := n.ConvertedType(); c != schema.ConvertedTypes.None {
		t.I32(6, int32(c))
	}
	if isPrimitive && p.DecimalMetadata().IsSet {
		t.I32(7, p.DecimalMetadata().Scale)
		t.I32(8, p.DecimalMetadata().Precision)
	}
	if n.FieldID() >= 0 {
		t.I32(9, n.FieldID())
	}
	if l := n.LogicalType(); l != nil && l.IsSerialized() {
		t.Struct(10, func() { logicalType(t, l) })
	}
}

// logicalType writes a LogicalType: a union, whose fields are the types.
func logicalType(t *thrift.Writer, l schema.LogicalType) {
	switch l := l.(type) {
	case schema.StringLogicalType:
		t.Struct(1, nothing)
	case schema.MapLogicalType:
		t.Struct(2, nothing)
	case schema.ListLogicalType:
		t.Struct(3, nothing)
	case schema.DecimalLogicalType:
		t.Struct(5, func() {
			t.I32(1, l.Scale())
			t.I32(2, l.Precision())
		})
	case schema.DateLogicalType:
		t.Struct(6, nothing)
	case schema.TimeLogicalType:
		t.Struct(7, func() { timeType(t, l) })
	case schema.TimestampLogicalType:
		t.Struct(8, func() { timeType(t, l) })
	case schema.IntLogicalType:
		t.Struct(10, func() {
			t.I8(1, l.BitWidth())
			t.Bool(2, l.IsSigned())
		})
	case schema.NullLogicalType:
		t.Struct(11, nothing)
	case schema.JSONLogicalType:
		t.Struct(12, nothing)
	case schema.UUIDLogicalType:
		t.Struct(14, nothing)
	case schema.Float16LogicalType:
		t.Struct(15, nothing)
	default:
		panic("parquet: no footer for logical type " + l.String()) // schema.go makes no others
	}
}

func nothing() {}

// timeType writes the fields of a TimeType or TimestampType.
func timeType(t *thrift.Writer, l schema.TemporalLogicalType) {
	t.Bool(1, l.IsAdjustedToUTC())
	units := map[schema.TimeUnitType]int16{schema.TimeUnitMillis: 1, schema.TimeUnitMicros: 2, schema.TimeUnitNanos: 3}
	t.Struct(2, func() { t.Struct(units[l.TimeUnit()], nothing) })
}
