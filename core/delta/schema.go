package delta

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Schema is that of a table, as its metadata has it as text ("Schema
// Serialization Format").
type Schema struct {
	Fields []Field
}

// Field is a column, or a field of a struct.
type Field struct {
	Name     string
	Type     Type
	Nullable bool
	Metadata map[string]json.RawMessage
}

// Type is the type of a field: a [Primitive], [Struct], [Array] or [Map].
type Type interface {
	fmt.Stringer
	marshal() any
}

// Primitive is a type by its name, such as "long" or "decimal(10,2)".
type Primitive string

// The primitive types. A decimal is written with precision and scale.
const (
	String       Primitive = "string"
	Long         Primitive = "long"
	Integer      Primitive = "integer"
	Short        Primitive = "short"
	Byte         Primitive = "byte"
	Float        Primitive = "float"
	Double       Primitive = "double"
	Boolean      Primitive = "boolean"
	Binary       Primitive = "binary"
	Date         Primitive = "date"
	Timestamp    Primitive = "timestamp"
	TimestampNTZ Primitive = "timestamp_ntz"
	Void         Primitive = "void"
)

// Struct is a type with fields.
type Struct struct{ Fields []Field }

// Array is a list of elements of one type.
type Array struct {
	Element      Type
	ContainsNull bool
}

// Map maps keys to values.
type Map struct {
	Key, Value        Type
	ValueContainsNull bool
}

func (p Primitive) String() string { return string(p) }
func (p Primitive) marshal() any   { return string(p) }

func (s *Struct) String() string {
	parts := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		parts[i] = f.Name + ": " + f.Type.String()
	}
	return "struct<" + strings.Join(parts, ", ") + ">"
}

func (a *Array) String() string { return "array<" + a.Element.String() + ">" }
func (m *Map) String() string   { return "map<" + m.Key.String() + ", " + m.Value.String() + ">" }

type jsonStruct struct {
	Type   string      `json:"type"`
	Fields []jsonField `json:"fields"`
}

type jsonField struct {
	Name     string                     `json:"name"`
	Type     any                        `json:"type"`
	Nullable bool                       `json:"nullable"`
	Metadata map[string]json.RawMessage `json:"metadata"`
}

func marshalFields(fields []Field) any {
	out := jsonStruct{Type: "struct", Fields: make([]jsonField, len(fields))}
	for i, f := range fields {
		meta := f.Metadata
		if meta == nil {
			meta = map[string]json.RawMessage{}
		}
		out.Fields[i] = jsonField{f.Name, f.Type.marshal(), f.Nullable, meta}
	}
	return out
}

func (s *Struct) marshal() any { return marshalFields(s.Fields) }

func (a *Array) marshal() any {
	return struct {
		Type         string `json:"type"`
		ElementType  any    `json:"elementType"`
		ContainsNull bool   `json:"containsNull"`
	}{"array", a.Element.marshal(), a.ContainsNull}
}

func (m *Map) marshal() any {
	return struct {
		Type              string `json:"type"`
		KeyType           any    `json:"keyType"`
		ValueType         any    `json:"valueType"`
		ValueContainsNull bool   `json:"valueContainsNull"`
	}{"map", m.Key.marshal(), m.Value.marshal(), m.ValueContainsNull}
}

// MarshalJSON returns the schema as the log has it.
func (s *Schema) MarshalJSON() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(marshalFields(s.Fields)); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(buf.Bytes()), nil
}

// text is MarshalJSON as the log's string.
func (s *Schema) text() (string, error) {
	b, err := s.MarshalJSON()
	return string(b), err
}

// UnmarshalJSON reads a schema of the log.
func (s *Schema) UnmarshalJSON(b []byte) error {
	t, err := parseType(b, 0)
	if err != nil {
		return err
	}
	st, ok := t.(*Struct)
	if !ok {
		return errors.New("a schema must be a struct")
	}
	s.Fields = st.Fields
	return nil
}

// deepest is how deep types may be nested, so that a hostile log cannot exhaust
// the stack.
const deepest = 200

func parseType(b json.RawMessage, depth int) (Type, error) {
	if depth > deepest {
		return nil, fmt.Errorf("types are nested deeper than %d", deepest)
	}
	b = bytes.TrimSpace(b)
	if len(b) > 0 && b[0] == '"' {
		var name string
		if err := json.Unmarshal(b, &name); err != nil {
			return nil, err
		}
		return primitive(name)
	}
	var t struct {
		Type   string `json:"type"`
		Fields []struct {
			Name     string                     `json:"name"`
			Type     json.RawMessage            `json:"type"`
			Nullable bool                       `json:"nullable"`
			Metadata map[string]json.RawMessage `json:"metadata"`
		} `json:"fields"`
		ElementType       json.RawMessage `json:"elementType"`
		ContainsNull      bool            `json:"containsNull"`
		KeyType           json.RawMessage `json:"keyType"`
		ValueType         json.RawMessage `json:"valueType"`
		ValueContainsNull bool            `json:"valueContainsNull"`
	}
	if err := json.Unmarshal(b, &t); err != nil {
		return nil, err
	}
	switch t.Type {
	case "struct":
		s := &Struct{Fields: make([]Field, len(t.Fields))}
		for i, f := range t.Fields {
			typ, err := parseType(f.Type, depth+1)
			if err != nil {
				return nil, fmt.Errorf("field %q: %w", f.Name, err)
			}
			s.Fields[i] = Field{f.Name, typ, f.Nullable, f.Metadata}
		}
		return s, nil
	case "array":
		element, err := parseType(t.ElementType, depth+1)
		return &Array{element, t.ContainsNull}, err
	case "map":
		key, err := parseType(t.KeyType, depth+1)
		if err != nil {
			return nil, err
		}
		value, err := parseType(t.ValueType, depth+1)
		return &Map{key, value, t.ValueContainsNull}, err
	}
	return nil, fmt.Errorf("type %q is unknown", t.Type)
}

var decimalName = regexp.MustCompile(`^decimal\(\s*(\d{1,2})\s*,\s*(-?\d{1,2})\s*\)$`)

func primitive(name string) (Type, error) {
	switch p := Primitive(name); p {
	case String, Long, Integer, Short, Byte, Float, Double, Boolean, Binary, Date, Timestamp, TimestampNTZ, Void:
		return p, nil
	}
	if name == "decimal" {
		return Primitive("decimal(10,0)"), nil
	}
	if p, s, ok := Primitive(name).decimal(); ok {
		return decimalOf(p, s), nil
	}
	return nil, fmt.Errorf("type %q is unknown", name)
}

func decimalOf(precision, scale int32) Primitive {
	return Primitive(fmt.Sprintf("decimal(%d,%d)", precision, scale))
}

// decimal returns precision and scale of a decimal.
func (p Primitive) decimal() (precision, scale int32, ok bool) {
	m := decimalName.FindStringSubmatch(string(p))
	if m == nil {
		return 0, 0, false
	}
	a, _ := strconv.Atoi(m[1])
	b, _ := strconv.Atoi(m[2])
	return int32(a), int32(b), a >= 1 && a <= 38 && b >= 0 && b <= a
}

// parseSchema reads the schema of a table's metadata.
func parseSchema(text string) (*Schema, error) {
	s := new(Schema)
	if err := s.UnmarshalJSON([]byte(text)); err != nil {
		return nil, fmt.Errorf("its schema cannot be read: %w", err)
	}
	return s, nil
}

// field returns the column of a name, which like all engines it finds by any
// letter case if the exact one is not there.
func (s *Schema) field(name string) (int, bool) {
	for i, f := range s.Fields {
		if f.Name == name {
			return i, true
		}
	}
	for i, f := range s.Fields {
		if strings.EqualFold(f.Name, name) {
			return i, true
		}
	}
	return 0, false
}

// sameType says whether values of a and b are stored alike. What may be null is
// left out of account.
func sameType(a, b Type) bool {
	switch a := a.(type) {
	case Primitive:
		return a == b
	case *Array:
		b, ok := b.(*Array)
		return ok && sameType(a.Element, b.Element)
	case *Map:
		b, ok := b.(*Map)
		return ok && sameType(a.Key, b.Key) && sameType(a.Value, b.Value)
	case *Struct:
		b, ok := b.(*Struct)
		if !ok || len(a.Fields) != len(b.Fields) {
			return false
		}
		for i, f := range a.Fields {
			if f.Name != b.Fields[i].Name || !sameType(f.Type, b.Fields[i].Type) {
				return false
			}
		}
		return true
	}
	return false
}

// has says whether any type within t satisfies f.
func has(t Type, f func(Type) bool) bool {
	if f(t) {
		return true
	}
	switch t := t.(type) {
	case *Struct:
		for _, x := range t.Fields {
			if has(x.Type, f) {
				return true
			}
		}
	case *Array:
		return has(t.Element, f)
	case *Map:
		return has(t.Key, f) || has(t.Value, f)
	}
	return false
}

// walkFields calls f with each field of the schema, also nested ones, and its
// dotted path.
func (s *Schema) walkFields(f func(path string, x Field)) {
	var walk func(prefix string, t Type)
	fields := func(prefix string, fs []Field) {
		for _, x := range fs {
			path := prefix + x.Name
			f(path, x)
			walk(path+".", x.Type)
		}
	}
	walk = func(prefix string, t Type) {
		switch t := t.(type) {
		case *Struct:
			fields(prefix, t.Fields)
		case *Array:
			walk(prefix+"element.", t.Element)
		case *Map:
			walk(prefix+"key.", t.Key)
			walk(prefix+"value.", t.Value)
		}
	}
	fields("", s.Fields)
}
