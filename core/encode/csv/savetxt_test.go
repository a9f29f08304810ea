package csv

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/seojaeohcode/atio/core/encode"
)

// rowsOf makes a matrix of two columns.
func rowsOf(t *testing.T, allocator memory.Allocator, values ...float64) arrow.RecordBatch {
	t.Helper()
	b := array.NewFixedSizeListBuilder(allocator, 2, arrow.PrimitiveTypes.Float64)
	defer b.Release()
	v := b.ValueBuilder().(*array.Float64Builder)
	for i, x := range values {
		if i%2 == 0 {
			b.Append(true)
		}
		v.Append(x)
	}
	a := b.NewArray()
	defer a.Release()
	schema := arrow.NewSchema([]arrow.Field{{Name: "rows", Type: a.DataType()}}, nil)
	return array.NewRecordBatch(schema, []arrow.Array{a}, int64(a.Len()))
}

func TestMatrix(t *testing.T) {
	allocator := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer allocator.AssertSize(t, 0)
	batch := rowsOf(t, allocator, 1, 0.5, -2, 1e20)
	defer batch.Release()
	part := batch.NewSlice(1, 2)
	defer part.Release()
	o := &Options{Dialect: NumPy, Matrix: &Matrix{
		Formats: []string{"%+4d", "%-9.2e"}, Around: []string{"<", "|", ">\n"}, Before: "# before\n", After: "# after\n",
	}}
	for _, workers := range []int{1, 3} {
		var out bytes.Buffer
		e, err := o.NewEncoder(context.Background(), &out, batch.Schema(), encode.Env{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range []arrow.RecordBatch{batch, part} {
			if err := e.Write(b); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		want := "# before\n<  +1|5.00e-01 >\n<  -2|1.00e+20 >\n<  -2|1.00e+20 >\n# after\n"
		if out.String() != want {
			t.Errorf("%q, not %q", out.String(), want)
		}
		if err := o.Check(bytes.NewReader(out.Bytes()), int64(out.Len()), 3); err != nil {
			t.Error(err)
		}
		var broken *encode.CheckError
		if err := o.Check(bytes.NewReader(out.Bytes()), int64(out.Len())-1, 3); !errors.As(err, &broken) {
			t.Errorf("a byte is missing, but: %v", err)
		}
	}
}

func TestMatrixRefuses(t *testing.T) {
	batch := rowsOf(t, memory.DefaultAllocator, 1, 2)
	for _, m := range []*Matrix{
		nil,
		{},
		{Formats: []string{"%d", "%d"}, Around: []string{"", ""}},
		{Formats: []string{"%d", "%x"}, Around: []string{"", "", ""}},
		{Formats: []string{"%d", "%.2d"}, Around: []string{"", "", ""}},
		{Formats: []string{"%d", "%05d"}, Around: []string{"", "", ""}},
	} {
		var wrong *encode.OptionError
		_, err := (&Options{Dialect: NumPy, Matrix: m}).NewEncoder(context.Background(), &bytes.Buffer{}, batch.Schema(), encode.Env{})
		if !errors.As(err, &wrong) {
			t.Errorf("%+v: %v", m, err)
		}
	}
	var unsupported *encode.UnsupportedError
	m := &Matrix{Formats: []string{"%d"}, Around: []string{"", "\n"}}
	_, err := (&Options{Dialect: NumPy, Matrix: m}).NewEncoder(context.Background(), &bytes.Buffer{}, batch.Schema(), encode.Env{})
	if !errors.As(err, &unsupported) {
		t.Error(err)
	}
}

func TestQuotingOptionsAreChecked(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64}}, nil)
	for _, o := range []*Options{
		{Quote: "a"}, {Quote: "."}, {Quote: ","}, {Quote: "''"}, {Quoting: "some"}, {Dialect: Pandas, Quoting: Never}, {LineEnd: ";"},
		{Compression: "lzma"}, {CompressionLevel: new(int)},
	} {
		var wrong *encode.OptionError
		if _, err := o.NewEncoder(context.Background(), &bytes.Buffer{}, schema, encode.Env{}); !errors.As(err, &wrong) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
