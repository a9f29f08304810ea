package parquet

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// checkRead has arrow-go read the file and compares all values, as text. The
// Arrow schema is kept from the reader, which fails on some types in it, such as
// durations; so what is compared is what Parquet itself says.
func checkRead(t testing.TB, data []byte, want arrow.RecordBatch) {
	t.Helper()
	data = bytes.ReplaceAll(data, []byte(arrowSchemaKey), []byte("hidden------"))
	f, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := r.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	if table.NumRows() != want.NumRows() || table.NumCols() != want.NumCols() {
		t.Fatalf("read %d×%d, wrote %d×%d", table.NumRows(), table.NumCols(), want.NumRows(), want.NumCols())
	}
	for i, f := range want.Schema().Fields() {
		if got, want := texts(table.Column(i).Data().Chunks()), texts([]arrow.Array{want.Column(i)}); !equalTexts(t, f.Name, got, want) {
			return
		}
	}
}

func equalTexts(t testing.TB, name string, got, want []string) bool {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: read %d values, wrote %d", name, len(got), len(want))
		return false
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s, row %d: read %s, wrote %s", name, i, got[i], want[i])
			return false
		}
	}
	return true
}

func texts(chunks []arrow.Array) []string {
	var out []string
	for _, c := range chunks {
		for i := range c.Len() {
			out = append(out, text(c, i))
		}
	}
	return out
}

// text is a value in words that do not depend on how it is laid out.
func text(arr arrow.Array, i int) string {
	arr = storageOf(arr)
	if _, ok := arr.(*array.Null); ok || arr.IsNull(i) {
		return "null"
	}
	switch a := arr.(type) {
	case *array.Dictionary:
		return text(a.Dictionary(), a.GetValueIndex(i))
	case *array.Struct:
		s := "{"
		for k := range a.NumField() {
			s += text(a.Field(k), i) + ","
		}
		return s + "}"
	case array.ListLike:
		s := "["
		for from, to := a.ValueOffsets(i); from < to; from++ {
			s += text(a.ListValues(), int(from)) + ","
		}
		return s + "]"
	case *array.Date64:
		return fmt.Sprint(a.Value(i) / 86400000)
	case *array.Date32:
		return fmt.Sprint(int32(a.Value(i)))
	case *array.Time32:
		v := int64(a.Value(i))
		if a.DataType().(*arrow.Time32Type).Unit == arrow.Second {
			v *= 1000
		}
		return fmt.Sprint(v)
	case *array.Timestamp:
		v := int64(a.Value(i))
		if a.DataType().(*arrow.TimestampType).Unit == arrow.Second {
			v *= 1000
		}
		return fmt.Sprint(v)
	case *array.Duration:
		return fmt.Sprint(int64(a.Value(i)))
	case *array.Decimal32:
		return fmt.Sprint(int64(a.Value(i)))
	case *array.Decimal64:
		return fmt.Sprint(int64(a.Value(i)))
	case *array.Decimal128:
		return a.Value(i).BigInt().String()
	case *array.Decimal256:
		return a.Value(i).BigInt().String()
	case array.StringLike:
		return fmt.Sprintf("%q", a.Value(i))
	case *array.Binary:
		return fmt.Sprintf("%q", a.Value(i))
	case *array.LargeBinary:
		return fmt.Sprintf("%q", a.Value(i))
	case *array.BinaryView:
		return fmt.Sprintf("%q", a.Value(i))
	}
	return arr.ValueStr(i)
}
