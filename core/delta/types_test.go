package delta_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/seojaeohcode/atio/core/delta"
	"github.com/seojaeohcode/atio/core/encode"
)

// readFiles reads the data files of a version, as arrow-go does, and returns the
// values of a column as text.
func readFiles(t testing.TB, dir string, s *delta.Snapshot, column string) (typ arrow.DataType, values []string) {
	t.Helper()
	for _, f := range must(s.Files(nil)) {
		rd := must(file.NewParquetReader(bytes.NewReader(must(os.ReadFile(filepath.Join(dir, f.Path))))))
		table := must(must(pqarrow.NewFileReader(rd, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)).ReadTable(ctx))
		i := table.Schema().FieldIndices(column)
		if len(i) == 0 {
			return nil, nil
		}
		typ = table.Column(i[0]).DataType()
		for _, chunk := range table.Column(i[0]).Data().Chunks() {
			for k := range chunk.Len() {
				values = append(values, chunk.ValueStr(k))
			}
		}
	}
	return typ, values
}

func TestTypes(t *testing.T) {
	zone := &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "Europe/Berlin"}
	for _, c := range []struct {
		typ    arrow.DataType
		values string // JSON
		delta  string
		stored string // as read back, "" if the type has no original to keep
		keeps  bool   // the original type is in the metadata
	}{
		{arrow.PrimitiveTypes.Int8, `-128, null, 127`, "byte", "-128 (null) 127", false},
		{arrow.PrimitiveTypes.Int64, `-9223372036854775808, 9223372036854775807`, "long", "-9223372036854775808 9223372036854775807", false},
		{arrow.PrimitiveTypes.Uint8, `0, null, 255`, "short", "0 (null) 255", true},
		{arrow.PrimitiveTypes.Uint16, `0, 65535`, "integer", "0 65535", true},
		{arrow.PrimitiveTypes.Uint32, `0, 4294967295`, "long", "0 4294967295", true},
		{arrow.PrimitiveTypes.Uint64, `0, null, 18446744073709551615`, "decimal(20,0)", "0 (null) 18446744073709551615", true},
		{arrow.FixedWidthTypes.Float16, `0.5, null`, "float", "0.5 (null)", true},
		{arrow.PrimitiveTypes.Float32, `0.1, null`, "float", "0.1 (null)", false},
		{arrow.FixedWidthTypes.Boolean, `true, null, false`, "boolean", "true (null) false", false},
		{arrow.BinaryTypes.String, `"a", "", null`, "string", "a  (null)", false},
		{arrow.BinaryTypes.LargeString, `"a", null`, "string", "a (null)", true},
		{arrow.BinaryTypes.StringView, `"a", null, "longer than twelve bytes"`, "string", "a (null) longer than twelve bytes", true},
		{arrow.BinaryTypes.Binary, `"AQI=", null`, "binary", "AQI= (null)", false},
		{&arrow.FixedSizeBinaryType{ByteWidth: 2}, `"AQI=", null, "AwQ="`, "binary", "AQI= (null) AwQ=", true},
		{arrow.FixedWidthTypes.Date32, `"2024-02-29", null`, "date", "2024-02-29 (null)", false},
		{arrow.FixedWidthTypes.Date64, `"2024-02-29", null`, "date", "2024-02-29 (null)", true},
		{&arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, `"2024-01-02T03:04:05.000006Z"`, "timestamp", "2024-01-02T03:04:05.000006Z", false},
		{zone, `"2024-01-02T03:04:05.000006Z"`, "timestamp", "2024-01-02T03:04:05.000006Z", true},
		{&arrow.TimestampType{Unit: arrow.Microsecond}, `"2024-01-02 03:04:05.000006"`, "timestamp_ntz", "2024-01-02T03:04:05.000006", false},
		{&arrow.TimestampType{Unit: arrow.Second}, `"1969-12-31 23:59:59"`, "timestamp_ntz", "1969-12-31T23:59:59", true},
		{&arrow.TimestampType{Unit: arrow.Nanosecond}, `"2024-01-02 03:04:05.000006", null`, "timestamp_ntz", "2024-01-02T03:04:05.000006 (null)", true},
		{&arrow.TimestampType{Unit: arrow.Nanosecond}, `"1970-01-01 00:00:00.000000007", null`, "long", "7 (null)", true},
		{&arrow.DurationType{Unit: arrow.Nanosecond}, `7, null`, "long", "7 (null)", true},
		{&arrow.Time32Type{Unit: arrow.Millisecond}, `"00:00:00.007", null`, "integer", "7 (null)", true},
		{&arrow.Time64Type{Unit: arrow.Nanosecond}, `"00:00:00.000000007", null`, "long", "7 (null)", true},
		{&arrow.Decimal128Type{Precision: 10, Scale: 2}, `"12.34", null, "-0.01"`, "decimal(10,2)", "12.34 (null) -0.01", false},
		{&arrow.Decimal256Type{Precision: 38, Scale: 2}, `"-12.34", null`, "decimal(38,2)", "-12.34 (null)", true},
		{arrow.ListOf(arrow.PrimitiveTypes.Int64), `[1, null], null, []`, "array<long>", "[1,null] (null) []", false},
		{arrow.ListOf(arrow.PrimitiveTypes.Uint8), `[1, 255], null, []`, "array<short>", "[1,255] (null) []", true},
		{arrow.LargeListOf(arrow.PrimitiveTypes.Int64), `[1, null], null`, "array<long>", "[1,null] (null)", true},
		{arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Uint16), `[1, 2], null, [3, 4]`, "array<integer>", "[1,2] (null) [3,4]", true},
		{arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Uint8, Nullable: true}), `{"a": 1}, null, {"a": null}`, "struct<a: short>", `{"a":1} (null) {"a":null}`, true},
		{arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Uint8), `[{"key": "k", "value": 255}], null`, "map<string, short>", `[{"key":"k","value":255}] (null)`, true},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, `"b", null, "a", "b"`, "string", "b (null) a b", true},
	} {
		t.Run(c.typ.String()+"/"+c.delta, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "table")
			schema := arrow.NewSchema([]arrow.Field{{Name: "c", Type: c.typ, Nullable: true}}, nil)
			var b strings.Builder
			b.WriteString("[")
			dec := json.NewDecoder(strings.NewReader("[" + c.values + "]"))
			dec.Token()
			for i := 0; dec.More(); i++ {
				var v json.RawMessage
				if err := dec.Decode(&v); err != nil {
					t.Fatal(err)
				}
				if i > 0 {
					b.WriteString(",")
				}
				b.WriteString(`{"c":` + string(v) + `}`)
			}
			b.WriteString("]")
			rec := batchOf(t, schema, b.String())
			table := open(t, dir)
			must(table.Write(ctx, readerOf(t, rec), delta.WriteOptions{}))
			// A slice is converted as well as a whole array.
			must(table.Write(ctx, readerOf(t, rec.NewSlice(1, rec.NumRows())), delta.WriteOptions{}))
			s := must(open(t, dir).Snapshot(ctx, delta.At{}))
			f := s.Schema().Fields[0]
			if f.Type.String() != c.delta {
				t.Errorf("Delta type %s, want %s", f.Type, c.delta)
			}
			if _, ok := f.Metadata["atio.arrow"]; ok != c.keeps {
				t.Errorf("keeps the original type: %t", ok)
			}
			_, values := readFiles(t, dir, s, "c")
			want := c.stored
			if first, rest, ok := strings.Cut(c.stored, " "); ok && first != "" {
				want += " " + rest
			}
			if got := strings.Join(values, " "); got != want {
				t.Errorf("stored %q, want %q", got, want)
			}
			if orig := must(s.OriginalSchema()); !arrow.TypeEqual(orig.Field(0).Type, c.typ) && c.keeps {
				t.Errorf("original type %s", orig.Field(0).Type)
			}
		})
	}
}

func TestTypesRefused(t *testing.T) {
	for _, typ := range []arrow.DataType{
		&arrow.Decimal256Type{Precision: 50, Scale: 2}, &arrow.Decimal128Type{Precision: 5, Scale: -2},
		arrow.FixedWidthTypes.MonthDayNanoInterval, arrow.StructOf(),
	} {
		dir := filepath.Join(t.TempDir(), "table")
		schema := arrow.NewSchema([]arrow.Field{{Name: "bad", Type: typ, Nullable: true}}, nil)
		_, err := open(t, dir).NewWriter(ctx, schema, delta.WriteOptions{})
		var unsupported *encode.UnsupportedError
		if !errors.As(err, &unsupported) || unsupported.Column != "bad" {
			t.Errorf("%s: %v", typ, err)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: something was left", typ)
		}
	}
}

// Values that do not go into the table's column are refused by column and row,
// and nothing is left of the write.
func TestValuesRefused(t *testing.T) {
	ns := arrow.NewSchema([]arrow.Field{{Name: "t", Type: &arrow.TimestampType{Unit: arrow.Nanosecond}, Nullable: true}}, nil)
	dir := filepath.Join(t.TempDir(), "table")
	table := open(t, dir)
	must(table.Write(ctx, readerOf(t, batchOf(t, ns, `[{"t": "2024-01-01 00:00:00"}]`)), delta.WriteOptions{}))
	_, err := table.Write(ctx, readerOf(t, batchOf(t, ns, `[{"t": null}, {"t": "2024-01-01 00:00:00.000000001"}]`)), delta.WriteOptions{})
	var bad *encode.ValueError
	if !errors.As(err, &bad) || bad.Column != "t" || bad.Row != 1 {
		t.Fatal(err)
	}
	// Microseconds beyond what the nanoseconds of the column reach.
	us := arrow.NewSchema([]arrow.Field{{Name: "t", Type: &arrow.TimestampType{Unit: arrow.Microsecond}, Nullable: true}}, nil)
	if _, err := table.Write(ctx, readerOf(t, batchOf(t, us, `[{"t": "3000-01-01 00:00:00"}]`)), delta.WriteOptions{}); !errors.As(err, &bad) {
		t.Fatal(err)
	}
	must(table.Write(ctx, readerOf(t, batchOf(t, us, `[{"t": "2000-01-01 00:00:00"}]`)), delta.WriteOptions{}))
	if len(dataFiles(t, dir)) != 2 {
		t.Fatal(dataFiles(t, dir))
	}
}

func TestSchemas(t *testing.T) {
	field := func(name string, typ arrow.DataType) arrow.Field {
		return arrow.Field{Name: name, Type: typ, Nullable: true}
	}
	int64s, texts := arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String
	ab := arrow.NewSchema([]arrow.Field{field("a", int64s), field("b", texts)}, nil)
	dir := filepath.Join(t.TempDir(), "table")
	table := open(t, dir)
	must(table.Write(ctx, readerOf(t, batchOf(t, ab, `[{"a":1,"b":"x"}]`)), delta.WriteOptions{}))

	ac := arrow.NewSchema([]arrow.Field{field("a", texts), field("c", int64s)}, nil)
	_, err := table.Write(ctx, readerOf(t, batchOf(t, ac, `[{"a":"1","c":2}]`)), delta.WriteOptions{})
	var mismatch *delta.SchemaError
	if !errors.As(err, &mismatch) || mismatch.Extra[0] != "c" || mismatch.Missing[0] != "b" || mismatch.Types[0].Column != "a" {
		t.Fatal(err)
	}
	// Another order and layout are no mismatch.
	ba := arrow.NewSchema([]arrow.Field{field("b", arrow.BinaryTypes.LargeString), field("a", arrow.PrimitiveTypes.Int32)}, nil)
	must(table.Write(ctx, readerOf(t, batchOf(t, ba, `[{"b":"y","a":2}]`)), delta.WriteOptions{}))

	bc := arrow.NewSchema([]arrow.Field{field("c", int64s), field("b", texts)}, nil)
	must(table.Write(ctx, readerOf(t, batchOf(t, bc, `[{"c":3,"b":"z"}]`)), delta.WriteOptions{SchemaMode: delta.SchemaMerge}))
	s := must(open(t, dir).Snapshot(ctx, delta.At{}))
	if names := fieldNames(s); names != "a b c" {
		t.Fatal(names)
	}
	// Null columns are not in files; they take the type that comes.
	n := arrow.NewSchema([]arrow.Field{field("a", int64s), field("n", arrow.Null)}, nil)
	must(table.Write(ctx, readerOf(t, batchOf(t, n, `[{"a":4,"n":null}]`)), delta.WriteOptions{SchemaMode: delta.SchemaMerge}))
	if f := must(table.Snapshot(ctx, delta.At{})).Schema().Fields[3]; f.Type != delta.Void {
		t.Fatal(f)
	}
	n = arrow.NewSchema([]arrow.Field{field("n", texts)}, nil)
	must(table.Write(ctx, readerOf(t, batchOf(t, n, `[{"n":"now"}]`)), delta.WriteOptions{SchemaMode: delta.SchemaMerge}))
	if f := must(table.Snapshot(ctx, delta.At{})).Schema().Fields[3]; f.Type != delta.String {
		t.Fatal(f)
	}
	must(table.Write(ctx, readerOf(t, batchOf(t, ac, `[{"a":"1","c":2}]`)), delta.WriteOptions{Mode: delta.Overwrite, SchemaMode: delta.SchemaOverwrite}))
	if names := fieldNames(must(table.Snapshot(ctx, delta.At{}))); names != "a c" {
		t.Fatal(names)
	}
	// The old version has its old schema.
	if names := fieldNames(must(table.Snapshot(ctx, version(1)))); names != "a b" {
		t.Fatal(names)
	}
	twice := arrow.NewSchema([]arrow.Field{field("x", int64s), field("X", int64s)}, nil)
	if _, err := open(t, filepath.Join(t.TempDir(), "t")).NewWriter(ctx, twice, delta.WriteOptions{}); !errors.As(err, new(*encode.UnsupportedError)) {
		t.Fatal(err)
	}
}

func fieldNames(s *delta.Snapshot) string {
	var names []string
	for _, f := range s.Schema().Fields {
		names = append(names, f.Name)
	}
	return strings.Join(names, " ")
}

func TestPartitions(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "v", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "p", Type: arrow.BinaryTypes.StringView, Nullable: true},
		{Name: "d", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	}, nil)
	dir := filepath.Join(t.TempDir(), "table")
	table := open(t, dir)
	rec := batchOf(t, schema, `[{"v":1,"p":"a b/ü%","d":"2024-01-01"},{"v":2,"p":null,"d":"2024-01-01"},{"v":3,"p":"a b/ü%","d":"2024-01-01"},{"v":4,"p":"z","d":null}]`)
	must(table.Write(ctx, readerOf(t, rec), delta.WriteOptions{PartitionBy: []string{"d", "p"}}))
	s := must(open(t, dir).Snapshot(ctx, delta.At{}))
	files := must(s.Files(nil))
	if len(files) != 3 {
		t.Fatal(files)
	}
	for _, f := range files {
		if _, err := os.Stat(filepath.Join(dir, f.Path)); err != nil {
			t.Fatal(err)
		}
		switch p := f.PartitionValues["p"]; {
		case p == nil:
			if f.Rows != 1 || !strings.HasPrefix(f.Path, "d=2024-01-01/p=__HIVE_DEFAULT_PARTITION__/") {
				t.Fatalf("%+v", f)
			}
		case *p == "a b/ü%":
			if f.Rows != 2 || *f.PartitionValues["d"] != "2024-01-01" || !strings.HasPrefix(f.Path, "d=2024-01-01/p=a b%2Fü%25/") {
				t.Fatalf("%+v", f)
			}
		case *p != "z" || f.PartitionValues["d"] != nil:
			t.Fatalf("%+v", f)
		}
	}
	for _, c := range []struct {
		filter delta.Filter
		files  int
	}{
		{delta.Filter{{{Column: "p", Op: "=", Value: "z"}}}, 1},
		{delta.Filter{{{Column: "p", Op: "is null"}}}, 1},
		{delta.Filter{{{Column: "d", Op: ">=", Value: "2024-01-01"}}}, 2},
		{delta.Filter{{{Column: "d", Op: "<", Value: "2024-01-01"}}}, 0},
		{delta.Filter{{{Column: "v", Op: ">", Value: 3}}}, 1},
		{delta.Filter{{{Column: "v", Op: ">", Value: 3}}, {{Column: "p", Op: "is null"}}}, 2},
		{delta.Filter{{{Column: "v", Op: "in", Value: []any{1, 9}}}}, 1},
		{delta.Filter{{{Column: "v", Op: "not in", Value: []any{4}}}}, 2},
		{delta.Filter{{{Column: "v", Op: "!=", Value: nil}}}, 3},
	} {
		if got := must(s.Files(c.filter)); len(got) != c.files {
			t.Errorf("%v: %d files, want %d", c.filter, len(got), c.files)
		}
	}
	if _, err := s.Files(delta.Filter{{{Column: "nope", Op: "=", Value: 1}}}); err == nil {
		t.Error("a column that is not there")
	}
	empty := batchOf(t, schema, `[{"v":1,"p":"","d":null}]`)
	if _, err := table.Write(ctx, readerOf(t, empty), delta.WriteOptions{}); !errors.As(err, new(*encode.ValueError)) {
		t.Fatal(err)
	}
}
