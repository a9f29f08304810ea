package json_test

import (
	"bytes"
	"compress/gzip"
	"context"
	stdjson "encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/json"
)

func labelled(t *testing.T, text string) arrow.RecordBatch {
	return batch(t, text, field("label", arrow.BinaryTypes.String), field("a", arrow.PrimitiveTypes.Int64), field("b/", arrow.PrimitiveTypes.Float64))
}

func TestOrients(t *testing.T) {
	first := labelled(t, `[{"label":"x","a":1,"b/":0.5},{"label":"é","a":null,"b/":2}]`)
	second := labelled(t, `[{"label":"z","a":3,"b/":null}]`)
	for orient, want := range map[string]string{
		json.Split:   `{"columns":["a","b\/"],"index":["x","\u00e9","z"],"data":[[1,0.5],[null,2.0],[3,null]]}`,
		json.Index:   `{"x":{"a":1,"b\/":0.5},"\u00e9":{"a":null,"b\/":2.0},"z":{"a":3,"b\/":null}}`,
		json.Columns: `{"a":{"x":1,"\u00e9":null,"z":3},"b\/":{"x":0.5,"\u00e9":2.0,"z":null}}`,
	} {
		got, err := encoded(&json.Options{Dialect: json.Pandas, Orient: orient, RowLabels: true}, first, second)
		if err != nil || got != want {
			t.Errorf("%s: got %s, %v", orient, got, err)
		}
	}
	got, err := encoded(&json.Options{Dialect: json.Pandas, Orient: json.Values, Unicode: true, Indent: 1}, second)
	if want := "[\n [\n  \"z\",\n  3,\n  null\n ]\n]"; err != nil || got != want {
		t.Errorf("values: got %s, %v", got, err)
	}
	got, err = encoded(&json.Options{Dialect: json.Pandas, Before: `{"n":1,"data":`}, second)
	if want := `{"n":1,"data":[{"label":"z","a":3,"b\/":null}]}`; err != nil || got != want {
		t.Errorf("behind a text: got %s, %v", got, err)
	}
}

func TestOrientsOfNothing(t *testing.T) {
	b := labelled(t, `[]`)
	for orient, want := range map[string]string{
		json.Split: `{"columns":["a","b\/"],"index":[],"data":[]}`, json.Index: `{}`, json.Columns: `{"a":{},"b\/":{}}`,
	} {
		if got, err := encoded(&json.Options{Dialect: json.Pandas, Orient: orient, RowLabels: true}, b); err != nil || got != want {
			t.Errorf("%s: got %s, %v", orient, got, err)
		}
	}
	if got, err := encoded(&json.Options{Dialect: json.Pandas, Lines: true}, b); err != nil || got != "\n" {
		t.Errorf("lines: got %q, %v", got, err)
	}
}

// Any orient with any indent is JSON that holds the same values, also of many rows.
func TestOrientsAreJSON(t *testing.T) {
	var text strings.Builder
	for i := range 5000 {
		text.WriteString(map[bool]string{true: "[", false: ","}[i == 0])
		text.WriteString(`{"label":"row ` + strconv.Itoa(i) + `","a":` + strconv.Itoa(i) + `,"b/":0.25}`)
	}
	b := labelled(t, text.String()+"]")
	for _, orient := range []string{json.Records, json.Values, json.Split, json.Index, json.Columns} {
		for _, indent := range []int{0, 3} {
			o := &json.Options{Dialect: json.Pandas, Orient: orient, Indent: indent, RowLabels: orient != json.Records && orient != json.Values}
			got, err := encoded(o, b, b)
			if err != nil {
				t.Fatal(err)
			}
			if !stdjson.Valid([]byte(got)) || strings.Count(got, "0.25") != 10_000 {
				t.Errorf("%s, indent %d: %.200s", orient, indent, got)
			}
		}
	}
}

func TestOptionErrors(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{field("a", arrow.PrimitiveTypes.Float64)}, nil)
	sixteen, minus := 16, -1
	for what, o := range map[string]*json.Options{
		"dialect":           {Dialect: "nonsense"},
		"orient":            {Dialect: json.Pandas, Orient: "nonsense"},
		"row_labels":        {Dialect: json.Pandas, Orient: json.Index},
		"precision":         {Dialect: json.Pandas, Precision: &sixteen},
		"date_unit":         {Dialect: json.Pandas, DateUnit: "D"},
		"indent":            {Dialect: json.Pandas, Indent: -1},
		"lines":             {Dialect: json.Pandas, Lines: true, Orient: json.Values},
		"labels":            {Dialect: json.Pandas, Labels: []string{"a", "b"}},
		"verbatim":          {Verbatim: []int{0}},
		"compression":       {Compression: "nonsense"},
		"compression_level": {Compression: "gzip", CompressionLevel: &minus},
	} {
		_, err := o.NewEncoder(context.Background(), io.Discard, schema, encode.Env{})
		var option *encode.OptionError
		if !errors.As(err, &option) || option.Option != what {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := (&json.Options{Indent: 2}).NewEncoder(context.Background(), io.Discard, schema, encode.Env{})
	var option *encode.OptionError
	if !errors.As(err, &option) {
		t.Errorf("an option of pandas in polars' dialect: %v", err)
	}
	_, err = (&json.Options{Dialect: json.Pandas, Orient: json.Index, RowLabels: true}).NewEncoder(context.Background(), io.Discard, schema, encode.Env{})
	var unsupported *encode.UnsupportedError
	if !errors.As(err, &unsupported) {
		t.Errorf("floats as labels: %v", err)
	}
}

func TestVerbatim(t *testing.T) {
	b := batch(t, `[{"i":1,"j":"{\"k\":[1]}"},{"i":2,"j":null}]`, field("i", arrow.PrimitiveTypes.Int8), field("j", arrow.BinaryTypes.String))
	got, err := encoded(&json.Options{Verbatim: []int{1}}, b)
	if want := `[{"i":1,"j":{"k":[1]}},{"i":2,"j":null}]`; err != nil || got != want {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestCompressed(t *testing.T) {
	b := batch(t, `[{"i":1},{"i":2}]`, field("i", arrow.PrimitiveTypes.Int8))
	got, err := encoded(&json.Options{Lines: true, Compression: "gzip"}, b)
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(strings.NewReader(got))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(r); err != nil || string(text) != "{\"i\":1}\n{\"i\":2}\n" {
		t.Errorf("%q, %v", text, err)
	}
	o := &json.Options{Compression: "gzip"} // of an array
	if err := o.Check(strings.NewReader(got), int64(len(got)), 2); err == nil {
		t.Error("lines pass for an array")
	}
}

// A batch that cannot be written leaves nothing held.
func TestHeldBatchesAreReleased(t *testing.T) {
	memory := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer memory.AssertSize(t, 0)
	build := array.NewRecordBuilder(memory, arrow.NewSchema([]arrow.Field{field("l", arrow.PrimitiveTypes.Int64), field("a", arrow.PrimitiveTypes.Int64)}, nil))
	defer build.Release()
	for i := range 2 {
		build.Field(i).(*array.Int64Builder).AppendValues([]int64{1, 2, 3}, nil)
	}
	b := build.NewRecordBatch()
	defer b.Release()
	for _, closes := range []bool{true, false} {
		var out bytes.Buffer
		e, err := (&json.Options{Dialect: json.Pandas, Orient: json.Columns, RowLabels: true}).NewEncoder(context.Background(), &out, b.Schema(), encode.Env{})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(e.Write(b), e.Write(b)); err != nil {
			t.Fatal(err)
		}
		if closes {
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
		e.Discard()
	}
}

// Doubles as C's printf rounds them, which pandas' rounding agrees with for numbers
// of few digits.
func TestDoubles(t *testing.T) {
	precision := 3
	for x, want := range map[string]string{
		"0.0005": "0.001", "0.0015": "0.002", "1.9999": "2.0", "-0.25": "-0.25", "1e17": "1e+17", "1e-16": "1e-16", "123456.7891": "123456.789", "-0": "0.0",
	} {
		b := batch(t, `[{"x":`+x+`}]`, field("x", arrow.PrimitiveTypes.Float64))
		got, err := encoded(&json.Options{Dialect: json.Pandas, Orient: json.Values, Precision: &precision}, b)
		if err != nil || got != "[["+want+"]]" {
			t.Errorf("%s became %s, not %s: %v", x, got, want, err)
		}
	}
}
