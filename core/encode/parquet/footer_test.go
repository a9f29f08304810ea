package parquet

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/seojaeohcode/atio/core/encode/parquet/internal/thrift"
)

// arrow-go makes the same bytes of the footer when it reads it and writes it again.
func TestFooterIsThatOfArrow(t *testing.T) {
	off := false
	options := map[string]Options{
		"default":            {},
		"row groups":         {RowGroupSize: 20},
		"page index off":     {PageIndex: &off},
		"statistics off":     {Statistics: &off},
		"pages of version 2": {DataPageV2: true, DecimalAsInteger: true},
		"small pages":        {Compression: "zstd", DataPageSize: 64, Dictionary: &off},
	}
	fields := allTypes().Fields()
	add := func(name string, typ arrow.DataType, key, value string) {
		fields = append(fields, arrow.Field{Name: name, Type: typ, Metadata: arrow.NewMetadata([]string{key}, []string{value})})
	}
	add("uuid", &arrow.FixedSizeBinaryType{ByteWidth: 16}, "ARROW:extension:name", "arrow.uuid")
	add("json", arrow.BinaryTypes.String, "ARROW:extension:name", "arrow.json")
	add("field 7", arrow.PrimitiveTypes.Int64, "PARQUET:field_id", "7")
	meta := arrow.NewMetadata([]string{"a", "b"}, []string{"", "ä"})
	schema := arrow.NewSchema(fields, &meta)
	for name, o := range options {
		for _, rows := range []int{0, 1, 50, 3000} {
			t.Run(name+" "+strconv.Itoa(rows), func(t *testing.T) {
				batch := randomBatch(rand.New(rand.NewPCG(1, 1)), schema, rows, 0.2)
				data := encodeAll(t, o, schema, batch)
				footer := data[footerOf(data) : len(data)-8]
				read, err := metadata.NewFileMetaData(footer, nil)
				if err != nil {
					t.Fatal(err)
				}
				var again bytes.Buffer
				if _, err := read.WriteTo(&again, nil); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(again.Bytes(), footer) {
					t.Errorf("arrow-go makes %d other bytes of %d", again.Len(), len(footer))
				}
				mine, err := readFooter(footer)
				if err != nil {
					t.Fatal(err)
				}
				if mine.rows != read.NumRows || len(mine.groups) != read.NumRowGroups() {
					t.Errorf("%d rows in %d groups, arrow-go reads %d in %d", mine.rows, len(mine.groups), read.NumRows, read.NumRowGroups())
				}
			})
		}
	}
}

// Whatever is in a footer, reading it ends.
func FuzzReadFooter(f *testing.F) {
	schema := allTypes()
	data := encodeAll(f, Options{RowGroupSize: 2}, schema, randomBatch(rand.New(rand.NewPCG(1, 1)), schema, 5, 0.2))
	f.Add(data[footerOf(data) : len(data)-8])
	f.Add(bytes.Repeat([]byte{0x1C}, 1<<16))                            // structs in structs
	f.Add(append([]byte{0x19}, bytes.Repeat([]byte{0x19}, 1<<16)...))   // lists in lists
	f.Add([]byte{0x49, 0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}) // more row groups than bytes
	f.Add([]byte{0x18, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}) // a longer text than bytes
	f.Add([]byte{0x00, 0x00})                                           // something behind it
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := readFooter(b); err == nil && len(b) == 0 {
			t.Error("nothing is no footer")
		}
		r := thrift.Reader{Bytes: b}
		r.Struct(func(_ int16, typ byte) { r.Skip(typ) })
		if r.Err == nil && len(b) == 0 {
			t.Error("nothing is no struct")
		}
	})
}
