package csv

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/progress"
)

var micros = &arrow.TimestampType{Unit: arrow.Microsecond}

// arrayOf reads an array from JSON, as arrow-go does.
func arrayOf(t testing.TB, mem memory.Allocator, dt arrow.DataType, text string) arrow.Array {
	t.Helper()
	a, _, err := array.FromJSON(mem, dt, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

type col struct {
	name string
	dt   arrow.DataType
	json string
}

func batchOf(t testing.TB, mem memory.Allocator, cols ...col) arrow.RecordBatch {
	t.Helper()
	fields := make([]arrow.Field, len(cols))
	arrays := make([]arrow.Array, len(cols))
	for i, c := range cols {
		fields[i] = arrow.Field{Name: c.name, Type: c.dt, Nullable: true}
		arrays[i] = arrayOf(t, mem, c.dt, c.json)
		defer arrays[i].Release()
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, int64(arrays[0].Len()))
}

func write(o *Options, batches ...arrow.RecordBatch) (string, error) {
	var out bytes.Buffer
	e, err := o.NewEncoder(context.Background(), &out, batches[0].Schema(), encode.Env{Workers: 3})
	if err != nil {
		return "", err
	}
	defer e.Discard()
	rows := int64(0)
	for _, b := range batches {
		rows += b.NumRows()
		if err := e.Write(b); err != nil {
			return "", err
		}
	}
	if err := e.Close(); err != nil {
		return "", err
	}
	return out.String(), o.Check(bytes.NewReader(out.Bytes()), int64(out.Len()), rows)
}

func wantText(t *testing.T, o *Options, want string, batches ...arrow.RecordBatch) {
	t.Helper()
	got, err := write(o, batches...)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("%+v:\ngot\n%s\nwant\n%s", *o, got, want)
	}
}

func everything(t testing.TB, mem memory.Allocator) arrow.RecordBatch {
	dict := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint8, ValueType: arrow.BinaryTypes.String}
	return batchOf(t, mem,
		col{"i8", arrow.PrimitiveTypes.Int8, `[-128, 127, null, 0]`},
		col{"u64", arrow.PrimitiveTypes.Uint64, `[18446744073709551615, 0, 10, null]`},
		col{"f64", arrow.PrimitiveTypes.Float64, `[1e16, 0.1, null, 1e-5]`},
		col{"f32", arrow.PrimitiveTypes.Float32, `[1e13, null, 0.1, 16777216]`},
		col{"f16", arrow.FixedWidthTypes.Float16, `[0.5, 1024, null, 0.1]`},
		col{"b", arrow.FixedWidthTypes.Boolean, `[true, null, false, true]`},
		col{"s", arrow.BinaryTypes.String, `["a", "", null, "b,c"]`},
		col{"S", arrow.BinaryTypes.LargeString, `["say \"hi\"", "x", "y\nz", null]`},
		col{"v", arrow.BinaryTypes.StringView, `["long enough not to be inlined", null, "r\r", "short"]`},
		col{"d", arrow.FixedWidthTypes.Date32, `["2024-02-29", "1969-12-31", null, "0999-01-01"]`},
		col{"t", micros, `["2024-02-29 23:59:59.123456", null, "1969-12-31 23:59:59", "2000-01-01"]`},
		col{"c", dict, `["one", "two,", null, "one"]`},
		col{"n", arrow.Null, `[null, null, null, null]`},
	)
}

func TestPolarsDialect(t *testing.T) {
	wantText(t, &Options{}, `i8,u64,f64,f32,f16,b,s,S,v,d,t,c,n
-128,18446744073709551615,1e+16,1e+13,0.5,true,a,"say ""hi""",long enough not to be inlined,2024-02-29,2024-02-29T23:59:59.123456,one,
127,0,0.1,,1024.0,,"",x,,1969-12-31,,"two,",
,10,,0.1,,false,,"y
z","r`+"\r"+`",,1969-12-31T23:59:59.000000,,
0,,0.00001,16777216.0,0.099975586,true,"b,c",,short,0999-01-01,2000-01-01T00:00:00.000000,one,
`, everything(t, memory.DefaultAllocator))
}

func TestPandasDialect(t *testing.T) {
	wantText(t, &Options{Dialect: Pandas, Separator: ";", Null: "NA", Header: []string{"", "x;y"}}, `;"x;y"
-128;18446744073709551615;1e+16;1e+13;0.5;True;a;"say ""hi""";long enough not to be inlined;2024-02-29;2024-02-29 23:59:59.123456;one;NA
127;0;0.1;NA;1.024e+03;NA;;x;NA;1969-12-31;NA;two,;NA
NA;10;NA;0.1;NA;False;NA;"y
z";"r`+"\r"+`";NA;1969-12-31 23:59:59.000000;NA;NA
0;NA;1e-05;1.6777216e+07;0.1;True;b,c;NA;short;0999-01-01;2000-01-01 00:00:00.000000;one;NA
`, everything(t, memory.DefaultAllocator))
	wantText(t, &Options{Dialect: Pandas, NoHeader: true, FloatFormat: "%.2f",
		Compat: Compat{BareCR: true, BareYear: true, Float32Digits: 16, Float16Digits: 16}},
		`-128,18446744073709551615,10000000000000000.00,9999999827968.00,0.50,True,a,"say ""hi""",long enough not to be inlined,2024-02-29,2024-02-29 23:59:59.123456,one,
127,0,0.10,,1024.00,,,x,,1969-12-31,,"two,",
,10,,0.10,,False,,"y
z",r`+"\r"+`,,1969-12-31 23:59:59.000000,,
0,,0.00,16777216.00,0.10,True,"b,c",,short,999-01-01,2000-01-01 00:00:00.000000,one,
`, everything(t, memory.DefaultAllocator))
}

// TestSlices holds every slice of a batch against the lines of the whole.
func TestSlices(t *testing.T) {
	mem := memory.DefaultAllocator
	parts := []arrow.RecordBatch{everything(t, mem), everything(t, mem), everything(t, mem)}
	arrays := make([]arrow.Array, parts[0].NumCols())
	for i := range arrays {
		a, err := array.Concatenate([]arrow.Array{parts[0].Column(i), parts[1].Column(i), parts[2].Column(i)}, mem)
		if err != nil {
			t.Fatal(err)
		}
		arrays[i] = a
	}
	whole := array.NewRecordBatch(parts[0].Schema(), arrays, 12)
	for _, o := range []*Options{{NoHeader: true}, {NoHeader: true, Dialect: Pandas, ChunkRows: 1}} {
		var lines []string
		for i := range int64(12) {
			line, err := write(o, whole.NewSlice(i, i+1))
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, line)
		}
		for lo := range 12 {
			for hi := lo + 1; hi <= 12; hi++ {
				wantText(t, o, strings.Join(lines[lo:hi], ""), whole.NewSlice(int64(lo), int64(hi)))
			}
		}
	}
}

func TestSingleEmptyField(t *testing.T) {
	mem := memory.DefaultAllocator
	b := batchOf(t, mem, col{"", arrow.BinaryTypes.String, `["", null, "x"]`})
	wantText(t, &Options{}, "\"\"\n\"\"\n\nx\n", b)
	wantText(t, &Options{Dialect: Pandas}, "\"\"\n\"\"\n\"\"\nx\n", b)
	wantText(t, &Options{Dialect: Pandas, Null: "-"}, "\"\"\n\"\"\n-\nx\n", b)
	f := batchOf(t, mem, col{"f", arrow.PrimitiveTypes.Float64, `[null, 1]`})
	wantText(t, &Options{Dialect: Pandas}, "f\n\"\"\n1.0\n", f)
}

func TestNaN(t *testing.T) {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	b.AppendValues([]float64{math.NaN(), math.Inf(1), math.Inf(-1)}, nil)
	a := b.NewArray()
	batch := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "x", Type: a.DataType()}}, nil), []arrow.Array{a}, 3)
	wantText(t, &Options{Null: "null"}, "x\nNaN\ninf\n-inf\n", batch)
	wantText(t, &Options{Dialect: Pandas, Null: "n,a"}, "x\n\"n,a\"\ninf\n-inf\n", batch)
	for _, f := range []string{"%.1f", "%e", "%g"} {
		wantText(t, &Options{Dialect: Pandas, Null: "NA", FloatFormat: f}, "x\nNA\ninf\n-inf\n", batch)
	}
}

// TestSeparatorsInNumbers: Python's csv module quotes numbers that hold the
// separator, polars does not.
func TestSeparatorsInNumbers(t *testing.T) {
	b := batchOf(t, memory.DefaultAllocator,
		col{"x", arrow.PrimitiveTypes.Float64, `[1.5, null]`},
		col{"b", arrow.FixedWidthTypes.Boolean, `[true, false]`},
		col{"t", micros, `["2024-01-01 10:00:00", null]`})
	wantText(t, &Options{Separator: "."}, "x.b.t\n1.5.true.2024-01-01T10:00:00.000000\n.false.\n", b)
	wantText(t, &Options{Dialect: Pandas, Separator: ".", Null: "."}, "x.b.t\n\"1.5\".True.2024-01-01 10:00:00\n\".\".False.\".\"\n", b)
	wantText(t, &Options{Dialect: Pandas, Separator: "e"}, "xebet\n1.5e\"True\"e2024-01-01 10:00:00\ne\"False\"e\n", b)
	wantText(t, &Options{Dialect: Pandas, Separator: " "}, "x b t\n1.5 True \"2024-01-01 10:00:00\"\n False \n", b)
}

func TestDictionaries(t *testing.T) {
	mem := memory.DefaultAllocator
	// A null in the dictionary itself, a dictionary of timestamps, and one without entries.
	values := arrayOf(t, mem, arrow.BinaryTypes.StringView, `["x,y", null, ""]`)
	indices := arrayOf(t, mem, arrow.PrimitiveTypes.Int64, `[0, 1, 2, null]`)
	a := array.NewDictionaryArray(&arrow.DictionaryType{IndexType: indices.DataType(), ValueType: values.DataType()}, indices, values)
	times := arrayOf(t, mem, micros, `["2024-01-01", "2024-01-01 00:00:01"]`)
	at := arrayOf(t, mem, arrow.PrimitiveTypes.Int8, `[0, 0, 0, null]`)
	b := array.NewDictionaryArray(&arrow.DictionaryType{IndexType: at.DataType(), ValueType: times.DataType()}, at, times)
	none := arrayOf(t, mem, arrow.BinaryTypes.String, `[]`)
	nothing := arrayOf(t, mem, arrow.PrimitiveTypes.Int32, `[null, null, null, null]`)
	c := array.NewDictionaryArray(&arrow.DictionaryType{IndexType: nothing.DataType(), ValueType: none.DataType()}, nothing, none)
	schema := arrow.NewSchema([]arrow.Field{{Name: "a", Type: a.DataType()}, {Name: "b", Type: b.DataType()}, {Name: "c", Type: c.DataType()}}, nil)
	batch := array.NewRecordBatch(schema, []arrow.Array{a, b, c}, 4)
	wantText(t, &Options{Null: "-"}, `a,b,c
"x,y",2024-01-01T00:00:00.000000,-
-,2024-01-01T00:00:00.000000,-
"",2024-01-01T00:00:00.000000,-
-,-,-
`, batch)
	// pandas formats the values of an index level together.
	wantText(t, &Options{Dialect: Pandas, ChunkRows: 1}, `a,b,c
"x,y",2024-01-01 00:00:00,
,2024-01-01 00:00:00,
,2024-01-01 00:00:00,
,,
`, batch)
}

func TestTypesMayChange(t *testing.T) {
	mem := memory.DefaultAllocator
	wantText(t, &Options{Dialect: Pandas}, "a\n1\n0.5\nx\n",
		batchOf(t, mem, col{"a", arrow.PrimitiveTypes.Int64, `[1]`}),
		batchOf(t, mem, col{"a", arrow.PrimitiveTypes.Float64, `[0.5]`}),
		batchOf(t, mem, col{"a", arrow.BinaryTypes.String, `["x"]`}))
}

func TestColumnsMayNotChange(t *testing.T) {
	mem := memory.DefaultAllocator
	first := batchOf(t, mem, col{"a", arrow.PrimitiveTypes.Int64, `[1]`}, col{"b", arrow.PrimitiveTypes.Int64, `[1]`})
	for name, second := range map[string]arrow.RecordBatch{
		"b": batchOf(t, mem, col{"a", arrow.PrimitiveTypes.Int64, `[1]`}),
		"c": batchOf(t, mem, col{"a", arrow.PrimitiveTypes.Int64, `[1]`}, col{"b", arrow.PrimitiveTypes.Int64, `[1]`}, col{"c", arrow.PrimitiveTypes.Int64, `[1]`}),
		"a": batchOf(t, mem, col{"x", arrow.PrimitiveTypes.Int64, `[1]`}, col{"b", arrow.PrimitiveTypes.Int64, `[1]`}),
	} {
		_, err := write(&Options{}, first, second)
		var bad *encode.ValueError
		if !errors.As(err, &bad) || bad.Column != name || bad.Row != 1 {
			t.Errorf("%s: got %v", name, err)
		}
	}
	_, err := write(&Options{}, first, batchOf(t, mem, col{"a", arrow.PrimitiveTypes.Int64, `[1]`}, col{"b", arrow.BinaryTypes.Binary, `["eA=="]`}))
	var bad *encode.UnsupportedError
	if !errors.As(err, &bad) || bad.Column != "b" {
		t.Errorf("got %v", err)
	}
}

func TestUnsupportedTypes(t *testing.T) {
	for _, dt := range []arrow.DataType{
		arrow.BinaryTypes.Binary, arrow.ListOf(arrow.PrimitiveTypes.Int64), arrow.StructOf(), arrow.FixedWidthTypes.Date64,
		arrow.FixedWidthTypes.Duration_s, arrow.FixedWidthTypes.Time64ns, arrow.FixedWidthTypes.Timestamp_us,
		&arrow.Decimal128Type{Precision: 10, Scale: 2},
		&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.Binary},
	} {
		var out bytes.Buffer
		schema := arrow.NewSchema([]arrow.Field{{Name: "ok", Type: arrow.PrimitiveTypes.Int8}, {Name: "bad one", Type: dt}}, nil)
		_, err := new(Options).NewEncoder(context.Background(), &out, schema, encode.Env{})
		var bad *encode.UnsupportedError
		if !errors.As(err, &bad) || bad.Column != "bad one" || out.Len() > 0 {
			t.Errorf("%s: got %v, %d bytes", dt, err, out.Len())
		}
	}
}

func TestOptionErrors(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int8}}, nil)
	for name, o := range map[string]*Options{
		"dialect":      {Dialect: "excel"},
		"separator":    {Separator: "ab"},
		"float_format": {FloatFormat: "%d"},
		"chunk_rows":   {ChunkRows: -1},
	} {
		_, err := o.NewEncoder(context.Background(), io.Discard, schema, encode.Env{})
		var bad *encode.OptionError
		if !errors.As(err, &bad) || bad.Option != name {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, s := range []string{"\n", "\r", `"`, "é", "\x00", "\xff"} {
		if _, err := (&Options{Separator: s}).NewEncoder(context.Background(), io.Discard, schema, encode.Env{}); err == nil {
			t.Errorf("separator %q was taken", s)
		}
	}
}

// TestParallel writes many tasks and looks at the order, the progress and that
// everything is released.
func TestParallel(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	b := array.NewInt64Builder(mem)
	for i := range int64(200_000) {
		b.Append(i)
	}
	a := b.NewArray()
	b.Release()
	batch := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "i", Type: a.DataType()}}, nil), []arrow.Array{a}, int64(a.Len()))
	a.Release()
	var out bytes.Buffer
	counter := new(progress.Counter)
	e, err := new(Options).NewEncoder(context.Background(), &out, batch.Schema(), encode.Env{Workers: 4, Progress: counter})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := e.Write(batch); err != nil {
			t.Fatal(err)
		}
	}
	batch.Release()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err == nil && e.Write(batch) == nil {
		t.Error("a closed encoder took a batch")
	}
	e.Discard()
	if rows := counter.Snapshot().Rows; rows != 600_000 {
		t.Errorf("progress counted %d rows", rows)
	}
	lines := strings.Split(out.String(), "\n")
	for i, line := range lines[1 : len(lines)-1] {
		if line != fmt.Sprint(i%200_000) {
			t.Fatalf("line %d is %s", i, line)
		}
	}
}

// failing fails at its second call.
type failing struct{ calls int }

var errFull = errors.New("disk full")

func (w *failing) Write(p []byte) (int, error) {
	if w.calls++; w.calls > 1 {
		return 0, errFull
	}
	return len(p), nil
}

func TestBatchesAreReleased(t *testing.T) {
	rows := "[0" + strings.Repeat(",1", 100_000) + "]"
	for name, end := range map[string]func(t *testing.T, ctx context.CancelFunc, e encode.Encoder, batch arrow.RecordBatch){
		"discarded": func(_ *testing.T, _ context.CancelFunc, e encode.Encoder, batch arrow.RecordBatch) {
			_ = e.Write(batch)
			e.Discard()
			e.Discard()
		},
		"cancelled": func(t *testing.T, cancel context.CancelFunc, e encode.Encoder, batch arrow.RecordBatch) {
			_ = e.Write(batch)
			cancel()
			_ = e.Write(batch)
			if err := e.Close(); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		},
		"failed": func(t *testing.T, _ context.CancelFunc, e encode.Encoder, batch arrow.RecordBatch) {
			var err error
			for i := 0; i < 50 && err == nil; i++ {
				err = e.Write(batch)
			}
			if err == nil {
				err = e.Close()
			}
			if !errors.Is(err, errFull) {
				t.Errorf("got %v", err)
			}
			e.Discard()
		},
	} {
		t.Run(name, func(t *testing.T) {
			mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
			defer mem.AssertSize(t, 0)
			batch := batchOf(t, mem, col{"a", arrow.PrimitiveTypes.Int64, rows})
			defer batch.Release()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			var w io.Writer = io.Discard
			if name == "failed" {
				w = new(failing)
			}
			e, err := new(Options).NewEncoder(ctx, w, batch.Schema(), encode.Env{Workers: 2})
			if err != nil {
				t.Fatal(err)
			}
			end(t, cancel, e, batch)
		})
	}
}

func TestOptionsAsJSON(t *testing.T) {
	d := json.NewDecoder(strings.NewReader(`{"dialect": "pandas", "separator": ";", "header": ["a"], "null": "NA", "float_format": "%.2f",
		"chunk_rows": 5, "compat": {"bare_cr": true, "bare_year": true, "float32_digits": 16, "float16_digits": 16}}`))
	d.DisallowUnknownFields()
	var o Options
	if err := d.Decode(&o); err != nil {
		t.Fatal(err)
	}
	if o.Format() != "csv" || o.ChunkRows != 5 || !o.Compat.BareCR || o.Header[0] != "a" {
		t.Errorf("got %+v", o)
	}
	if b, _ := json.Marshal(Options{}); string(b) != "{}" {
		t.Errorf("the zero value is %s", b)
	}
}

func TestPrintf(t *testing.T) {
	for f, want := range map[string]string{
		"%f": "1234.567800", "%.0f": "1235", "%.1f": "1234.6", "%e": "1.234568e+03", "%.2e": "1.23e+03", "%g": "1234.57", "%.3g": "1.23e+03", "%.10g": "1234.5678",
	} {
		p, err := parsePrintf(f)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(p.append(nil, 1234.5678, nil)); got != want {
			t.Errorf("%s: got %s, want %s", f, got, want)
		}
	}
	for _, f := range []string{"%", "f", "%d", "%.f", "%5.2f", "%.2F", "%.2f ", "%%", "%.1000f"} {
		if _, err := parsePrintf(f); err == nil {
			t.Errorf("%s was taken", f)
		}
	}
}

// TestLongStrings: tasks are cut by the bytes they make as well.
func TestLongStrings(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	values := `["` + strings.Repeat(long+`","`, 39) + long + `"]`
	for _, dt := range []arrow.DataType{arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString, arrow.BinaryTypes.StringView} {
		b := batchOf(t, memory.DefaultAllocator, col{"s", dt, values})
		if rows := taskRows([]*column{columnOf("s", b.Column(0))}); rows > 6 {
			t.Errorf("%s: a task formats %d rows", dt, rows)
		}
		wantText(t, &Options{NoHeader: true}, strings.Repeat(long+"\n", 40), b)
	}
}
