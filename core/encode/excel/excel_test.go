package excel

import (
	"bytes"
	"context"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/xuri/excelize/v2"

	"github.com/seojaeohcode/atio/core/encode"
)

// write encodes batches, in this many goroutines.
func write(t testing.TB, o *Options, workers int, batches ...arrow.RecordBatch) ([]byte, error) {
	t.Helper()
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

// read opens a workbook by excelize.
func read(t testing.TB, b []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func batchOf(t testing.TB, names []string, columns ...arrow.Array) arrow.RecordBatch {
	t.Helper()
	var fields []arrow.Field
	for i, c := range columns {
		fields = append(fields, arrow.Field{Name: names[i], Type: c.DataType(), Nullable: true})
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, int64(columns[0].Len()))
}

func ints(v ...int64) arrow.Array {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	b.AppendValues(v, nil)
	return b.NewArray()
}

func texts(v ...string) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	b.AppendValues(v, nil)
	return b.NewArray()
}

func TestDefaults(t *testing.T) {
	b, err := write(t, &Options{}, 2, batchOf(t, []string{"i", "s"}, ints(1, -2, 1<<60), texts("a", "=1+1", " <&> ")))
	if err != nil {
		t.Fatal(err)
	}
	f := read(t, b)
	rows, err := f.GetRows("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	t.Log(rows)
}
