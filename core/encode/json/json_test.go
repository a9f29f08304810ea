package json_test

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/json"
)

func batch(t testing.TB, text string, fields ...arrow.Field) arrow.RecordBatch {
	t.Helper()
	b, _, err := array.RecordFromJSON(memory.DefaultAllocator, arrow.NewSchema(fields, nil), strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Release)
	return b
}

func encoded(o *json.Options, batches ...arrow.RecordBatch) (string, error) {
	var out bytes.Buffer
	e, err := o.NewEncoder(context.Background(), &out, batches[0].Schema(), encode.Env{})
	if err != nil {
		return "", err
	}
	defer e.Discard()
	rows := int64(0)
	for _, b := range batches {
		if err := e.Write(b); err != nil {
			return "", err
		}
		rows += b.NumRows()
	}
	if err := e.Close(); err != nil {
		return "", err
	}
	return out.String(), o.Check(bytes.NewReader(out.Bytes()), int64(out.Len()), rows)
}

func field(name string, t arrow.DataType) arrow.Field {
	return arrow.Field{Name: name, Type: t, Nullable: true}
}

func TestObjects(t *testing.T) {
	b := batch(t, `[{"i":-1,"f":1e20,"s":"a\"\u0001é","l":[1,null]},{"i":null,"f":0.5,"s":"","l":null}]`,
		field("i", arrow.PrimitiveTypes.Int8), field("f", arrow.PrimitiveTypes.Float64),
		field("s", arrow.BinaryTypes.String), field("l", arrow.ListOf(arrow.PrimitiveTypes.Int64)))
	const first, second = `{"i":-1,"f":1e+20,"s":"a\"\u0001é","l":[1,null]}`, `{"i":null,"f":0.5,"s":"","l":null}`
	for lines, want := range map[bool]string{
		true:  first + "\n" + second + "\n" + first + "\n" + second + "\n",
		false: "[" + first + "," + second + "," + first + "," + second + "]",
	} {
		got, err := encoded(&json.Options{Lines: lines}, b, b)
		if err != nil || got != want {
			t.Errorf("lines %v: got %s, %v", lines, got, err)
		}
	}
}

func TestNothing(t *testing.T) {
	b := batch(t, `[]`, field("i", arrow.PrimitiveTypes.Int8))
	for lines, want := range map[bool]string{true: "", false: "[]"} {
		if got, err := encoded(&json.Options{Lines: lines}, b); err != nil || got != want {
			t.Errorf("lines %v: got %q, %v", lines, got, err)
		}
	}
}

func TestUnsupported(t *testing.T) {
	for _, ty := range []arrow.DataType{
		arrow.BinaryTypes.Binary, &arrow.Decimal256Type{Precision: 50, Scale: 2}, arrow.FixedWidthTypes.Time32s,
		&arrow.TimestampType{Unit: arrow.Second, TimeZone: "Asia/Seoul"}, arrow.StructOf(field("x", arrow.BinaryTypes.Binary)),
	} {
		_, err := (&json.Options{}).NewEncoder(context.Background(), nil, arrow.NewSchema([]arrow.Field{field("c", ty)}, nil), encode.Env{})
		var unsupported *encode.UnsupportedError
		if !errors.As(err, &unsupported) || !strings.HasPrefix(unsupported.Column, "c") {
			t.Errorf("%v: %v", ty, err)
		}
	}
}

func TestBeyondTheCalendar(t *testing.T) {
	b := batch(t, `[{"d":0},{"d":2000000000}]`, field("d", arrow.FixedWidthTypes.Date32))
	_, err := encoded(&json.Options{}, b)
	var value *encode.ValueError
	if !errors.As(err, &value) || value.Row != 1 || value.Column != "d" {
		t.Errorf("%v", err)
	}
}

func TestCheck(t *testing.T) {
	for text, o := range map[string]*json.Options{
		`{"a":1}`: {Lines: true}, `[{"a":1}`: {}, `{"a":1}]`: {}, "": {}, "\n": {Lines: true},
	} {
		if err := o.Check(strings.NewReader(text), int64(len(text)), 1); err == nil {
			t.Errorf("%q passes for %s", text, o.Format())
		}
	}
}

// What encoding/json makes of a string's JSON is the string, if it is UTF-8.
func FuzzStrings(f *testing.F) {
	for _, s := range []string{"", `"\/`, "\x00\x1f\x7f", "é🦆\u2028"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "?")
		b := array.NewStringBuilder(memory.DefaultAllocator)
		defer b.Release()
		b.Append(s)
		a := b.NewArray()
		defer a.Release()
		r := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{field("s", a.DataType())}, nil), []arrow.Array{a}, 1)
		defer r.Release()
		text, err := encoded(&json.Options{Lines: true}, r)
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ S string }
		if err := stdjson.Unmarshal([]byte(text), &got); err != nil || got.S != s {
			t.Errorf("%q became %s: %q, %v", s, text, got.S, err)
		}
	})
}
