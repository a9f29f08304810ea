package avro

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/twmb/avro/ocf"

	"github.com/seojaeohcode/atio/core/encode"
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

func column(name string, t arrow.DataType) arrow.Field {
	return arrow.Field{Name: name, Type: t, Nullable: true}
}

func encoded(o *Options, workers int, batches ...arrow.RecordBatch) ([]byte, error) {
	var out bytes.Buffer
	e, err := o.NewEncoder(context.Background(), &out, batches[0].Schema(), encode.Env{Workers: workers})
	if err != nil {
		return nil, err
	}
	defer e.Discard()
	rows := int64(0)
	for _, b := range batches {
		if err := e.Write(b); err != nil {
			return nil, err
		}
		rows += b.NumRows()
	}
	if err := e.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), o.Check(bytes.NewReader(out.Bytes()), int64(out.Len()), rows)
}

// read reads a file by the library.
func read(t testing.TB, file []byte) (schema string, records []any) {
	t.Helper()
	r, err := ocf.NewReader(bytes.NewReader(file), ocf.WithSchemaOpts(anyNames))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		var record any
		if err := r.Decode(&record); errors.Is(err, io.EOF) {
			return string(r.Metadata()["avro.schema"]), records
		} else if err != nil {
			t.Fatal(err)
		}
		records = append(records, record)
	}
}

var everyCodec = []string{"", Uncompressed, Snappy, Deflate}

func TestReadByTheLibrary(t *testing.T) {
	structs := arrow.StructOf(column("x", arrow.PrimitiveTypes.Int64), column("y", arrow.BinaryTypes.String))
	b := batch(t, `[
		{"i":-1,"l":9007199254740992,"d":1.5,"b":true,"s":"é","n":null,"a":[1,null],"r":{"x":1,"y":null},"m":[{"key":"k","value":2}]},
		{"i":null,"l":null,"d":null,"b":null,"s":null,"n":null,"a":null,"r":null,"m":null},
		{"i":2147483647,"l":-64,"d":-0.25,"b":false,"s":"a text that is not inline","n":null,"a":[],"r":{"x":null,"y":"z"},"m":[]}]`,
		column("i", arrow.PrimitiveTypes.Int32), column("l", arrow.PrimitiveTypes.Int64), column("d", arrow.PrimitiveTypes.Float64),
		column("b", arrow.FixedWidthTypes.Boolean), column("s", arrow.BinaryTypes.StringView), column("n", arrow.Null),
		column("a", arrow.ListOf(arrow.PrimitiveTypes.Int32)), column("r", structs),
		column("m", arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64)))
	type record = map[string]any
	want := []any{
		record{"i": int32(-1), "l": int64(1 << 53), "d": 1.5, "b": true, "s": "é", "n": nil,
			"a": []any{int32(1), nil}, "r": record{"x": int64(1), "y": nil}, "m": record{"k": int64(2)}},
		record{"i": nil, "l": nil, "d": nil, "b": nil, "s": nil, "n": nil, "a": nil, "r": nil, "m": nil},
		record{"i": int32(math.MaxInt32), "l": int64(-64), "d": -0.25, "b": false, "s": "a text that is not inline", "n": nil,
			"a": []any{}, "r": record{"x": nil, "y": "z"}, "m": record{}},
	}
	for _, codec := range everyCodec {
		for _, workers := range []int{1, 3} {
			file, err := encoded(&Options{Compression: codec}, workers, b, b)
			if err != nil {
				t.Fatal(err)
			}
			if _, got := read(t, file); !reflect.DeepEqual(got, append(want, want...)) {
				t.Errorf("%s: got %v, want twice %v", codec, got, want)
			}
			slice := b.NewSlice(2, 3)
			defer slice.Release()
			if file, err = encoded(&Options{Compression: codec}, workers, slice); err != nil {
				t.Fatal(err)
			}
			if _, got := read(t, file); !reflect.DeepEqual(got, want[2:]) {
				t.Errorf("%s: got %v of a slice", codec, got)
			}
		}
	}
}

func TestSchemas(t *testing.T) {
	structs := arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int64}, column("y", arrow.StructOf()))
	for _, c := range []struct {
		dataType arrow.DataType
		nullable bool
		want     string
	}{
		{arrow.PrimitiveTypes.Int8, true, `["null","int"]`},
		{arrow.PrimitiveTypes.Uint32, false, `"long"`},
		{arrow.FixedWidthTypes.Float16, false, `"float"`},
		{arrow.Null, true, `"null"`},
		{arrow.FixedWidthTypes.Date32, true, `["null",{"type":"int","logicalType":"date"}]`},
		{arrow.FixedWidthTypes.Time32ms, false, `{"type":"int","logicalType":"time-millis"}`},
		{arrow.FixedWidthTypes.Time64us, false, `{"type":"long","logicalType":"time-micros"}`},
		{arrow.FixedWidthTypes.Timestamp_ms, false, `{"type":"long","logicalType":"timestamp-millis"}`},
		{&arrow.TimestampType{Unit: arrow.Nanosecond}, false, `{"type":"long","logicalType":"local-timestamp-nanos"}`},
		{&arrow.Decimal128Type{Precision: 9, Scale: 2}, false, `{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`},
		{&arrow.FixedSizeBinaryType{ByteWidth: 3}, false, `{"type":"fixed","name":"f1","size":3}`},
		{arrow.ListOf(arrow.PrimitiveTypes.Int32), true, `["null",{"type":"array","items":["null","int"]}]`},
		{arrow.LargeListOfNonNullable(arrow.BinaryTypes.LargeString), false, `{"type":"array","items":"string"}`},
		{arrow.FixedSizeListOf(2, arrow.BinaryTypes.BinaryView), false, `{"type":"array","items":["null","bytes"]}`},
		{arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Float32), false, `{"type":"map","values":["null","float"]}`},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, true, `["null","string"]`},
		{structs, false, `{"type":"record","name":"r2","fields":[{"name":"x","type":"long"},{"name":"y","type":["null",{"type":"record","name":"r3","fields":[]}]}]}`},
	} {
		schema := arrow.NewSchema([]arrow.Field{{Name: "<é>", Type: c.dataType, Nullable: c.nullable}}, nil)
		got, err := schemaOf(schema, "r1")
		if want := `{"type":"record","name":"r1","fields":[{"name":"<é>","type":` + c.want + `}]}`; err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", c.dataType, got, err, want)
		}
		if _, err := headerOf(got, "r1", null); err != nil {
			t.Error(err)
		}
	}
}

func TestNames(t *testing.T) {
	for name, o := range map[string]*Options{"record": {}, "": {Unnamed: true}, "a.b": {Name: "a.b"}} {
		file, err := encoded(o, 1, batch(t, `[{"a b":1}]`, column("a b", arrow.PrimitiveTypes.Int64)))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := read(t, file)
		var schema record
		if err := json.Unmarshal([]byte(text), &schema); err != nil || schema.Name != name || schema.Fields[0].Name != "a b" {
			t.Errorf("%v: %s", err, text)
		}
	}
}

func TestNothing(t *testing.T) {
	for _, codec := range everyCodec {
		file, err := encoded(&Options{Compression: codec}, 0, batch(t, `[]`, column("i", arrow.PrimitiveTypes.Int32), column("b", arrow.FixedWidthTypes.Boolean), column("v", arrow.BinaryTypes.StringView)))
		if err != nil {
			t.Fatal(err)
		}
		if _, got := read(t, file); got != nil {
			t.Errorf("%s: got %v", codec, got)
		}
	}
	// Records without fields are no bytes, but they can be counted.
	none := array.NewRecordBatch(arrow.NewSchema(nil, nil), nil, 3)
	defer none.Release()
	file, err := encoded(&Options{}, 0, none)
	if err != nil {
		t.Fatal(err)
	}
	if _, got := read(t, file); len(got) != 3 {
		t.Errorf("got %v", got)
	}
}

func TestDecimals(t *testing.T) {
	var values []string
	for k := range 124 {
		for j := -1; j <= 1; j++ {
			n := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), uint(k)), big.NewInt(int64(j)))
			values = append(values, n.String(), n.Neg(n).String())
		}
	}
	var text strings.Builder
	for _, v := range values {
		fmt.Fprintf(&text, `{"d":%q}`, v)
	}
	b := batch(t, "["+strings.ReplaceAll(text.String(), "}{", "},{")+"]", column("d", &arrow.Decimal128Type{Precision: 38}))
	file, err := encoded(&Options{}, 2, b)
	if err != nil {
		t.Fatal(err)
	}
	_, records := read(t, file)
	for i, r := range records {
		got := fmt.Sprint(r.(map[string]any)["d"])
		if got = strings.TrimSuffix(got, "/1"); got != values[i] {
			t.Errorf("got %s, want %s", got, values[i])
		}
	}
}

func TestUnsupported(t *testing.T) {
	for _, ty := range []arrow.DataType{
		arrow.PrimitiveTypes.Uint64, arrow.FixedWidthTypes.Time32s, arrow.FixedWidthTypes.Time64ns, arrow.FixedWidthTypes.Timestamp_s,
		arrow.FixedWidthTypes.Duration_us, arrow.FixedWidthTypes.Date64, arrow.FixedWidthTypes.MonthInterval,
		&arrow.Decimal256Type{Precision: 50}, &arrow.Decimal128Type{Precision: 5, Scale: -1},
		arrow.MapOf(arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int8), arrow.ListViewOf(arrow.PrimitiveTypes.Int8),
		arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int8),
		arrow.ListOf(arrow.StructOf(column("x", arrow.PrimitiveTypes.Uint64))),
	} {
		_, err := new(Options).NewEncoder(context.Background(), nil, arrow.NewSchema([]arrow.Field{column("a", ty)}, nil), encode.Env{})
		var u *encode.UnsupportedError
		if !errors.As(err, &u) || !strings.HasPrefix(u.Column, "a") || u.Reason == "" {
			t.Errorf("%s: %v", ty, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	b := batch(t, `[{"a":1}]`, column("a", arrow.PrimitiveTypes.Int64))
	for _, o := range []*Options{{Compression: "gzip"}, {Unnamed: true, Name: "x"}, {Name: "long"}} {
		var wrong *encode.OptionError
		if _, err := encoded(o, 1, b); !errors.As(err, &wrong) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, other := range []arrow.RecordBatch{
		batch(t, `[{"a":"x"}]`, column("a", arrow.BinaryTypes.String)),
		batch(t, `[{"b":1}]`, column("b", arrow.PrimitiveTypes.Int64)),
		batch(t, `[{"a":1,"b":1}]`, column("a", arrow.PrimitiveTypes.Int64), column("b", arrow.PrimitiveTypes.Int64)),
	} {
		if _, err := encoded(&Options{}, 1, b, other); err == nil || !strings.Contains(err.Error(), "all batches have the same") {
			t.Errorf("a batch of other columns: %v", err)
		}
	}
	nulls := batch(t, `[{"a":1},{"a":null}]`, arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int64})
	var value *encode.ValueError
	if _, err := encoded(&Options{}, 1, nulls); !errors.As(err, &value) || value.Row != 1 {
		t.Errorf("a null that may not be: %v", err)
	}
	twice := arrow.StructOf(column("a", arrow.Null), column("a", arrow.Null))
	for _, fields := range [][]arrow.Field{twice.Fields(), {column("t", twice)}} {
		if _, err := new(Options).NewEncoder(context.Background(), nil, arrow.NewSchema(fields, nil), encode.Env{}); !errors.As(err, &value) {
			t.Errorf("two columns of one name: %v", err)
		}
	}
}

func TestSameDataMakeTheSameFile(t *testing.T) {
	files := map[string]bool{}
	for _, text := range []string{`[]`, `[{"a":1}]`, `[{"a":2}]`} {
		b := batch(t, text, column("a", arrow.PrimitiveTypes.Int64))
		var markers []string
		for range 2 {
			file, err := encoded(&Options{}, 2, b)
			if err != nil {
				t.Fatal(err)
			}
			markers = append(markers, string(file[len(file)-markerSize:]))
			files[markers[0]] = true
		}
		if markers[0] != markers[1] {
			t.Errorf("%s: two markers", text)
		}
	}
	if len(files) != 3 {
		t.Errorf("%d markers for 3 files", len(files))
	}
}

// Blocks are of about the same size, whatever the rows are.
func TestBlocks(t *testing.T) {
	texts := array.NewStringBuilder(memory.DefaultAllocator)
	defer texts.Release()
	for range 50_000 {
		texts.Append("x")
	}
	for range 2000 {
		texts.Append(strings.Repeat("y", 5000))
	}
	texts.Append(strings.Repeat("z", 10*maxBlockBytes))
	values := texts.NewArray()
	defer values.Release()
	b := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{column("s", arrow.BinaryTypes.String)}, nil), []arrow.Array{values}, int64(values.Len()))
	defer b.Release()
	file, err := encoded(&Options{}, 2, b)
	if err != nil {
		t.Fatal(err)
	}
	_, records := read(t, file)
	for i, r := range records {
		if got := r.(map[string]any)["s"]; got != values.(*array.String).Value(i) {
			t.Fatalf("record %d is wrong", i)
		}
	}
	if len(records) != values.Len() {
		t.Errorf("%d records", len(records))
	}
}

func TestSpoiledFiles(t *testing.T) {
	b := batch(t, `[{"a":1},{"a":2}]`, column("a", arrow.PrimitiveTypes.Int64))
	file, err := encoded(&Options{Compression: Snappy}, 1, b, b)
	if err != nil {
		t.Fatal(err)
	}
	var wrong *encode.CheckError
	for n := range file {
		// A file that ends with its first block is whole, but has too few records.
		if err := new(Options).Check(bytes.NewReader(file[:n]), int64(n), 4); !errors.As(err, &wrong) {
			t.Errorf("%d of %d bytes: %v", n, len(file), err)
		}
	}
	for _, rows := range []int64{0, 3, 5} {
		if err := new(Options).Check(bytes.NewReader(file), int64(len(file)), rows); !errors.As(err, &wrong) {
			t.Errorf("%d rows: %v", rows, err)
		}
	}
	for at := len(file) - markerSize; at < len(file); at++ {
		spoiled := bytes.Clone(file)
		spoiled[at] ^= 1
		if err := new(Options).Check(bytes.NewReader(spoiled), int64(len(file)), 4); !errors.As(err, &wrong) {
			t.Errorf("byte %d: %v", at, err)
		}
	}
}

// slow is a writer that is cancelled while it writes.
type slow struct{ cancel func() }

func (s slow) Write(p []byte) (int, error) {
	s.cancel()
	return len(p), nil
}

func TestCancelled(t *testing.T) {
	goroutines := runtime.NumGoroutine()
	values := array.NewInt64Builder(memory.DefaultAllocator)
	defer values.Release()
	values.AppendValues(make([]int64, 10_000_000), nil)
	a := values.NewArray()
	defer a.Release()
	b := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{column("a", arrow.PrimitiveTypes.Int64)}, nil), []arrow.Array{a}, int64(a.Len()))
	defer b.Release()
	for _, workers := range []int{1, 2} {
		ctx, cancel := context.WithCancel(context.Background())
		e, err := (&Options{Compression: Deflate}).NewEncoder(ctx, slow{cancel}, b.Schema(), encode.Env{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		err = e.Write(b)
		if err == nil {
			err = e.Close()
		}
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		e.Discard()
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > goroutines; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left", runtime.NumGoroutine()-goroutines)
		}
	}
}

func TestClosed(t *testing.T) {
	b := batch(t, `[{"a":1}]`, column("a", arrow.PrimitiveTypes.Int64))
	e, err := new(Options).NewEncoder(context.Background(), &bytes.Buffer{}, b.Schema(), encode.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := e.Write(b); !errors.Is(err, errClosed) {
		t.Error(err)
	}
	if err := e.Close(); !errors.Is(err, errClosed) {
		t.Error(err)
	}
}

func BenchmarkWrite(b *testing.B) {
	const rows = 200_000
	builder := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
		column("i", arrow.PrimitiveTypes.Int64), column("x", arrow.PrimitiveTypes.Float64), column("s", arrow.BinaryTypes.StringView),
	}, nil))
	defer builder.Release()
	for i := range rows {
		builder.Field(0).(*array.Int64Builder).Append(int64(i))
		builder.Field(1).(*array.Float64Builder).Append(float64(i) / 7)
		builder.Field(2).(*array.StringViewBuilder).Append("text " + fmt.Sprint(i%1000))
	}
	batch := builder.NewRecordBatch()
	defer batch.Release()
	for _, codec := range everyCodec[1:] {
		b.Run(codec, func(b *testing.B) {
			for range b.N {
				e, err := (&Options{Compression: codec}).NewEncoder(context.Background(), io.Discard, batch.Schema(), encode.Env{})
				if err != nil {
					b.Fatal(err)
				}
				if err := e.Write(batch); err != nil {
					b.Fatal(err)
				}
				if err := e.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
