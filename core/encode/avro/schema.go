package avro

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
)

// record, field, array and so on are what a schema is made of, in the order in which
// polars writes their attributes.
type record struct {
	Type   string  `json:"type"`
	Name   string  `json:"name"`
	Fields []field `json:"fields"`
}

type field struct {
	Name string `json:"name"`
	Type any    `json:"type"`
}

type list struct {
	Type  string `json:"type"`
	Items any    `json:"items"`
}

type dict struct {
	Type   string `json:"type"`
	Values any    `json:"values"`
}

type fixed struct {
	Type string `json:"type"`
	Name string `json:"name"`
	Size int    `json:"size"`
}

type logical struct {
	Type        string `json:"type"`
	LogicalType string `json:"logicalType"`
}

type decimal struct {
	Type        string `json:"type"`
	LogicalType string `json:"logicalType"`
	Precision   int32  `json:"precision"`
	Scale       int32  `json:"scale,omitempty"`
}

// schemaOf returns the Avro schema of an Arrow schema, as JSON.
func schemaOf(schema *arrow.Schema, name string) (string, error) {
	n := namer{taken: name}
	fields, err := n.fields(schema.Fields(), "")
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(record{"record", name, fields}); err != nil {
		return "", err
	}
	return string(bytes.TrimRight(text.Bytes(), "\n")), nil
}

// namer gives names to the types that need one.
type namer struct {
	taken   string
	records int
	fixeds  int
}

func (n *namer) next(letter string, count *int) string {
	for {
		*count++
		if name := letter + strconv.Itoa(*count); name != n.taken {
			return name
		}
	}
}

// fields are those of a record for Arrow fields below a path.
func (n *namer) fields(fields []arrow.Field, path string) ([]field, error) {
	out := make([]field, len(fields))
	seen := make(map[string]bool, len(fields))
	for i, f := range fields {
		if seen[f.Name] {
			return nil, &encode.ValueError{Format: "avro", Column: path + f.Name, Row: -1, Reason: "another column has the same name; rename one"}
		}
		seen[f.Name] = true
		t, err := n.typeOf(f, path+f.Name)
		if err != nil {
			return nil, err
		}
		out[i] = field{f.Name, t}
	}
	return out, nil
}

// typeOf is the type of a field: a union with null if it may be null.
func (n *namer) typeOf(f arrow.Field, path string) (any, error) {
	t, err := n.valueType(f.Type, path)
	if err != nil || !isUnion(f) {
		return t, err
	}
	return [2]any{"null", t}, nil
}

// isUnion reports whether a field is a union of null and its type.
func isUnion(f arrow.Field) bool { return f.Nullable && valueOf(f.Type).ID() != arrow.NULL }

// valueOf is the type of a dictionary's values, any other type itself.
func valueOf(t arrow.DataType) arrow.DataType {
	for {
		d, ok := t.(*arrow.DictionaryType)
		if !ok {
			return t
		}
		t = d.ValueType
	}
}

// scalars are the types that need no more than their names.
var scalars = map[arrow.Type]any{
	arrow.NULL: "null",
	arrow.BOOL: "boolean",
	arrow.INT8: "int", arrow.INT16: "int", arrow.INT32: "int", arrow.INT64: "long",
	arrow.UINT8: "int", arrow.UINT16: "int", arrow.UINT32: "long",
	arrow.FLOAT16: "float", arrow.FLOAT32: "float", arrow.FLOAT64: "double",
	arrow.STRING: "string", arrow.LARGE_STRING: "string", arrow.STRING_VIEW: "string",
	arrow.BINARY: "bytes", arrow.LARGE_BINARY: "bytes", arrow.BINARY_VIEW: "bytes",
	arrow.DATE32: logical{"int", "date"},
}

var units = map[arrow.TimeUnit]string{arrow.Millisecond: "millis", arrow.Microsecond: "micros", arrow.Nanosecond: "nanos"}

// valueType is the type of the values that are not null.
func (n *namer) valueType(t arrow.DataType, path string) (any, error) {
	t = valueOf(t)
	if s, ok := scalars[t.ID()]; ok {
		return s, nil
	}
	reason := "Avro has no type for it; cast it to one that it has"
	switch t := t.(type) {
	case *arrow.Uint64Type:
		reason = "Avro has no unsigned integers; cast it to int64, or to decimal128(20, 0)"
	case *arrow.Time32Type:
		if t.Unit == arrow.Millisecond {
			return logical{"int", "time-millis"}, nil
		}
		reason = "Avro counts milliseconds and microseconds of a day; cast it to time32[ms]"
	case *arrow.Time64Type:
		if t.Unit == arrow.Microsecond {
			return logical{"long", "time-micros"}, nil
		}
		reason = "Avro counts milliseconds and microseconds of a day; cast it to time64[us]"
	case *arrow.TimestampType:
		unit, ok := units[t.Unit]
		if !ok {
			reason = "Avro counts milliseconds, microseconds and nanoseconds; cast it to milliseconds"
			break
		}
		if t.TimeZone == "" {
			return logical{"long", "local-timestamp-" + unit}, nil
		}
		return logical{"long", "timestamp-" + unit}, nil
	case *arrow.Decimal128Type:
		if t.Scale < 0 || t.Scale > t.Precision {
			reason = "Avro's decimals have a scale from 0 to their precision"
			break
		}
		return decimal{"bytes", "decimal", t.Precision, t.Scale}, nil
	case *arrow.FixedSizeBinaryType:
		return fixed{"fixed", n.next("f", &n.fixeds), t.ByteWidth}, nil
	case *arrow.MapType:
		if keys := t.KeyType().ID(); keys != arrow.STRING && keys != arrow.LARGE_STRING && keys != arrow.STRING_VIEW {
			reason = "the keys of Avro's maps are strings"
			break
		}
		values, err := n.typeOf(t.ItemField(), path+".value")
		return dict{"map", values}, err
	case *arrow.ListType:
		return n.listOf(t.ElemField(), path)
	case *arrow.LargeListType:
		return n.listOf(t.ElemField(), path)
	case *arrow.FixedSizeListType:
		return n.listOf(t.ElemField(), path)
	case *arrow.StructType:
		r := record{"record", n.next("r", &n.records), nil}
		var err error
		r.Fields, err = n.fields(t.Fields(), path+".")
		return r, err
	}
	return nil, &encode.UnsupportedError{Format: "avro", Column: path, Type: t.String(), Reason: reason}
}

func (n *namer) listOf(element arrow.Field, path string) (any, error) {
	items, err := n.typeOf(element, path+".item")
	return list{"array", items}, err
}
