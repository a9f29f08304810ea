package parquet

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/seojaeohcode/atio/core/encode"
)

// fileSchema is an Arrow schema with the Parquet schema it is written as.
type fileSchema struct {
	arrow  *arrow.Schema
	tree   *schema.Schema
	leaves []*leaf
	nodes  int // of the tree
	meta   []keyValue
}

// leaf is one column of the Parquet schema and the way to it: field is the
// column of the record batch that holds it, path leads down from there.
type leaf struct {
	field          int
	path           []node
	name           string // dotted
	column         *schema.Column
	maxDef, maxRep int16
	typ            arrow.DataType // of the last array of the path, of a dictionary that of its values
	order          order
	settings       columnSettings
}

// width returns the size of a value in bytes, 0 if it is not always the same.
func (l *leaf) width() int {
	switch l.column.PhysicalType() {
	case parquet.Types.Boolean:
		return 1
	case parquet.Types.Int32, parquet.Types.Float:
		return 4
	case parquet.Types.Int64, parquet.Types.Double:
		return 8
	case parquet.Types.FixedLenByteArray:
		return l.column.TypeLength()
	}
	return 0
}

// isText reports whether values of type t are UTF-8.
func isText(t arrow.DataType) bool {
	switch t.(type) {
	case *arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType:
		return true
	}
	return false
}

// node is one array on the way to a leaf.
type node struct {
	kind     nodeKind
	child    int // of a struct: which field leads on
	nullable bool
	rep      int16 // of a list: repetition level of its second and further elements
}

type nodeKind int8

const (
	leafNode       nodeKind = iota // a column of values, the end of a path
	dictionaryLeaf                 // the same, dictionary encoded
	structNode
	listNode
	mapNode
)

func newFileSchema(s *arrow.Schema, o Options, set *settings) (*fileSchema, error) {
	b := builder{decimalAsInteger: o.DecimalAsInteger}
	fields := make(schema.FieldList, s.NumFields())
	for i, f := range s.Fields() {
		b.field = i
		n, err := b.node(f, f.Name, way{name: f.Name})
		if err != nil {
			return nil, err
		}
		fields[i] = n
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, fields, -1)
	if err != nil {
		return nil, err
	}
	fs := &fileSchema{arrow: s, tree: schema.NewSchema(root), nodes: countNodes(root), leaves: b.leaves}
	for i, l := range fs.leaves {
		l.column = fs.tree.Column(i)
		l.order = orderOf(l)
		if l.settings, err = o.columnSettings(l, set.columnSettings); err != nil {
			return nil, err
		}
	}
	for path := range o.Columns {
		if fs.tree.ColumnIndexByName(path) < 0 {
			return nil, &encode.OptionError{Format: Name, Option: "columns", Value: path, Reason: "there is no such column"}
		}
	}
	if fs.meta, err = keyValues(s, o); err != nil {
		return nil, err
	}
	return fs, nil
}

// builder makes Parquet nodes of Arrow fields and collects the leaves in order.
type builder struct {
	decimalAsInteger bool
	field            int
	leaves           []*leaf
}

// way is how far down a field the builder has come.
type way struct {
	path     []node
	name     string
	def, rep int16
}

func (w way) down(n node, name string) way {
	w.path = append(w.path[:len(w.path):len(w.path)], n)
	if name != "" {
		w.name += "." + name
	}
	return w
}

func (w way) unsupported(t arrow.DataType, reason string) error {
	return &encode.UnsupportedError{Format: Name, Column: w.name, Type: t.String(), Reason: reason}
}

// node returns the Parquet node of f under the given name.
func (b *builder) node(f arrow.Field, name string, w way) (schema.Node, error) {
	if !utf8.ValidString(name) {
		return nil, w.unsupported(f.Type, "the column's name is not valid UTF-8")
	}
	typ, logical := storage(f.Type)
	if logical == nil {
		logical = unregistered(f)
	}
	nullable := f.Nullable || typ.ID() == arrow.NULL
	repetition := parquet.Repetitions.Required
	if nullable {
		repetition = parquet.Repetitions.Optional
		w.def++
	}
	id := fieldID(f.Metadata)

	switch t := typ.(type) {
	case *arrow.StructType:
		return b.structNode(t, name, nullable, repetition, id, w)
	case *arrow.MapType:
		return b.mapNode(t, name, nullable, repetition, id, w)
	case arrow.ListLikeType:
		return b.listNode(t, name, nullable, repetition, id, w)
	}

	kind := leafNode
	if d, ok := typ.(*arrow.DictionaryType); ok {
		kind = dictionaryLeaf
		typ, logical = storage(d.ValueType)
	}
	p, err := b.physical(typ, w)
	if err != nil {
		return nil, err
	}
	if logical == nil {
		logical = p.logical
	}
	n, err := schema.NewPrimitiveNodeLogical(name, repetition, logical, p.typ, p.length, id)
	if err != nil {
		return nil, w.unsupported(f.Type, err.Error())
	}
	w = w.down(node{kind: kind, nullable: nullable}, "")
	b.leaves = append(b.leaves, &leaf{
		field: b.field, path: w.path, name: w.name, maxDef: w.def, maxRep: w.rep, typ: typ,
	})
	return n, nil
}

func (b *builder) structNode(t *arrow.StructType, name string, nullable bool, rep parquet.Repetition, id int32, w way) (schema.Node, error) {
	if t.NumFields() == 0 {
		return nil, w.unsupported(t, "Parquet has no struct without fields; add a field or drop the column")
	}
	fields := make(schema.FieldList, t.NumFields())
	for i, f := range t.Fields() {
		var err error
		if fields[i], err = b.node(f, f.Name, w.down(node{kind: structNode, child: i, nullable: nullable}, f.Name)); err != nil {
			return nil, err
		}
	}
	return schema.NewGroupNode(name, rep, fields, id)
}

func (b *builder) listNode(t arrow.ListLikeType, name string, nullable bool, rep parquet.Repetition, id int32, w way) (schema.Node, error) {
	w.def++
	w.rep++
	element, err := b.node(t.ElemField(), "element", w.down(node{kind: listNode, nullable: nullable, rep: w.rep}, "element"))
	if err != nil {
		return nil, err
	}
	list, err := schema.NewGroupNode("list", parquet.Repetitions.Repeated, schema.FieldList{element}, -1)
	if err != nil {
		return nil, err
	}
	return schema.NewGroupNodeLogical(name, rep, schema.FieldList{list}, schema.NewListLogicalType(), id)
}

func (b *builder) mapNode(t *arrow.MapType, name string, nullable bool, rep parquet.Repetition, id int32, w way) (schema.Node, error) {
	w.def++
	w.rep++
	w = w.down(node{kind: mapNode, nullable: nullable, rep: w.rep}, "")
	keyField := t.KeyField()
	keyField.Nullable = false
	key, err := b.node(keyField, "key", w.down(node{kind: structNode, child: 0}, "key"))
	if err != nil {
		return nil, err
	}
	value, err := b.node(t.ItemField(), "value", w.down(node{kind: structNode, child: 1}, "value"))
	if err != nil {
		return nil, err
	}
	entries, err := schema.NewGroupNode("key_value", parquet.Repetitions.Repeated, schema.FieldList{key, value}, -1)
	if err != nil {
		return nil, err
	}
	return schema.NewGroupNodeLogical(name, rep, schema.FieldList{entries}, schema.MapLogicalType{}, id)
}

// storage returns what an extension type is stored as, and the logical type if
// it has one of its own.
func storage(t arrow.DataType) (arrow.DataType, schema.LogicalType) {
	ext, ok := t.(arrow.ExtensionType)
	if !ok {
		return t, nil
	}
	inner, logical := storage(ext.StorageType())
	if own, ok := ext.(interface{ ParquetLogicalType() schema.LogicalType }); ok {
		logical = own.ParquetLogicalType()
	}
	return inner, logical
}

// unregistered returns the logical type of an extension type that arrow-go has
// not been told of, so that it is only metadata of its field.
func unregistered(f arrow.Field) schema.LogicalType {
	switch name, _ := f.Metadata.GetValue(ipc.ExtensionTypeKeyName); name {
	case "arrow.uuid":
		return schema.UUIDLogicalType{}
	case "arrow.json":
		return schema.JSONLogicalType{}
	}
	return nil
}

// fieldID returns the field id that Arrow C++ keeps in a field's metadata.
func fieldID(m arrow.Metadata) int32 {
	v, ok := m.GetValue("PARQUET:field_id")
	if !ok {
		return -1
	}
	id, err := strconv.ParseInt(v, 10, 32)
	if err != nil || id < 0 {
		return -1
	}
	return int32(id)
}

// physicalType is how values of a leaf are stored.
type physicalType struct {
	typ     parquet.Type
	logical schema.LogicalType
	length  int
}

func (b *builder) physical(t arrow.DataType, w way) (physicalType, error) {
	none := schema.NoLogicalType{}
	types := parquet.Types
	switch t := t.(type) {
	case *arrow.NullType:
		return physicalType{types.Int32, schema.NullLogicalType{}, -1}, nil
	case *arrow.BooleanType:
		return physicalType{types.Boolean, none, -1}, nil
	case *arrow.Int8Type:
		return physicalType{types.Int32, schema.NewIntLogicalType(8, true), -1}, nil
	case *arrow.Int16Type:
		return physicalType{types.Int32, schema.NewIntLogicalType(16, true), -1}, nil
	case *arrow.Int32Type:
		return physicalType{types.Int32, none, -1}, nil
	case *arrow.Int64Type, *arrow.DurationType:
		return physicalType{types.Int64, none, -1}, nil
	case *arrow.Uint8Type:
		return physicalType{types.Int32, schema.NewIntLogicalType(8, false), -1}, nil
	case *arrow.Uint16Type:
		return physicalType{types.Int32, schema.NewIntLogicalType(16, false), -1}, nil
	case *arrow.Uint32Type:
		return physicalType{types.Int32, schema.NewIntLogicalType(32, false), -1}, nil
	case *arrow.Uint64Type:
		return physicalType{types.Int64, schema.NewIntLogicalType(64, false), -1}, nil
	case *arrow.Float16Type:
		return physicalType{types.FixedLenByteArray, schema.Float16LogicalType{}, 2}, nil
	case *arrow.Float32Type:
		return physicalType{types.Float, none, -1}, nil
	case *arrow.Float64Type:
		return physicalType{types.Double, none, -1}, nil
	case *arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType:
		return physicalType{types.ByteArray, schema.StringLogicalType{}, -1}, nil
	case *arrow.BinaryType, *arrow.LargeBinaryType, *arrow.BinaryViewType:
		return physicalType{types.ByteArray, none, -1}, nil
	case *arrow.FixedSizeBinaryType:
		if t.ByteWidth <= 0 {
			return physicalType{}, w.unsupported(t, "Parquet has no values of zero bytes")
		}
		return physicalType{types.FixedLenByteArray, none, t.ByteWidth}, nil
	case *arrow.Date32Type, *arrow.Date64Type:
		return physicalType{types.Int32, schema.DateLogicalType{}, -1}, nil
	case *arrow.Time32Type:
		return physicalType{types.Int32, schema.NewTimeLogicalType(false, schema.TimeUnitMillis), -1}, nil
	case *arrow.Time64Type:
		return physicalType{types.Int64, schema.NewTimeLogicalType(false, timeUnit(t.Unit)), -1}, nil
	case *arrow.TimestampType:
		logical := schema.NewTimestampLogicalTypeForce(t.TimeZone != "", timeUnit(t.Unit))
		return physicalType{types.Int64, logical, -1}, nil
	case arrow.DecimalType:
		return b.decimal(t, w)
	}
	return physicalType{}, w.unsupported(t, "Parquet has no such type; convert the column to another type")
}

// timeUnit returns the Parquet unit that holds u; seconds become milliseconds.
func timeUnit(u arrow.TimeUnit) schema.TimeUnitType {
	switch u {
	case arrow.Microsecond:
		return schema.TimeUnitMicros
	case arrow.Nanosecond:
		return schema.TimeUnitNanos
	}
	return schema.TimeUnitMillis
}

func (b *builder) decimal(t arrow.DecimalType, w way) (physicalType, error) {
	precision, scale := t.GetPrecision(), t.GetScale()
	if precision < 1 || scale < 0 || scale > precision {
		return physicalType{}, w.unsupported(t, fmt.Sprintf(
			"Parquet decimals have a scale from 0 to their precision, which is %d; rescale the column", precision))
	}
	logical := schema.NewDecimalLogicalType(precision, scale)
	switch {
	case b.decimalAsInteger && precision <= 9:
		return physicalType{parquet.Types.Int32, logical, -1}, nil
	case b.decimalAsInteger && precision <= 18:
		return physicalType{parquet.Types.Int64, logical, -1}, nil
	}
	return physicalType{parquet.Types.FixedLenByteArray, logical, decimalLength(precision)}, nil
}

// decimalLength is the number of bytes that hold every decimal of so many
// digits in two's complement.
func decimalLength(precision int32) int {
	// 10^p needs p·log2(10) bits and one for the sign.
	return int((int64(precision)*332192810/100000000+1)/8) + 1
}
