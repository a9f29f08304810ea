package mongodb

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seojaeohcode/atio/core/encode"
)

// batchOf is a batch of one column from JSON, as Arrow's own reader takes it.
func batchOf(t testing.TB, dt arrow.DataType, json string) arrow.RecordBatch {
	t.Helper()
	return recordOf(t, arrow.Field{Name: "x", Type: dt, Nullable: true}, json)
}

func recordOf(t testing.TB, f arrow.Field, json string) arrow.RecordBatch {
	t.Helper()
	a, _, err := array.FromJSON(memory.DefaultAllocator, f.Type, strings.NewReader(json))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Release()
	return array.NewRecordBatch(arrow.NewSchema([]arrow.Field{f}, nil), []arrow.Array{a}, int64(a.Len()))
}

// encodeAll returns the documents of a batch, as the driver reads them.
func encodeAll(batch arrow.RecordBatch, m mapping) ([]bson.D, error) {
	d, err := newDocuments(batch.Schema(), m, newIdentifiers())
	if err != nil {
		return nil, err
	}
	r, err := d.of(batch)
	if err != nil {
		return nil, err
	}
	c := newCommand(nil, "c", 0)
	for row := range r.n {
		if _, err := c.add(r, row); err != nil {
			return nil, err
		}
	}
	c.seal()
	if err := bson.Raw(c.body).Validate(); err != nil {
		return nil, err
	}
	var command struct {
		Documents []bson.D `bson:"documents"`
	}
	return command.Documents, bson.Unmarshal(c.body, &command)
}

func decimal(t *testing.T, s string) bson.Decimal128 {
	t.Helper()
	d, err := bson.ParseDecimal128(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestValues(t *testing.T) {
	date := func(s string) bson.DateTime {
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return bson.NewDateTimeFromTime(at)
	}
	doc := func(pairs ...any) bson.D {
		d := bson.D{}
		for i := 0; i < len(pairs); i += 2 {
			d = append(d, bson.E{Key: pairs[i].(string), Value: pairs[i+1]})
		}
		return d
	}
	list := arrow.ListOf(arrow.BinaryTypes.String)
	structure := arrow.StructOf(
		arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int8, Nullable: true},
		arrow.Field{Name: "b", Type: list, Nullable: true})
	for _, c := range []struct {
		t    arrow.DataType
		json string
		want []any
	}{
		{arrow.Null, `[null]`, []any{nil}},
		{arrow.FixedWidthTypes.Boolean, `[true, false, null]`, []any{true, false, nil}},
		{arrow.PrimitiveTypes.Int8, `[-128, 127]`, []any{int32(-128), int32(127)}},
		{arrow.PrimitiveTypes.Int16, `[-32768]`, []any{int32(-32768)}},
		{arrow.PrimitiveTypes.Int32, `[-2147483648, null]`, []any{int32(math.MinInt32), nil}},
		{arrow.PrimitiveTypes.Int64, `[-9223372036854775808, 1]`, []any{int64(math.MinInt64), int64(1)}},
		{arrow.PrimitiveTypes.Uint8, `[255]`, []any{int32(255)}},
		{arrow.PrimitiveTypes.Uint16, `[65535]`, []any{int32(65535)}},
		{arrow.PrimitiveTypes.Uint32, `[4294967295]`, []any{int64(math.MaxUint32)}},
		{arrow.PrimitiveTypes.Uint64, `[9223372036854775807]`, []any{int64(math.MaxInt64)}},
		{arrow.FixedWidthTypes.Float16, `[0.5]`, []any{0.5}},
		{arrow.PrimitiveTypes.Float32, `[0.25, null]`, []any{0.25, nil}},
		{arrow.PrimitiveTypes.Float64, `[0.1, -0.0]`, []any{0.1, math.Copysign(0, -1)}},
		{arrow.BinaryTypes.String, `["", "a\u0000é"]`, []any{"", "a\x00é"}},
		{arrow.BinaryTypes.LargeString, `["x", null]`, []any{"x", nil}},
		{arrow.BinaryTypes.StringView, `["short", "longer than twelve bytes"]`, []any{"short", "longer than twelve bytes"}},
		{arrow.BinaryTypes.Binary, `["AAE="]`, []any{bson.Binary{Data: []byte{0, 1}}}},
		{arrow.BinaryTypes.LargeBinary, `[""]`, []any{bson.Binary{Data: []byte{}}}},
		{&arrow.FixedSizeBinaryType{ByteWidth: 2}, `["AAE="]`, []any{bson.Binary{Data: []byte{0, 1}}}},
		{arrow.FixedWidthTypes.Date32, `["1969-12-31", "2024-02-29"]`, []any{date("1969-12-31T00:00:00Z"), date("2024-02-29T00:00:00Z")}},
		{arrow.FixedWidthTypes.Date64, `["2024-02-29"]`, []any{date("2024-02-29T00:00:00Z")}},
		{arrow.FixedWidthTypes.Timestamp_s, `["1969-12-31 23:59:59Z"]`, []any{date("1969-12-31T23:59:59Z")}},
		{arrow.FixedWidthTypes.Timestamp_ms, `["2024-02-29 12:00:00.001Z"]`, []any{date("2024-02-29T12:00:00.001Z")}},
		{arrow.FixedWidthTypes.Timestamp_us, `["1969-12-31 23:59:59.999000Z"]`, []any{date("1969-12-31T23:59:59.999Z")}},
		{arrow.FixedWidthTypes.Timestamp_ns, `["2024-02-29 12:00:00.001000000Z"]`, []any{date("2024-02-29T12:00:00.001Z")}},
		{arrow.FixedWidthTypes.Time32s, `["23:59:59"]`, []any{"23:59:59"}},
		{arrow.FixedWidthTypes.Time64us, `["01:02:03.000004", "01:02:03"]`, []any{"01:02:03.000004", "01:02:03"}},
		{arrow.FixedWidthTypes.Duration_s, `["2s"]`, []any{int64(2_000_000_000)}},
		{&arrow.Decimal128Type{Precision: 38, Scale: 2}, `["-1.50", "0.00"]`, []any{decimal(t, "-1.50"), decimal(t, "0.00")}},
		{&arrow.Decimal128Type{Precision: 38, Scale: 0}, `["9999999999999999999999999999999999", "-9999999999999999999999999999999999", "12000000000000000000000000000000000000"]`,
			[]any{decimal(t, "9999999999999999999999999999999999"), decimal(t, "-9999999999999999999999999999999999"), decimal(t, "1200000000000000000000000000000000E+4")}},
		{&arrow.Decimal256Type{Precision: 50, Scale: 3}, `["1.234"]`, []any{decimal(t, "1.234")}},
		{&arrow.Decimal64Type{Precision: 10, Scale: 3}, `["-1.234"]`, []any{decimal(t, "-1.234")}},
		{list, `[["a", null], [], null]`, []any{bson.A{"a", nil}, bson.A{}, nil}},
		{arrow.LargeListOf(arrow.PrimitiveTypes.Int64), `[[1, 2]]`, []any{bson.A{int64(1), int64(2)}}},
		{arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int32), `[[1, 2], [3, null]]`, []any{bson.A{int32(1), int32(2)}, bson.A{int32(3), nil}}},
		{structure, `[{"a": 1, "b": ["x"]}, null, {"a": null, "b": null}]`,
			[]any{doc("a", int32(1), "b", bson.A{"x"}), nil, doc("a", nil, "b", nil)}},
		{arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64), `[[{"key": "k", "value": 1}, {"key": "l", "value": null}]]`,
			[]any{doc("k", int64(1), "l", nil)}},
		{arrow.MapOf(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String), `[[{"key": 7, "value": "v"}]]`,
			[]any{bson.A{doc("key", int32(7), "value", "v")}}},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, `["a", "b", null, "a"]`, []any{"a", "b", nil, "a"}},
	} {
		batch := batchOf(t, c.t, c.json)
		// A slice too, whose buffers do not begin where its values do.
		for from := range len(c.want) {
			docs, err := encodeAll(batch.NewSlice(int64(from), batch.NumRows()), mapping{})
			if err != nil {
				t.Errorf("%s: %v", c.t, err)
				break
			}
			for i, d := range docs {
				if len(d) != 2 || d[0].Key != "_id" {
					t.Fatalf("%s: %v", c.t, d)
				}
				if got, want := d[1], (bson.E{Key: "x", Value: c.want[from+i]}); !sameBSON(t, got, want) {
					t.Errorf("%s: row %d is %v, not %v", c.t, from+i, got, want)
				}
			}
		}
	}
}

// sameBSON compares what two values are in BSON.
func sameBSON(t *testing.T, a, b bson.E) bool {
	t.Helper()
	x, err := bson.Marshal(bson.D{a})
	if err != nil {
		t.Fatal(err)
	}
	y, err := bson.Marshal(bson.D{b})
	if err != nil {
		t.Fatal(err)
	}
	return string(x) == string(y)
}

func TestNullsAreLeftOut(t *testing.T) {
	structure := arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int8, Nullable: true})
	batch := batchOf(t, structure, `[{"a": 1}, {"a": null}, null]`)
	docs, err := encodeAll(batch, mapping{excludeNull: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []any{bson.D{{Key: "a", Value: int32(1)}}, bson.D{}, nil} {
		switch {
		case want == nil && len(docs[i]) != 1:
			t.Errorf("%v", docs[i])
		case want != nil && !sameBSON(t, docs[i][1], bson.E{Key: "x", Value: want}):
			t.Errorf("%v is not %v", docs[i][1], want)
		}
	}
}

func TestWhatBSONCannotHold(t *testing.T) {
	for _, c := range []struct {
		t    arrow.DataType
		json string
		row  int64
		says string
	}{
		{arrow.PrimitiveTypes.Uint64, `[1, 9223372036854775808]`, 1, "2^63-1"},
		{arrow.FixedWidthTypes.Timestamp_us, `["2024-01-01 00:00:00.000001Z"]`, 0, "allow_truncated_timestamps"},
		{&arrow.Decimal128Type{Precision: 38, Scale: 0}, `[null, null, "12345678901234567890123456789012345678"]`, 2, "34 digits"},
		{arrow.MapOf(arrow.BinaryTypes.String, arrow.Null), `[[{"key": "a\u0000", "value": null}]]`, 0, "NUL"},
		{arrow.BinaryTypes.String, `["` + strings.Repeat("x", maxDocument) + `"]`, 0, "bytes"},
	} {
		_, err := encodeAll(batchOf(t, c.t, c.json), mapping{})
		var v *encode.ValueError
		if !errors.As(err, &v) || v.Column != "x" || v.Row != c.row || !strings.Contains(v.Reason, c.says) {
			t.Errorf("%s: %v", c.t, err)
		}
	}
	got, err := encodeAll(batchOf(t, arrow.FixedWidthTypes.Timestamp_us, `["1969-12-31 23:59:59.999999Z"]`), mapping{truncate: true})
	if err != nil || got[0][1].Value != bson.DateTime(-1) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestNames(t *testing.T) {
	for _, names := range [][]string{{"a", "a"}, {"a\x00"}, {markField}} {
		var fields []arrow.Field
		for _, name := range names {
			fields = append(fields, arrow.Field{Name: name, Type: arrow.Null})
		}
		_, err := newDocuments(arrow.NewSchema(fields, nil), mapping{}, newIdentifiers())
		var u *encode.UnsupportedError
		if !errors.As(err, &u) || u.Column != names[0] {
			t.Errorf("%q: %v", names, err)
		}
	}
}

func TestIdentifiersOfTheFrame(t *testing.T) {
	docs, err := encodeAll(recordOf(t, arrow.Field{Name: "_id", Type: arrow.PrimitiveTypes.Int64}, `[7]`), mapping{})
	if err != nil || len(docs[0]) != 1 || docs[0][0].Value != int64(7) {
		t.Fatalf("%v, %v", docs, err)
	}
	_, err = encodeAll(recordOf(t, arrow.Field{Name: "_id", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, `[7, null]`), mapping{})
	var v *encode.ValueError
	if !errors.As(err, &v) || v.Row != 1 || v.Column != "_id" {
		t.Fatal(err)
	}
}

func TestEncodedValues(t *testing.T) {
	b := array.NewBinaryBuilder(memory.DefaultAllocator, arrow.BinaryTypes.Binary)
	defer b.Release()
	for _, v := range []any{bson.D{{Key: "a", Value: int32(1)}}, "text", bson.NewObjectID(), bson.A{1.5, nil}} {
		kind, value, err := bson.MarshalValue(v)
		if err != nil {
			t.Fatal(err)
		}
		b.Append(append([]byte{byte(kind)}, value...))
	}
	b.AppendNull()
	f := arrow.Field{Name: "x", Type: arrow.BinaryTypes.Binary, Metadata: arrow.NewMetadata([]string{encodedKey}, []string{""})}
	batch := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{f}, nil), []arrow.Array{b.NewArray()}, 5)
	docs, err := encodeAll(batch, mapping{})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := docs[2][1].Value.(bson.ObjectID); !ok || docs[1][1].Value != "text" || docs[4][1].Value != nil {
		t.Errorf("%v", docs)
	}
}

func TestIdentifiersAreInTheirRanges(t *testing.T) {
	ids := newIdentifiers()
	ranges := filters(ids.at(0), 2)
	seen := map[bson.ObjectID]bool{}
	for _, n := range []uint64{0, 1, perSecond - 1, perSecond, 2*perSecond - 1} {
		id := ids.at(n)
		inside := 0
		for _, r := range ranges {
			limits := r[0].Value.(bson.D)
			lo, hi := limits[0].Value.(bson.ObjectID), limits[1].Value.(bson.ObjectID)
			if string(id[:]) >= string(lo[:]) && string(id[:]) <= string(hi[:]) {
				inside++
			}
		}
		if inside != 1 || seen[id] {
			t.Errorf("identifier %d, %s, is in %d ranges", n, id, inside)
		}
		seen[id] = true
	}
}

func TestMarkedCommand(t *testing.T) {
	batch := batchOf(t, arrow.PrimitiveTypes.Int32, `[1, 2]`)
	d, err := newDocuments(batch.Schema(), mapping{}, newIdentifiers())
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.of(batch)
	if err != nil {
		t.Fatal(err)
	}
	c := newCommand(nil, "c", 0)
	for row := range 2 {
		if _, err := c.add(r, row); err != nil {
			t.Fatal(err)
		}
	}
	c.seal()
	id := bson.NewObjectID()
	m, err := c.marked("c", markOf(id))
	if err != nil || m.n != 2 || m.body.Validate() != nil {
		t.Fatal(m, err)
	}
	for i := range 2 {
		got := m.body.Lookup("documents").Array().Index(uint(i)).Document()
		if got.Lookup("x").Int32() != int32(i+1) || got.Lookup(markField).ObjectID() != id {
			t.Error(got)
		}
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	for _, uri := range []string{
		"mongodb://me:s3cr%40t@host:99999/db", "mongodb://me:s3cr%40t@/", "mongodb+srv://me:s3cr%40t@a,b", "mongo://me:s3cr%40t@host",
		"mongodb://me:s3cr%40t@host/?tls=perhaps", "mongodb://host/?tlsCertificateKeyFile=/none&tlsCertificateKeyFilePassword=s3cr%40t",
		"s3cr%40t", "mongodb://me:s3cr%40t@host/?w=0",
	} {
		_, err := (&Options{URI: uri, Database: "d", Collection: "c"}).Begin(t.Context(), arrow.NewSchema(nil, nil), nil)
		if err == nil || strings.Contains(err.Error(), "s3cr") || strings.Contains(err.Error(), "me:") {
			t.Errorf("%s: %v", uri, err)
		}
		var o *encode.OptionError
		if !errors.As(err, &o) {
			t.Errorf("%s: %T %v", uri, err, err)
		}
	}
}

func BenchmarkDocuments(b *testing.B) {
	fields := []arrow.Field{{Name: "i", Type: arrow.PrimitiveTypes.Int64}, {Name: "f", Type: arrow.PrimitiveTypes.Float64},
		{Name: "s", Type: arrow.BinaryTypes.String}, {Name: "t", Type: arrow.FixedWidthTypes.Timestamp_ms}}
	rb := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	const n = 100_000
	for i := range n {
		rb.Field(0).(*array.Int64Builder).Append(int64(i))
		rb.Field(1).(*array.Float64Builder).Append(float64(i) / 3)
		rb.Field(2).(*array.StringBuilder).Append("some text")
		rb.Field(3).(*array.TimestampBuilder).Append(arrow.Timestamp(i))
	}
	batch := rb.NewRecordBatch()
	d, err := newDocuments(batch.Schema(), mapping{}, newIdentifiers())
	if err != nil {
		b.Fatal(err)
	}
	var buf []byte
	for b.Loop() {
		r, err := d.of(batch)
		if err != nil {
			b.Fatal(err)
		}
		c := newCommand(buf, "c", 0)
		for row := range n {
			if _, err := c.add(r, row); err != nil {
				b.Fatal(err)
			}
			if c.isFull() {
				c = newCommand(c.body, "c", 0)
			}
		}
		buf = c.body
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/document")
}
