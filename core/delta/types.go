package delta

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/seojaeohcode/atio/core/encode"
)

// Keys of a column's metadata that keep what its Delta type cannot say.
const (
	// arrowKey holds an Arrow IPC schema message with just the original field, in
	// base64.
	arrowKey = "atio.arrow"
	// typeKey holds the original type for people to read.
	typeKey = "atio.type"
	// categoriesKey holds the categories of a dictionary, in their order.
	categoriesKey = "atio.categories"
)

const format = "delta" // in errors

// natural returns the Delta type that holds all values of an Arrow type:
// the nearest one. nanos says that timestamps in nanoseconds are not whole
// microseconds, and become numbers.
func natural(t arrow.DataType, nanos bool, path string) (Type, error) {
	refuse := func(reason string) (Type, error) {
		return nil, &encode.UnsupportedError{Format: format, Column: path, Type: t.String(), Reason: reason}
	}
	switch t := t.(type) {
	case *arrow.Int8Type:
		return Byte, nil
	case *arrow.Int16Type, *arrow.Uint8Type:
		return Short, nil
	case *arrow.Int32Type, *arrow.Uint16Type, *arrow.Time32Type:
		return Integer, nil
	case *arrow.Int64Type, *arrow.Uint32Type, *arrow.Time64Type, *arrow.DurationType:
		return Long, nil
	case *arrow.Uint64Type:
		return decimalOf(20, 0), nil
	case *arrow.Float16Type, *arrow.Float32Type:
		return Float, nil
	case *arrow.Float64Type:
		return Double, nil
	case *arrow.BooleanType:
		return Boolean, nil
	case *arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType:
		return String, nil
	case *arrow.BinaryType, *arrow.LargeBinaryType, *arrow.BinaryViewType, *arrow.FixedSizeBinaryType:
		return Binary, nil
	case *arrow.Date32Type, *arrow.Date64Type:
		return Date, nil
	case *arrow.TimestampType:
		switch {
		case t.Unit == arrow.Nanosecond && nanos:
			return Long, nil
		case t.TimeZone != "":
			return Timestamp, nil
		}
		return TimestampNTZ, nil
	case arrow.DecimalType:
		p, s := t.GetPrecision(), t.GetScale()
		if p > 38 || s < 0 || s > p {
			return refuse("decimals have at most 38 digits and a scale from 0 to their precision; cast the column, or store it as text")
		}
		return decimalOf(p, s), nil
	case *arrow.NullType:
		return nullType, nil
	case *arrow.DictionaryType:
		if arrow.IsNested(t.ValueType.ID()) {
			return refuse("categories must be plain values; cast the column to the type of its values")
		}
		return natural(t.ValueType, nanos, path)
	case arrow.ExtensionType:
		return natural(t.StorageType(), nanos, path)
	case *arrow.MapType:
		key, err := natural(t.KeyType(), nanos, path+".key")
		if err != nil {
			return nil, err
		}
		value, err := natural(t.ItemType(), nanos, path+".value")
		return &Map{key, value, true}, err
	case arrow.ListLikeType:
		element, err := natural(t.Elem(), nanos, path+".element")
		return &Array{element, true}, err
	case *arrow.StructType:
		if t.NumFields() == 0 {
			return refuse("a struct needs a field; drop the column or add a field")
		}
		s := &Struct{Fields: make([]Field, t.NumFields())}
		for i, f := range t.Fields() {
			typ, err := natural(f.Type, nanos, path+"."+f.Name)
			if err != nil {
				return nil, err
			}
			s.Fields[i] = Field{Name: f.Name, Type: typ, Nullable: true}
		}
		return s, nil
	}
	return refuse("Delta has no such type; convert the column to another one")
}

// nullType holds what is all null within lists and structs, where the protocol
// restricts void ("Void Type").
const nullType = String

// arrowType returns the Arrow type that values of a Delta type have of
// themselves, which is also that of columns without an original type.
func arrowType(t Type) (arrow.DataType, error) {
	switch t := t.(type) {
	case Primitive:
		switch t {
		case String:
			return arrow.BinaryTypes.String, nil
		case Long:
			return arrow.PrimitiveTypes.Int64, nil
		case Integer:
			return arrow.PrimitiveTypes.Int32, nil
		case Short:
			return arrow.PrimitiveTypes.Int16, nil
		case Byte:
			return arrow.PrimitiveTypes.Int8, nil
		case Float:
			return arrow.PrimitiveTypes.Float32, nil
		case Double:
			return arrow.PrimitiveTypes.Float64, nil
		case Boolean:
			return arrow.FixedWidthTypes.Boolean, nil
		case Binary:
			return arrow.BinaryTypes.Binary, nil
		case Date:
			return arrow.FixedWidthTypes.Date32, nil
		case Timestamp:
			return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, nil
		case TimestampNTZ:
			return &arrow.TimestampType{Unit: arrow.Microsecond}, nil
		case Void:
			return arrow.Null, nil
		}
		if p, s, ok := t.decimal(); ok {
			return &arrow.Decimal128Type{Precision: p, Scale: s}, nil
		}
	case *Struct:
		fields := make([]arrow.Field, len(t.Fields))
		for i, f := range t.Fields {
			typ, err := arrowType(f.Type)
			if err != nil {
				return nil, err
			}
			fields[i] = arrow.Field{Name: f.Name, Type: typ, Nullable: f.Nullable}
		}
		return arrow.StructOf(fields...), nil
	case *Array:
		element, err := arrowType(t.Element)
		if err != nil {
			return nil, err
		}
		return arrow.ListOfField(arrow.Field{Name: "element", Type: element, Nullable: t.ContainsNull}), nil
	case *Map:
		key, err := arrowType(t.Key)
		if err != nil {
			return nil, err
		}
		value, err := arrowType(t.Value)
		if err != nil {
			return nil, err
		}
		return arrow.MapOfFields(arrow.Field{Name: "key", Type: key}, arrow.Field{Name: "value", Type: value, Nullable: t.ValueContainsNull}), nil
	}
	return nil, fmt.Errorf("type %v is unknown", t)
}

// column returns the table's column for a field of the data.
func column(f arrow.Field, nanos bool) (Field, error) {
	typ, err := natural(f.Type, nanos, f.Name)
	if err != nil {
		return Field{}, err
	}
	if f.Type.ID() == arrow.NULL {
		typ = Void
	}
	c := Field{Name: f.Name, Type: typ, Nullable: true, Metadata: map[string]json.RawMessage{}}
	own, err := arrowType(typ)
	if err != nil {
		return Field{}, err
	}
	if f.Metadata.Len() == 0 && sameArrow(own, f.Type) {
		return c, nil
	}
	text, err := encodeField(f)
	if err != nil {
		return Field{}, err
	}
	c.Metadata[arrowKey], _ = json.Marshal(text)
	c.Metadata[typeKey], _ = json.Marshal(f.Type.String())
	return c, nil
}

// original returns the field as it was written: the one its metadata keep, or
// what its type is of itself.
func (f Field) original() (arrow.Field, error) {
	if raw, ok := f.Metadata[arrowKey]; ok {
		var text string
		if err := json.Unmarshal(raw, &text); err == nil {
			if field, err := decodeField(text); err == nil {
				field.Name = f.Name
				return field, nil
			}
		}
		return arrow.Field{}, fmt.Errorf("column %q: its metadata %s cannot be read", f.Name, arrowKey)
	}
	typ, err := arrowType(f.Type)
	return arrow.Field{Name: f.Name, Type: typ, Nullable: f.Nullable}, err
}

func encodeField(f arrow.Field) (string, error) {
	b, err := SchemaIPC(arrow.NewSchema([]arrow.Field{f}, nil))
	return base64.StdEncoding.EncodeToString(b), err
}

func decodeField(text string) (f arrow.Field, err error) {
	defer func() {
		if p := recover(); p != nil { // arrow-go on a broken message
			err = fmt.Errorf("no Arrow schema: %v", p)
		}
	}()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return f, err
	}
	r, err := ipc.NewReader(bytes.NewReader(b))
	if err != nil {
		return f, err
	}
	defer r.Release()
	if r.Schema().NumFields() != 1 {
		return f, fmt.Errorf("%d fields", r.Schema().NumFields())
	}
	return r.Schema().Field(0), nil
}

// sameArrow says whether two types are the same but for the names of list
// elements and what may be null.
func sameArrow(a, b arrow.DataType) bool {
	if a.ID() != b.ID() {
		return false
	}
	switch a := a.(type) {
	case *arrow.StructType:
		b := b.(*arrow.StructType)
		if a.NumFields() != b.NumFields() {
			return false
		}
		for i, f := range a.Fields() {
			g := b.Field(i)
			if f.Name != g.Name || g.Metadata.Len() != f.Metadata.Len() || !sameArrow(f.Type, g.Type) {
				return false
			}
		}
		return true
	case *arrow.MapType:
		b := b.(*arrow.MapType)
		return sameArrow(a.KeyType(), b.KeyType()) && sameArrow(a.ItemType(), b.ItemType())
	case *arrow.FixedSizeListType:
		b := b.(*arrow.FixedSizeListType)
		return a.Len() == b.Len() && sameArrow(a.Elem(), b.Elem())
	case arrow.ListLikeType:
		b := b.(arrow.ListLikeType)
		return b.ElemField().Metadata.Len() == a.ElemField().Metadata.Len() && sameArrow(a.Elem(), b.Elem())
	}
	return arrow.TypeEqual(a, b)
}

// fits says whether data of type b can go into a column whose original type is a
// and come back as such: the same kind of values, if perhaps in another layout.
// Units of time may differ; whether the values go in is seen when they come.
func fits(a, b arrow.DataType) bool {
	a, b = plain(a), plain(b)
	switch b := b.(type) {
	case *arrow.NullType:
		return true
	case *arrow.TimestampType:
		a, ok := a.(*arrow.TimestampType)
		return ok && (a.TimeZone == "") == (b.TimeZone == "")
	case *arrow.DurationType:
		return a.ID() == arrow.DURATION
	case *arrow.Time32Type, *arrow.Time64Type:
		return a.ID() == arrow.TIME32 || a.ID() == arrow.TIME64
	case *arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType:
		return a.ID() == arrow.STRING || a.ID() == arrow.LARGE_STRING || a.ID() == arrow.STRING_VIEW
	case *arrow.BinaryType, *arrow.LargeBinaryType, *arrow.BinaryViewType:
		return a.ID() == arrow.BINARY || a.ID() == arrow.LARGE_BINARY || a.ID() == arrow.BINARY_VIEW
	case *arrow.Date32Type, *arrow.Date64Type:
		return a.ID() == arrow.DATE32 || a.ID() == arrow.DATE64
	case arrow.DecimalType:
		a, ok := a.(arrow.DecimalType)
		return ok && a.GetPrecision() == b.GetPrecision() && a.GetScale() == b.GetScale()
	case *arrow.StructType:
		a, ok := a.(*arrow.StructType)
		if !ok || a.NumFields() != b.NumFields() {
			return false
		}
		for i, f := range b.Fields() {
			if a.Field(i).Name != f.Name || !fits(a.Field(i).Type, f.Type) {
				return false
			}
		}
		return true
	case *arrow.MapType:
		a, ok := a.(*arrow.MapType)
		return ok && fits(a.KeyType(), b.KeyType()) && fits(a.ItemType(), b.ItemType())
	case *arrow.FixedSizeListType:
		if x, ok := a.(*arrow.FixedSizeListType); ok {
			return x.Len() == b.Len() && fits(x.Elem(), b.Elem())
		}
		x, ok := a.(arrow.ListLikeType)
		return ok && a.ID() != arrow.MAP && fits(x.Elem(), b.Elem())
	case arrow.ListLikeType:
		x, ok := a.(arrow.ListLikeType)
		return ok && a.ID() != arrow.MAP && a.ID() != arrow.FIXED_SIZE_LIST && fits(x.Elem(), b.Elem())
	}
	return arrow.TypeEqual(a, b) || wider(a, b)
}

// wider says whether a holds all numbers of b.
func wider(a, b arrow.DataType) bool {
	if a.ID() == arrow.FLOAT64 {
		return b.ID() == arrow.FLOAT32
	}
	if !arrow.IsInteger(a.ID()) || !arrow.IsInteger(b.ID()) {
		return false
	}
	have, need := a.(arrow.FixedWidthDataType).BitWidth(), b.(arrow.FixedWidthDataType).BitWidth()
	switch {
	case arrow.IsSignedInteger(a.ID()) == arrow.IsSignedInteger(b.ID()):
		return have >= need && have <= 64 && a.ID() != arrow.UINT64
	case arrow.IsSignedInteger(a.ID()):
		return have > need
	}
	return false
}

// plain returns the type of the values of a dictionary or an extension type.
func plain(t arrow.DataType) arrow.DataType {
	for {
		switch x := t.(type) {
		case *arrow.DictionaryType:
			t = x.ValueType
		case arrow.ExtensionType:
			t = x.StorageType()
		default:
			return t
		}
	}
}

// checkNames refuses columns whose names a table cannot tell apart.
func checkNames(s *Schema) error {
	var check func(prefix string, fields []Field) error
	check = func(prefix string, fields []Field) error {
		seen := map[string]string{}
		for _, f := range fields {
			path := prefix + f.Name
			if other, ok := seen[strings.ToLower(f.Name)]; ok {
				reason := "there are two columns of this name; rename one"
				if other != f.Name {
					reason = fmt.Sprintf("column %q has the same name but for the letters' case, which Delta tables do not tell apart; rename one", other)
				}
				return &encode.UnsupportedError{Format: format, Column: path, Type: f.Type.String(), Reason: reason}
			}
			seen[strings.ToLower(f.Name)] = f.Name
			if s, ok := f.Type.(*Struct); ok {
				if err := check(path+".", s.Fields); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return check("", s.Fields)
}

// SchemaIPC returns an Arrow schema as an IPC schema message.
func SchemaIPC(s *arrow.Schema) ([]byte, error) {
	var buf bytes.Buffer
	w := ipc.NewWriter(&buf, ipc.WithSchema(s))
	if err := w.Close(); err != nil {
		return nil, err
	}
	// Without the end marker of a stream.
	return bytes.TrimSuffix(buf.Bytes(), []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}), nil
}
