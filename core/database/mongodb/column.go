package mongodb

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seojaeohcode/atio/core/encode"
)

// encodedKey is set in the metadata of a binary field whose values are those of
// BSON, each behind the byte of its type, made by the caller.
const encodedKey = "atio.bson"

// mapping says how values are mapped where there is a choice.
type mapping struct {
	excludeNull bool
	truncate    bool // timestamps to milliseconds
}

// checkField returns an error if columns of this type cannot be written.
func checkField(path string, t arrow.DataType) error {
	switch t := t.(type) {
	case *arrow.MapType:
		if err := checkField(path+".key", t.KeyType()); err != nil {
			return err
		}
		return checkField(path+".value", t.ItemType())
	case *arrow.StructType:
		return checkFields(path+".", t.Fields())
	case arrow.UnionType:
		for _, f := range t.Fields() {
			if err := checkField(path+"."+f.Name, f.Type); err != nil {
				return err
			}
		}
		return nil
	case arrow.ListLikeType:
		return checkField(path+".element", t.Elem())
	case *arrow.DictionaryType:
		return checkField(path, t.ValueType)
	case *arrow.RunEndEncodedType:
		return checkField(path, t.Encoded())
	case arrow.ExtensionType:
		return checkField(path, t.StorageType())
	}
	if int(t.ID()) < len(supported) && supported[t.ID()] {
		return nil
	}
	return &encode.UnsupportedError{Format: format, Column: path, Type: t.String(), Reason: "BSON has no such type"}
}

var supported = func() (set [64]bool) {
	for _, id := range []arrow.Type{
		arrow.NULL, arrow.BOOL, arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32,
		arrow.UINT64, arrow.FLOAT16, arrow.FLOAT32, arrow.FLOAT64, arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW,
		arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW, arrow.FIXED_SIZE_BINARY, arrow.DATE32, arrow.DATE64,
		arrow.TIMESTAMP, arrow.TIME32, arrow.TIME64, arrow.DURATION, arrow.INTERVAL_MONTHS, arrow.INTERVAL_DAY_TIME,
		arrow.INTERVAL_MONTH_DAY_NANO, arrow.DECIMAL32, arrow.DECIMAL64, arrow.DECIMAL128, arrow.DECIMAL256,
	} {
		set[id] = true
	}
	return set
}()

func checkFields(prefix string, fields []arrow.Field) error {
	seen := map[string]bool{}
	for _, f := range fields {
		switch {
		case strings.ContainsRune(f.Name, 0):
			return &encode.UnsupportedError{Format: format, Column: prefix + f.Name, Type: f.Type.String(),
				Reason: "BSON has no names with a NUL character: rename it"}
		case seen[f.Name]:
			return &encode.UnsupportedError{Format: format, Column: prefix + f.Name, Type: f.Type.String(),
				Reason: "another column has the same name, and a document can have it once: rename one"}
		}
		seen[f.Name] = true
		if err := checkField(prefix+f.Name, f.Type); err != nil {
			return err
		}
	}
	return nil
}

// column is the element of an array, or of null where it has none.
func (m mapping) column(a arrow.Array, inDocument bool) element {
	write := m.values(a)
	switch {
	case a.DataType().ID() == arrow.NULL:
		if m.excludeNull && inDocument {
			return func(b, _ []byte, _ int) ([]byte, error) { return b, nil }
		}
		return func(b, key []byte, _ int) ([]byte, error) { return appendNull(b, key), nil }
	case a.NullN() == 0 && mayLackNulls(a):
		return write
	case m.excludeNull && inDocument:
		return func(b, key []byte, row int) ([]byte, error) {
			if isNull(a, row) {
				return b, nil
			}
			return write(b, key, row)
		}
	}
	return func(b, key []byte, row int) ([]byte, error) {
		if isNull(a, row) {
			return appendNull(b, key), nil
		}
		return write(b, key, row)
	}
}

// mayLackNulls reports whether an array's own count of nulls is all there is to
// know: others refer to values that may be null.
func mayLackNulls(a arrow.Array) bool {
	switch a.(type) {
	case *array.Dictionary, *array.RunEndEncoded, array.Union:
		return false
	}
	_, extension := a.(array.ExtensionArray)
	return !extension
}

// isNull reports whether there is no value, in the array or in what it refers to.
func isNull(a arrow.Array, row int) bool {
	switch a := a.(type) {
	case *array.Dictionary:
		return a.IsNull(row) || isNull(a.Dictionary(), a.GetValueIndex(row))
	case *array.RunEndEncoded:
		return isNull(a.Values(), a.GetPhysicalIndex(row))
	case *array.SparseUnion:
		return isNull(a.Field(a.ChildID(row)), row)
	case *array.DenseUnion:
		return isNull(a.Field(a.ChildID(row)), int(a.ValueOffset(row)))
	case array.ExtensionArray:
		return isNull(a.Storage(), row)
	}
	return a.IsNull(row)
}

// values is the element of an array where it is not null.
func (m mapping) values(a arrow.Array) element {
	switch a := a.(type) {
	case *array.Null:
		return func(b, key []byte, _ int) ([]byte, error) { return appendNull(b, key), nil }
	case *array.Boolean:
		return booleans(a)
	case *array.Int8:
		return int32s(a.Int8Values())
	case *array.Int16:
		return int32s(a.Int16Values())
	case *array.Int32:
		return int32s(a.Int32Values())
	case *array.Int64:
		return int64s(a.Int64Values())
	case *array.Uint8:
		return int32s(a.Uint8Values())
	case *array.Uint16:
		return int32s(a.Uint16Values())
	case *array.Uint32:
		return int64s(a.Uint32Values())
	case *array.Uint64:
		return uint64s(a.Uint64Values())
	case *array.Float16:
		return halves(a)
	case *array.Float32:
		return doubles(a.Float32Values())
	case *array.Float64:
		return doubles(a.Float64Values())
	case *array.String:
		return texts(a.Value)
	case *array.LargeString:
		return texts(a.Value)
	case *array.StringView:
		return texts(a.Value)
	case *array.Binary:
		return binaries(a.Value, bson.TypeBinaryGeneric)
	case *array.LargeBinary:
		return binaries(a.Value, bson.TypeBinaryGeneric)
	case *array.BinaryView:
		return binaries(a.Value, bson.TypeBinaryGeneric)
	case *array.FixedSizeBinary:
		return binaries(a.Value, bson.TypeBinaryGeneric)
	case *array.Decimal32:
		return smallDecimals(func(row int) int64 { return int64(a.Value(row)) }, a.DataType().(arrow.DecimalType).GetScale())
	case *array.Decimal64:
		return smallDecimals(func(row int) int64 { return int64(a.Value(row)) }, a.DataType().(arrow.DecimalType).GetScale())
	case *array.Decimal128:
		return decimals(a, a.DataType().(arrow.DecimalType).GetScale())
	case *array.Decimal256:
		return bigDecimals(a, a.DataType().(arrow.DecimalType).GetScale())
	case *array.Date32:
		return days(a.Date32Values())
	case *array.Date64:
		return func(b, key []byte, row int) ([]byte, error) { return appendDate(b, key, int64(a.Value(row))), nil }
	case *array.Timestamp:
		return moments(a.TimestampValues(), a.DataType().(*arrow.TimestampType).Unit, m.truncate)
	case *array.Time32:
		return clock(func(row int) int64 { return int64(a.Value(row)) }, a.DataType().(*arrow.Time32Type).Unit)
	case *array.Time64:
		return clock(func(row int) int64 { return int64(a.Value(row)) }, a.DataType().(*arrow.Time64Type).Unit)
	case *array.Duration:
		return durations(a.DurationValues(), a.DataType().(*arrow.DurationType).Unit)
	}
	return m.nested(a)
}

// nested is the element of an array that has others below it.
func (m mapping) nested(a arrow.Array) element {
	switch a := a.(type) {
	case *array.MonthInterval:
		return intervals(func(row int) (int32, int32, int64) { return int32(a.Value(row)), 0, 0 })
	case *array.DayTimeInterval:
		return intervals(func(row int) (int32, int32, int64) {
			v := a.Value(row)
			return 0, v.Days, int64(v.Milliseconds) * 1_000_000
		})
	case *array.MonthDayNanoInterval:
		return intervals(func(row int) (int32, int32, int64) {
			v := a.Value(row)
			return v.Months, v.Days, v.Nanoseconds
		})
	case *array.Dictionary:
		value := m.values(a.Dictionary())
		return func(b, key []byte, row int) ([]byte, error) { return value(b, key, a.GetValueIndex(row)) }
	case *array.RunEndEncoded:
		value := m.values(a.Values())
		return func(b, key []byte, row int) ([]byte, error) { return value(b, key, a.GetPhysicalIndex(row)) }
	case *array.SparseUnion:
		children := m.children(a)
		return func(b, key []byte, row int) ([]byte, error) { return children[a.ChildID(row)](b, key, row) }
	case *array.DenseUnion:
		children := m.children(a)
		return func(b, key []byte, row int) ([]byte, error) {
			return children[a.ChildID(row)](b, key, int(a.ValueOffset(row)))
		}
	case *array.Struct:
		return m.document(a)
	case *array.Map:
		return m.dictionary(a)
	case array.ListLike:
		return m.list(a)
	case array.ExtensionArray:
		if bytes, ok := a.Storage().(*array.FixedSizeBinary); ok && a.ExtensionType().ExtensionName() == "arrow.uuid" {
			return binaries(bytes.Value, bson.TypeBinaryUUID)
		}
		if bytes, ok := a.Storage().(*array.Int8); ok && a.ExtensionType().ExtensionName() == "arrow.bool8" {
			return func(b, key []byte, row int) ([]byte, error) {
				b = start(b, bson.TypeBoolean, key)
				if bytes.Value(row) == 0 {
					return append(b, 0), nil
				}
				return append(b, 1), nil
			}
		}
		return m.values(a.Storage())
	}
	panic("a type that has been checked: " + a.DataType().String())
}

func (m mapping) children(a array.Union) []element {
	children := make([]element, a.NumFields())
	for i := range children {
		children[i] = m.values(a.Field(i))
	}
	return children
}

func intervals(value func(row int) (months, days int32, nanoseconds int64)) element {
	return func(b, key []byte, row int) ([]byte, error) {
		months, days, ns := value(row)
		at := len(b) + 1 + len(key)
		b = append(start(b, bson.TypeEmbeddedDocument, key), 0, 0, 0, 0)
		b = binary.LittleEndian.AppendUint32(append(b, "\x10months\x00"...), uint32(months))
		b = binary.LittleEndian.AppendUint32(append(b, "\x10days\x00"...), uint32(days))
		b = binary.LittleEndian.AppendUint64(append(b, "\x12nanoseconds\x00"...), uint64(ns))
		return end(b, at), nil
	}
}

// end completes a document that begins at the given place.
func end(b []byte, at int) []byte {
	b = append(b, 0)
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at))
	return b
}

func (m mapping) document(a *array.Struct) element {
	fields := a.DataType().(*arrow.StructType).Fields()
	keys, values := make([][]byte, len(fields)), make([]element, len(fields))
	for i, f := range fields {
		keys[i], values[i] = append([]byte(f.Name), 0), m.column(a.Field(i), true)
	}
	return func(b, key []byte, row int) ([]byte, error) {
		at := len(b) + 1 + len(key)
		b = append(start(b, bson.TypeEmbeddedDocument, key), 0, 0, 0, 0)
		var err error
		for i, value := range values {
			if b, err = value(b, keys[i], row); err != nil {
				return b, err
			}
		}
		return end(b, at), nil
	}
}

func (m mapping) list(a array.ListLike) element {
	value := m.column(a.ListValues(), false)
	return func(b, key []byte, row int) ([]byte, error) {
		at := len(b) + 1 + len(key)
		b = append(start(b, bson.TypeArray, key), 0, 0, 0, 0)
		lo, hi := a.ValueOffsets(row)
		var err error
		var digits [24]byte
		for i := lo; i < hi; i++ {
			if b, err = value(b, appendIndex(digits[:0], i-lo), int(i)); err != nil {
				return b, err
			}
		}
		return end(b, at), nil
	}
}

// appendIndex is the key of an array's element.
func appendIndex(b []byte, i int64) []byte { return append(strconv.AppendInt(b, i, 10), 0) }

// dictionary is the element of maps: a document if their keys are strings, else an
// array of documents of a key and a value.
func (m mapping) dictionary(a *array.Map) element {
	text, ok := a.Keys().(interface{ Value(int) string })
	value := m.column(a.Items(), ok)
	if !ok {
		return m.pairs(a, value)
	}
	return func(b, key []byte, row int) ([]byte, error) {
		at := len(b) + 1 + len(key)
		b = append(start(b, bson.TypeEmbeddedDocument, key), 0, 0, 0, 0)
		lo, hi := a.ValueOffsets(row)
		var err error
		for i := lo; i < hi; i++ {
			k := text.Value(int(i))
			if strings.IndexByte(k, 0) >= 0 {
				return b, problem(fmt.Sprintf("the key %q has a NUL character, which names in BSON cannot", k))
			}
			if b, err = value(b, append([]byte(k), 0), int(i)); err != nil {
				return b, err
			}
		}
		return end(b, at), nil
	}
}

func (m mapping) pairs(a *array.Map, value element) element {
	name := m.column(a.Keys(), false)
	return func(b, key []byte, row int) ([]byte, error) {
		at := len(b) + 1 + len(key)
		b = append(start(b, bson.TypeArray, key), 0, 0, 0, 0)
		lo, hi := a.ValueOffsets(row)
		var err error
		var digits [24]byte
		for i := lo; i < hi; i++ {
			b = start(b, bson.TypeEmbeddedDocument, appendIndex(digits[:0], i-lo))
			pair := len(b)
			b = append(b, 0, 0, 0, 0)
			if b, err = name(b, []byte("key\x00"), int(i)); err != nil {
				return b, err
			}
			if b, err = value(b, []byte("value\x00"), int(i)); err != nil {
				return b, err
			}
			b = end(b, pair)
		}
		return end(b, at), nil
	}
}

// encoded is the element of values that the caller has encoded.
func encoded(a interface{ Value(int) []byte }) element {
	return func(b, key []byte, row int) ([]byte, error) {
		v := a.Value(row)
		if len(v) == 0 {
			return b, problem("a value encoded as BSON begins with the byte of its type")
		}
		return append(start(b, bson.Type(v[0]), key), v[1:]...), nil
	}
}
