package mysqltext

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/seojaeohcode/atio/core/encode"
)

func batchOf(t testing.TB, dt arrow.DataType, json string) arrow.RecordBatch {
	t.Helper()
	a, _, err := array.FromJSON(memory.DefaultAllocator, dt, strings.NewReader(json))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Release()
	return array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "x", Type: dt, Nullable: true}}, nil), []arrow.Array{a}, int64(a.Len()))
}

func text(batch arrow.RecordBatch, style Style, to string, nanIsNull bool) (string, error) {
	var out bytes.Buffer
	o := &Options{Style: style, Columns: []Column{{Name: "x", Type: to}}, NaNIsNull: nanIsNull}
	if err := o.Check(batch.Schema()); err != nil {
		return "", err
	}
	e, err := NewEncoder(context.Background(), &out, o, encode.Env{})
	if err != nil {
		e.Discard()
		return "", err
	}
	if err := e.Write(batch); err != nil {
		e.Discard()
		return "", err
	}
	err = e.Close()
	return out.String(), err
}

func TestText(t *testing.T) {
	seoul := &arrow.TimestampType{Unit: arrow.Second, TimeZone: "Asia/Seoul"}
	fixed := &arrow.TimestampType{Unit: arrow.Second, TimeZone: "-02:30"}
	for _, c := range []struct {
		t            arrow.DataType
		json, to     string
		load, insert string
	}{
		{arrow.PrimitiveTypes.Int8, `[-128, null]`, "tinyint", "-128\n\\N\n", ",(-128),(NULL)"},
		{arrow.PrimitiveTypes.Uint64, `[18446744073709551615]`, "bigint", "18446744073709551615\n", ",(18446744073709551615)"},
		{arrow.PrimitiveTypes.Int32, `[7]`, "varchar", "7\n", ",(7)"},
		{arrow.PrimitiveTypes.Float64, `[0.1, -1e300, 2.0]`, "double", "0.1\n-1e+300\n2.0\n", ",(0.1),(-1e+300),(2.0)"},
		{arrow.PrimitiveTypes.Float64, `[2.5, 3.5, -0.4]`, "bigint", "2\n4\n-0\n", ",(2),(4),(-0)"},
		{arrow.PrimitiveTypes.Float32, `[0.1]`, "float", "0.10000000149011612\n", ",(0.10000000149011612)"},
		{arrow.FixedWidthTypes.Boolean, `[true, false]`, "tinyint", "1\n0\n", ",(1),(0)"},
		{arrow.BinaryTypes.String, `["a\tb\nc\\\u0000'\"", "\\N"]`, "text", "a\\tb\\nc\\\\\\0'\"\n\\\\N\n", `,('a` + "\t" + `b\nc\\\0\'"'),('\\N')`},
		{arrow.BinaryTypes.LargeString, `["", "é"]`, "text", "\né\n", ",(''),('é')"},
		{arrow.BinaryTypes.Binary, `["AP8=", ""]`, "blob", "00ff\n\n", ",(x'00ff'),(x'')"},
		{arrow.FixedWidthTypes.Date32, `["2024-02-29", "0001-01-01"]`, "date", "2024-02-29\n0001-01-01\n", ",('2024-02-29'),('0001-01-01')"},
		{&arrow.TimestampType{Unit: arrow.Nanosecond}, `["2024-01-01 00:00:00.000001999", "1969-12-31 23:59:59"]`, "datetime",
			"2024-01-01 00:00:00.000001\n1969-12-31 23:59:59\n", ",('2024-01-01 00:00:00.000001'),('1969-12-31 23:59:59')"},
		{seoul, `["2024-01-01 00:00:00Z"]`, "timestamp", "2024-01-01 09:00:00\n", ",('2024-01-01 09:00:00')"},
		{fixed, `["2024-01-01 00:00:00Z"]`, "timestamp", "2023-12-31 21:30:00\n", ",('2023-12-31 21:30:00')"},
		{arrow.FixedWidthTypes.Time64us, `["01:02:03.000004", "23:59:59"]`, "time", "01:02:03.000004\n23:59:59\n", ",('01:02:03.000004'),('23:59:59')"},
		{arrow.FixedWidthTypes.Duration_s, `["2s"]`, "bigint", "2000000000\n", ",(2000000000)"},
		{&arrow.Decimal128Type{Precision: 10, Scale: 2}, `["-1.50"]`, "decimal", "-1.50\n", ",(-1.50)"},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, `["a", null, "a"]`, "text", "a\n\\N\na\n", ",('a'),(NULL),('a')"},
		{arrow.Null, `[null]`, "int", "\\N\n", ",(NULL)"},
	} {
		batch := batchOf(t, c.t, c.json)
		for style, want := range map[Style]string{Load: c.load, Insert: c.insert} {
			if got, err := text(batch, style, c.to, false); err != nil || got != want {
				t.Errorf("%s to %s: %q, %v, not %q", c.t, c.to, got, err, want)
			}
		}
	}
}

func TestValuesThatTheServerDoesNotHave(t *testing.T) {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	defer b.Release()
	zero := 0.0
	b.AppendValues([]float64{1, zero / zero}, nil)
	nan := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Float64}}, nil), []arrow.Array{b.NewArray()}, 2)
	if got, err := text(nan, Load, "double", true); err != nil || got != "1.0\n\\N\n" {
		t.Errorf("%q, %v", got, err)
	}
	b.AppendValues([]float64{1, 1 / zero}, nil)
	infinite := array.NewRecordBatch(nan.Schema(), []arrow.Array{b.NewArray()}, 2)
	late := batchOf(t, &arrow.TimestampType{Unit: arrow.Second}, `[0, 253402300800]`)
	for _, c := range []struct {
		batch arrow.RecordBatch
		to    string
	}{{nan, "double"}, {infinite, "double"}, {late, "datetime"}} {
		_, err := text(c.batch, Load, c.to, false)
		var v *encode.ValueError
		if !errors.As(err, &v) || v.Column != "x" || v.Row != 1 {
			t.Errorf("%s: %v", c.to, err)
		}
	}
}

func TestWhatIsLeftToOthers(t *testing.T) {
	for _, c := range []struct {
		t  arrow.DataType
		to string
	}{
		{arrow.PrimitiveTypes.Float64, "text"}, {arrow.BinaryTypes.Binary, "text"}, {arrow.PrimitiveTypes.Int64, "bit"},
		{arrow.ListOf(arrow.PrimitiveTypes.Int64), "json"}, {arrow.PrimitiveTypes.Int64, "datetime"}, {arrow.FixedWidthTypes.Date32, "int"},
		{&arrow.TimestampType{Unit: arrow.Second, TimeZone: "Mars/Base"}, "datetime"},
	} {
		o := &Options{Columns: []Column{{Name: "x", Type: c.to}}}
		var u *encode.UnsupportedError
		if err := o.Check(arrow.NewSchema([]arrow.Field{{Name: "x", Type: c.t}}, nil)); !errors.As(err, &u) || u.Column != "x" {
			t.Errorf("%s to %s: %v", c.t, c.to, err)
		}
	}
}
