package parquet

import (
	"bytes"
	"encoding/base64"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/seojaeohcode/atio/core/encode"
)

// arrowSchemaKey is where Arrow's own schema is kept in a Parquet file.
const arrowSchemaKey = "ARROW:schema"

// keyValue is one entry of a file's key-value metadata.
type keyValue struct{ key, value string }

// keyValues returns the file's key-value metadata: the schema's, and the schema
// itself.
func keyValues(s *arrow.Schema, o Options) ([]keyValue, error) {
	var kv []keyValue
	meta := s.Metadata()
	for i, key := range meta.Keys() {
		if key == arrowSchemaKey {
			continue // of the file the data came from
		}
		value := meta.Values()[i]
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return nil, &encode.UnsupportedError{
				Format: Name, Column: key, Type: "schema metadata",
				Reason: "Parquet metadata must be valid UTF-8; remove the key",
			}
		}
		kv = append(kv, keyValue{key, value})
	}
	if o.SkipArrowSchema {
		return kv, nil
	}
	stored, err := serialize(storedSchema(s, o.LargeForViews))
	if err != nil {
		return nil, err
	}
	return append(kv, keyValue{arrowSchemaKey, base64.StdEncoding.EncodeToString(stored)}), nil
}

// serialize returns s as an Arrow IPC schema message.
func serialize(s *arrow.Schema) ([]byte, error) {
	var buf bytes.Buffer
	w := ipc.NewWriter(&buf, ipc.WithSchema(s))
	if err := w.Close(); err != nil {
		return nil, err
	}
	// A stream ends with a marker of 8 bytes, which a message does not have.
	return bytes.TrimSuffix(buf.Bytes(), []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}), nil
}

// storedSchema returns the schema a reader shall see: that of the data, except
// for types that readers cannot make of a Parquet file.
func storedSchema(s *arrow.Schema, largeForViews bool) *arrow.Schema {
	fields := make([]arrow.Field, s.NumFields())
	for i, f := range s.Fields() {
		fields[i] = storedField(f, largeForViews)
	}
	meta := s.Metadata()
	return arrow.NewSchema(fields, &meta)
}

func storedField(f arrow.Field, large bool) arrow.Field {
	f.Type = storedType(f.Type, large)
	return f
}

func storedType(t arrow.DataType, large bool) arrow.DataType {
	switch t := t.(type) {
	case *arrow.StringViewType:
		if large {
			return arrow.BinaryTypes.LargeString
		}
	case *arrow.BinaryViewType:
		if large {
			return arrow.BinaryTypes.LargeBinary
		}
	case *arrow.DictionaryType:
		return &arrow.DictionaryType{IndexType: t.IndexType, ValueType: storedType(t.ValueType, large), Ordered: t.Ordered}
	case *arrow.ListType:
		return arrow.ListOfField(storedField(t.ElemField(), large))
	case *arrow.LargeListType:
		return arrow.LargeListOfField(storedField(t.ElemField(), large))
	case *arrow.FixedSizeListType:
		return arrow.FixedSizeListOfField(t.Len(), storedField(t.ElemField(), large))
	case *arrow.ListViewType:
		return arrow.ListOfField(storedField(t.ElemField(), large))
	case *arrow.LargeListViewType:
		return arrow.LargeListOfField(storedField(t.ElemField(), large))
	case *arrow.StructType:
		fields := make([]arrow.Field, t.NumFields())
		for i, f := range t.Fields() {
			fields[i] = storedField(f, large)
		}
		return arrow.StructOf(fields...)
	case *arrow.MapType:
		m := arrow.MapOfFields(storedField(t.KeyField(), large), storedField(t.ItemField(), large))
		m.KeysSorted = t.KeysSorted
		return m
	}
	return t
}
