package avro

import (
	"math"
	"reflect"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// FuzzReadBack writes a table and reads it with the library.
func FuzzReadBack(f *testing.F) {
	f.Add("", []byte(nil), int64(0), 0.0, false, uint8(0), uint16(3), "a")
	f.Add("é\x00", []byte{0xff}, int64(-64), math.Inf(1), true, uint8(1), uint16(1000), "a b")
	f.Add("a text that is not inline", []byte("x"), int64(math.MinInt64), math.Copysign(0, -1), true, uint8(7), uint16(60_000), "\"\n\u2028")
	f.Fuzz(func(t *testing.T, s string, data []byte, i int64, x float64, flag bool, kind uint8, rows uint16, name string) {
		if math.IsNaN(x) || len(s)+len(data) > 1000 {
			t.Skip()
		}
		if name = string([]rune(name)); name == "b" || name == "i" || name == "x" || name == "f" || name == "l" {
			t.Skip()
		}
		schema := arrow.NewSchema([]arrow.Field{
			column(name, arrow.BinaryTypes.StringView), column("b", arrow.BinaryTypes.LargeBinary),
			{Name: "i", Type: arrow.PrimitiveTypes.Int64}, column("x", arrow.PrimitiveTypes.Float64),
			column("f", arrow.FixedWidthTypes.Boolean), column("l", arrow.ListOf(arrow.PrimitiveTypes.Int32)),
		}, nil)
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		defer b.Release()
		var want []any
		s = string([]rune(s)) // UTF-8
		for row := range int(rows) % 5000 {
			null := row%7 == int(kind)%7
			v := i * int64(row)
			b.Field(2).(*array.Int64Builder).Append(v)
			if null {
				for _, c := range []int{0, 1, 3, 4, 5} {
					b.Field(c).AppendNull()
				}
				want = append(want, map[string]any{name: nil, "b": nil, "i": v, "x": nil, "f": nil, "l": nil})
				continue
			}
			b.Field(0).(*array.StringViewBuilder).Append(s)
			b.Field(1).(*array.BinaryBuilder).Append(data)
			b.Field(3).(*array.Float64Builder).Append(x)
			b.Field(4).(*array.BooleanBuilder).Append(flag)
			l := b.Field(5).(*array.ListBuilder)
			l.Append(true)
			items := []any{}
			for n := range row % 4 {
				l.ValueBuilder().(*array.Int32Builder).Append(int32(v) + int32(n))
				items = append(items, int32(v)+int32(n))
			}
			want = append(want, map[string]any{name: s, "b": append([]byte{}, data...), "i": v, "x": x, "f": flag, "l": items})
		}
		batch := b.NewRecordBatch()
		defer batch.Release()
		file, err := encoded(&Options{Compression: everyCodec[int(kind)%len(everyCodec)]}, 1+int(kind)%3, batch)
		if err != nil {
			t.Fatal(err)
		}
		if _, got := read(t, file); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %.300v, want %.300v", got, want)
		}
	})
}
