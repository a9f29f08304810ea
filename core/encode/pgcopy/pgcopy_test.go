package pgcopy_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/pgcopy"
	"github.com/seojaeohcode/atio/core/progress"
)

// parse takes a stream apart as COPY does: for each row its fields, nil for null.
func parse(t *testing.T, b []byte) [][][]byte {
	t.Helper()
	signature := []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	if !bytes.HasPrefix(b, signature) {
		t.Fatalf("the stream begins with %q", b[:min(len(b), 19)])
	}
	b = b[len(signature):]
	var rows [][][]byte
	for {
		n := int16(binary.BigEndian.Uint16(b))
		b = b[2:]
		if n == -1 {
			if len(b) != 0 {
				t.Fatalf("%d bytes follow the trailer", len(b))
			}
			return rows
		}
		row := make([][]byte, n)
		for i := range row {
			size := int32(binary.BigEndian.Uint32(b))
			b = b[4:]
			if size >= 0 {
				row[i], b = b[:size:size], b[size:]
			}
		}
		rows = append(rows, row)
	}
}

func encoded(t *testing.T, o *pgcopy.Options, env encode.Env, batches ...arrow.RecordBatch) ([]byte, error) {
	t.Helper()
	var out bytes.Buffer
	e, err := pgcopy.NewEncoder(t.Context(), &out, o, env)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Discard()
	for _, b := range batches {
		if err := e.Write(b); err != nil {
			return nil, err
		}
	}
	err = e.Close()
	return out.Bytes(), err
}

func batch(t *testing.T, schema *arrow.Schema, json string) arrow.RecordBatch {
	t.Helper()
	b, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(json))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func schemaOf(fields ...arrow.Field) *arrow.Schema { return arrow.NewSchema(fields, nil) }

// Rows come in their order, however many tasks they were cut into, and columns by
// their names.
func TestOrder(t *testing.T) {
	columns := []pgcopy.Column{{Name: "a", Type: pgcopy.Int8}, {Name: "b", Type: pgcopy.Text}}
	const n = 100_000
	ints, texts := array.NewInt64Builder(memory.DefaultAllocator), array.NewStringBuilder(memory.DefaultAllocator)
	for i := range n {
		ints.Append(int64(i))
		if i%3 == 0 {
			texts.AppendNull()
		} else {
			texts.Append(fmt.Sprint(i))
		}
	}
	a, b := ints.NewArray(), texts.NewArray()
	fieldA, fieldB := arrow.Field{Name: "a", Type: a.DataType()}, arrow.Field{Name: "b", Type: b.DataType(), Nullable: true}
	for _, workers := range []int{1, 4} {
		var p progress.Counter
		out, err := encoded(t, &pgcopy.Options{Columns: columns}, encode.Env{Workers: workers, Progress: &p},
			array.NewRecordBatch(schemaOf(fieldA, fieldB), []arrow.Array{a, b}, n),
			array.NewRecordBatch(schemaOf(fieldB, fieldA), []arrow.Array{b, a}, n))
		if err != nil {
			t.Fatal(err)
		}
		rows := parse(t, out)
		if len(rows) != 2*n || p.Snapshot().Rows != 2*n {
			t.Fatalf("%d rows, %d counted", len(rows), p.Snapshot().Rows)
		}
		for i, row := range rows {
			i %= n
			if binary.BigEndian.Uint64(row[0]) != uint64(i) || (row[1] == nil) != (i%3 == 0) || row[1] != nil && string(row[1]) != fmt.Sprint(i) {
				t.Fatalf("row %d: %q", i, row)
			}
		}
	}
}

func TestValuesThatDoNotFit(t *testing.T) {
	for _, c := range []struct {
		from arrow.DataType
		to   pgcopy.Type
		json string
		want string
	}{
		{arrow.PrimitiveTypes.Int64, pgcopy.Int4, `[{"v": 1}, {"v": 2147483648}]`, "row 1"},
		{arrow.PrimitiveTypes.Int64, pgcopy.Int2, `[{"v": -32769}]`, "row 0"},
		{arrow.PrimitiveTypes.Uint64, pgcopy.Int8, `[{"v": 9223372036854775808}]`, "row 0"},
		{arrow.PrimitiveTypes.Float64, pgcopy.Int8, `[{"v": 9223372036854775808}]`, "row 0"},
		{arrow.PrimitiveTypes.Float64, pgcopy.Float4, `[{"v": 0}, {"v": 1e39}]`, "row 1"},
		{arrow.PrimitiveTypes.Float64, pgcopy.Float4, `[{"v": 1e-60}]`, "row 0"},
		{arrow.BinaryTypes.String, pgcopy.UUID, `[{"v": "no uuid"}]`, "row 0"},
		{arrow.BinaryTypes.String, pgcopy.UUID, `[{"v": "00000000-0000-0000-0000-00000000000"}]`, "row 0"},
		{arrow.FixedWidthTypes.Date32, pgcopy.Timestamp, `[{"v": 2147483647}]`, "row 0"},
	} {
		s := schemaOf(arrow.Field{Name: "v", Type: c.from})
		var b arrow.RecordBatch
		if c.from.ID() == arrow.DATE32 {
			d := array.NewDate32Builder(memory.DefaultAllocator)
			d.Append(math.MaxInt32)
			b = array.NewRecordBatch(s, []arrow.Array{d.NewArray()}, 1)
		} else {
			b = batch(t, s, c.json)
		}
		_, err := encoded(t, &pgcopy.Options{Columns: []pgcopy.Column{{Name: "v", Type: c.to, SQL: "the type"}}}, encode.Env{}, b)
		var value *encode.ValueError
		if !errors.As(err, &value) || value.Column != "v" || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s as %d: %v", c.from, c.to, err)
		}
	}
}

func TestNotANumber(t *testing.T) {
	f := array.NewFloat64Builder(memory.DefaultAllocator)
	f.Append(math.NaN())
	b := array.NewRecordBatch(schemaOf(arrow.Field{Name: "v", Type: arrow.PrimitiveTypes.Float64}), []arrow.Array{f.NewArray()}, 1)
	for _, to := range []pgcopy.Type{pgcopy.Float8, pgcopy.Float4, pgcopy.Numeric, pgcopy.Int8} {
		for _, isNull := range []bool{true, false} {
			out, err := encoded(t, &pgcopy.Options{Columns: []pgcopy.Column{{Name: "v", Type: to}}, NaNIsNull: isNull}, encode.Env{}, b)
			if refused := to == pgcopy.Int8 && !isNull; refused != (err != nil) {
				t.Errorf("type %d, null %v: %v", to, isNull, err)
			} else if err == nil && (parse(t, out)[0][0] == nil) != isNull {
				t.Errorf("type %d, null %v: %q", to, isNull, parse(t, out))
			}
		}
	}
}

// What depends on the session's settings, or is no cast on assignment, is refused
// before anything is written.
func TestRefusedTypes(t *testing.T) {
	aware := &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	for _, c := range []struct {
		from arrow.DataType
		to   pgcopy.Type
	}{
		{aware, pgcopy.Timestamp},
		{arrow.FixedWidthTypes.Timestamp_us, pgcopy.Timestamp},
		{&arrow.TimestampType{Unit: arrow.Microsecond}, pgcopy.TimestampTZ},
		{arrow.BinaryTypes.String, pgcopy.Int8},
		{arrow.FixedWidthTypes.Boolean, pgcopy.Int4},
		{arrow.PrimitiveTypes.Float64, pgcopy.Text},
		{arrow.PrimitiveTypes.Int64, pgcopy.JSON},
		{arrow.PrimitiveTypes.Int64, 600}, // point
	} {
		o := &pgcopy.Options{Columns: []pgcopy.Column{{Name: "v", Type: c.to}}}
		var unsupported *encode.UnsupportedError
		if err := o.Check(schemaOf(arrow.Field{Name: "v", Type: c.from})); !errors.As(err, &unsupported) || unsupported.Column != "v" {
			t.Errorf("%s as %d: %v", c.from, c.to, err)
		}
	}
	o := &pgcopy.Options{Columns: []pgcopy.Column{{Name: "v", Type: pgcopy.Int8}}}
	var value *encode.ValueError
	if err := o.Check(schemaOf(arrow.Field{Name: "w", Type: arrow.PrimitiveTypes.Int64})); !errors.As(err, &value) {
		t.Errorf("a column that there is not: %v", err)
	}
}
