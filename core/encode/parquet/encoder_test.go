package parquet

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/progress"
)

// encodeAll writes the batches and checks the file.
func encodeAll(t testing.TB, o Options, schema *arrow.Schema, batches ...arrow.RecordBatch) []byte {
	t.Helper()
	var buf bytes.Buffer
	var counter progress.Counter
	e, err := o.NewEncoder(context.Background(), &buf, schema, encode.Env{Workers: 3, Progress: &counter})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Discard()
	rows := int64(0)
	for _, b := range batches {
		if err := e.Write(b); err != nil {
			t.Fatal(err)
		}
		rows += b.NumRows()
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := o.Check(bytes.NewReader(buf.Bytes()), int64(buf.Len()), rows); err != nil {
		t.Fatal(err)
	}
	if got := counter.Snapshot().Rows; got != rows {
		t.Errorf("progress counts %d rows of %d", got, rows)
	}
	return buf.Bytes()
}

func open(t testing.TB, data []byte) *file.Reader {
	t.Helper()
	r, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestRoundTripOfAllTypes(t *testing.T) {
	schema := allTypes()
	for _, c := range []struct {
		rows  int
		nulls float64
		size  int64
	}{
		{0, 0, 0}, {1, 0, 0}, {1, 1, 0}, {7, 0, 5}, {7, 0.3, 5}, {7, 0.3, 7}, {7, 1, 1},
		{1023, 0.3, 1000}, {1025, 0, 0}, {1025, 0.01, 0}, {blockRows + 1, 0.3, blockRows}, {2*blockRows + 3, 0.3, 0},
	} {
		t.Run(fmt.Sprintf("%d rows, %v nulls, groups of %d", c.rows, c.nulls, c.size), func(t *testing.T) {
			batch := randomBatch(rand.New(rand.NewPCG(uint64(c.rows), 1)), schema, c.rows, c.nulls)
			checkRead(t, encodeAll(t, Options{RowGroupSize: c.size, Compression: "zstd"}, schema, batch), batch)
		})
	}
}

func TestBatchesAreGatheredAndSplit(t *testing.T) {
	schema := allTypes()
	r := rand.New(rand.NewPCG(1, 1))
	whole := randomBatch(r, schema, 1000, 0.2)
	var pieces []arrow.RecordBatch
	for from, n := int64(0), int64(0); from < 1000; from += n {
		n = min(r.Int64N(200), 1000-from)
		pieces = append(pieces, whole.NewSlice(from, from+n)) // has offsets, may be empty
	}
	data := encodeAll(t, Options{RowGroupSize: 300}, schema, pieces...)
	f := open(t, data)
	var groups []int64
	for i := range f.NumRowGroups() {
		groups = append(groups, f.RowGroup(i).NumRows())
	}
	if fmt.Sprint(groups) != "[300 300 300 100]" {
		t.Errorf("row groups of %v rows", groups)
	}
	checkRead(t, data, whole)
}

func TestSameDataSameBytes(t *testing.T) {
	schema := allTypes()
	batch := randomBatch(rand.New(rand.NewPCG(1, 1)), schema, 500, 0.2)
	first := encodeAll(t, Options{RowGroupSize: 100}, schema, batch)
	for range 5 {
		if again := encodeAll(t, Options{RowGroupSize: 100}, schema, batch); !bytes.Equal(first, again) {
			t.Fatal("two encodings differ")
		}
	}
}

func TestNoColumns(t *testing.T) {
	schema := arrow.NewSchema(nil, nil)
	data := encodeAll(t, Options{RowGroupSize: 4}, schema, array.NewRecordBatch(schema, nil, 10))
	if n := open(t, data).NumRows(); n != 10 {
		t.Errorf("%d rows", n)
	}
	encodeAll(t, Options{}, schema)
}

func TestNoBatches(t *testing.T) {
	data := encodeAll(t, Options{}, allTypes())
	if f := open(t, data); f.NumRows() != 0 || f.NumRowGroups() != 0 {
		t.Errorf("%d rows in %d row groups", f.NumRows(), f.NumRowGroups())
	}
}

func TestCodecs(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.BinaryTypes.String}}, nil)
	b := array.NewStringBuilder(memory.DefaultAllocator)
	for i := range 10_000 {
		b.Append(fmt.Sprint("value ", i%77, i%3))
	}
	batch := array.NewRecordBatch(schema, []arrow.Array{b.NewArray()}, 10_000)
	for name, want := range map[string]string{
		"": "SNAPPY", "snappy": "SNAPPY", "zstd": "ZSTD", "gzip": "GZIP", "brotli": "BROTLI", "lz4": "LZ4_RAW", "none": "UNCOMPRESSED",
	} {
		for _, dictionary := range []bool{true, false} {
			o := Options{Compression: name, Dictionary: &dictionary, DataPageSize: 5000}
			data := encodeAll(t, o, schema, batch)
			md, err := open(t, data).MetaData().RowGroup(0).ColumnChunk(0)
			if err != nil {
				t.Fatal(err)
			}
			if got := md.Compression().String(); got != want || md.HasDictionaryPage() != dictionary {
				t.Errorf("%q: %s, dictionary %v", name, got, md.HasDictionaryPage())
			}
			checkRead(t, data, batch)
		}
	}
}

func TestRefusedOptions(t *testing.T) {
	level := func(n int) *int { return &n }
	for name, o := range map[string]Options{
		"compression":       {Compression: "lzo"},
		"compression_level": {Compression: "zstd", CompressionLevel: level(23)},
		"row_group_size":    {RowGroupSize: -1},
		"data_page_size":    {DataPageSize: -1},
	} {
		var e *encode.OptionError
		_, err := o.NewEncoder(context.Background(), nil, allTypes(), encode.Env{})
		if !errors.As(err, &e) || e.Option != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	var e *encode.OptionError
	if _, err := (Options{CompressionLevel: level(1)}).settings(); !errors.As(err, &e) {
		t.Errorf("a level for snappy: %v", err)
	}
}

func TestRefusedTypes(t *testing.T) {
	inList := func(t arrow.DataType) arrow.DataType {
		return arrow.ListOf(arrow.StructOf(arrow.Field{Name: "x", Type: t, Nullable: true}))
	}
	for want, typ := range map[string]arrow.DataType{
		"c":           arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int32),
		"c.element.x": inList(arrow.FixedWidthTypes.MonthInterval),
		"c.a":         arrow.StructOf(arrow.Field{Name: "a", Type: arrow.StructOf()}),
		"c.key":       arrow.MapOf(&arrow.FixedSizeBinaryType{}, arrow.PrimitiveTypes.Int8),
		"c.value":     arrow.MapOf(arrow.PrimitiveTypes.Int8, &arrow.Decimal128Type{Precision: 3, Scale: -1}),
	} {
		schema := arrow.NewSchema([]arrow.Field{{Name: "c", Type: typ, Nullable: true}}, nil)
		var e *encode.UnsupportedError
		_, err := Options{}.NewEncoder(context.Background(), nil, schema, encode.Env{})
		if !errors.As(err, &e) || e.Column != want {
			t.Errorf("%s: %v", typ, err)
		}
	}
}

func TestRefusedValues(t *testing.T) {
	column := func(f arrow.Field, values arrow.Array) error {
		schema := arrow.NewSchema([]arrow.Field{f}, nil)
		e, err := Options{}.NewEncoder(context.Background(), new(bytes.Buffer), schema, encode.Env{})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Discard()
		err = e.Write(array.NewRecordBatch(schema, []arrow.Array{values}, int64(values.Len())))
		return cmpErr(err, e.Close())
	}
	ints := array.NewInt64Builder(memory.DefaultAllocator)
	ints.AppendNull()
	var e *encode.ValueError
	if err := column(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int64}, ints.NewArray()); !errors.As(err, &e) || e.Column != "a" {
		t.Errorf("null in a column without nulls: %v", err)
	}
	seconds := &arrow.TimestampType{Unit: arrow.Second}
	times := array.NewTimestampBuilder(memory.DefaultAllocator, seconds)
	times.Append(1 << 60)
	if err := column(arrow.Field{Name: "t", Type: seconds}, times.NewArray()); !errors.As(err, &e) || e.Column != "t" {
		t.Errorf("seconds that overflow: %v", err)
	}
}

func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestBatchOfAnotherSchema(t *testing.T) {
	schema := func(t arrow.DataType) *arrow.Schema {
		return arrow.NewSchema([]arrow.Field{{Name: "a", Type: t, Nullable: true}}, nil)
	}
	e, err := Options{}.NewEncoder(context.Background(), new(bytes.Buffer), schema(arrow.PrimitiveTypes.Int64), encode.Env{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Discard()
	other := randomBatch(rand.New(rand.NewPCG(1, 1)), schema(arrow.BinaryTypes.String), 3, 0)
	var v *encode.ValueError
	if err := e.Write(other); !errors.As(err, &v) {
		t.Errorf("batch of strings in a file of integers: %v", err)
	}
	if err := e.Close(); !errors.As(err, &v) {
		t.Errorf("Close after that: %v", err)
	}
}

func TestMetadata(t *testing.T) {
	dictionary := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.StringView, Ordered: true}
	meta := arrow.NewMetadata([]string{"pandas", arrowSchemaKey}, []string{"{}", "stale"})
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "d", Type: dictionary, Nullable: true, Metadata: arrow.NewMetadata([]string{"k"}, []string{"v"})},
	}, &meta)
	for _, large := range []bool{false, true} {
		data := encodeAll(t, Options{LargeForViews: large}, schema)
		kv := open(t, data).MetaData().KeyValueMetadata()
		if got := *kv.FindValue("pandas"); got != "{}" || kv.Len() != 2 {
			t.Errorf("key-value metadata %v", kv)
		}
		raw, err := base64.StdEncoding.DecodeString(*kv.FindValue(arrowSchemaKey))
		if err != nil {
			t.Fatal(err)
		}
		r, err := ipc.NewReader(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		got := r.Schema().Field(0)
		want := &arrow.DictionaryType{IndexType: dictionary.IndexType, ValueType: dictionary.ValueType, Ordered: true}
		if large {
			want.ValueType = arrow.BinaryTypes.LargeString
		}
		if !arrow.TypeEqual(got.Type, want) || !got.Type.(*arrow.DictionaryType).Ordered || got.Metadata.Len() != 1 {
			t.Errorf("stored field %v", got)
		}
	}
	bad := arrow.NewMetadata([]string{"k"}, []string{"\xff"})
	var u *encode.UnsupportedError
	if _, err := (Options{}).NewEncoder(context.Background(), nil, arrow.NewSchema(nil, &bad), encode.Env{}); !errors.As(err, &u) {
		t.Errorf("metadata that is not UTF-8: %v", err)
	}
}

// failing fails after some bytes.
type failing struct{ left int }

var errFull = errors.New("disk full")

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestFailingWriter(t *testing.T) {
	schema := allTypes()
	batch := randomBatch(rand.New(rand.NewPCG(1, 1)), schema, 2000, 0.1)
	size := len(encodeAll(t, Options{RowGroupSize: 100}, schema, batch))
	for _, left := range []int{0, 3, 4, size / 2, size - 5} {
		e, err := Options{RowGroupSize: 100}.NewEncoder(context.Background(), &failing{left}, schema, encode.Env{})
		if err == nil {
			err = cmpErr(e.Write(batch), e.Close())
			e.Discard()
		}
		if !errors.Is(err, errFull) {
			t.Errorf("after %d of %d bytes: %v", left, size, err)
		}
	}
}

func TestCancelAndDiscardLeaveNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	schema := allTypes()
	batch := randomBatch(rand.New(rand.NewPCG(1, 1)), schema, 5000, 0.1)
	for i := range 10 {
		ctx, cancel := context.WithCancelCause(context.Background())
		e, err := Options{RowGroupSize: 500}.NewEncoder(ctx, new(bytes.Buffer), schema, encode.Env{})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Write(batch); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			why := errors.New("enough")
			cancel(why)
			if err := e.Close(); !errors.Is(err, why) {
				t.Errorf("Close after cancelling: %v", err)
			}
		}
		e.Discard()
		e.Discard()
		cancel(nil)
		if err := e.Write(batch); err == nil {
			t.Error("Write after Discard")
		}
	}
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines are left of %d", runtime.NumGoroutine()-before, before)
		}
	}
}

func TestBatchesAreReleased(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	schema := arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64}, {Name: "b", Type: arrow.PrimitiveTypes.Int64}}, nil)
	for _, discard := range []bool{false, true} {
		e, err := Options{RowGroupSize: 3}.NewEncoder(context.Background(), new(bytes.Buffer), schema, encode.Env{})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			b := array.NewRecordBuilder(mem, schema)
			for k := range 2 {
				b.Field(k).(*array.Int64Builder).AppendValues([]int64{1, 2}, nil)
			}
			batch := b.NewRecordBatch()
			b.Release()
			if err := e.Write(batch); err != nil {
				t.Fatal(err)
			}
			batch.Release()
		}
		if !discard {
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
		e.Discard()
	}
}

// explosive panics when it is looked at.
type explosive struct{ *array.Int64 }

func (explosive) NullBitmapBytes() []byte { panic("boom") }

func (e explosive) Retain()  {}
func (e explosive) Release() {}

func TestPanicIsAnError(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64}}, nil)
	s, err := Options{}.settings()
	if err != nil {
		t.Fatal(err)
	}
	fs, err := newFileSchema(schema, Options{}, s)
	if err != nil {
		t.Fatal(err)
	}
	e := newEncoder(context.Background(), new(bytes.Buffer), fs, s, encode.Env{})
	defer e.Discard()
	ints := array.NewInt64Builder(memory.DefaultAllocator)
	ints.Append(1)
	batch := array.NewRecordBatch(schema, []arrow.Array{ints.NewInt64Array()}, 1)
	g := &rowGroup{pieces: []arrow.RecordBatch{explosiveBatch{batch}}, rows: 1}
	err = e.submit(g)
	var p *encode.PanicError
	if err = cmpErr(err, e.Close()); !errors.As(err, &p) || !strings.Contains(err.Error(), "boom") {
		t.Errorf("%v", err)
	}
}

type explosiveBatch struct{ arrow.RecordBatch }

func (b explosiveBatch) Column(i int) arrow.Array {
	return explosive{b.RecordBatch.Column(i).(*array.Int64)}
}

// A page cannot hold a value of two gigabytes. Its bytes here are memory that
// nobody touches.
func TestValueTooLong(t *testing.T) {
	const n = 1<<31 - 1
	offsets := memory.NewBufferBytes(arrow.Int64Traits.CastToBytes([]int64{0, n}))
	data := array.NewData(arrow.BinaryTypes.LargeString, 1, []*memory.Buffer{nil, offsets, memory.NewBufferBytes(make([]byte, n))}, nil, 0, 0)
	values := array.NewLargeStringData(data)
	schema := arrow.NewSchema([]arrow.Field{{Name: "long", Type: arrow.BinaryTypes.LargeString}}, nil)
	e, err := Options{}.NewEncoder(context.Background(), io.Discard, schema, encode.Env{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Discard()
	err = errors.Join(e.Write(array.NewRecordBatch(schema, []arrow.Array{values}, 1)), e.Close())
	var v *encode.ValueError
	if !errors.As(err, &v) || v.Column != "long" {
		t.Errorf("writing a value of %d bytes: %v", n, err)
	}
}
