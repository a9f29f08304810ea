package parquet

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
)

// indexedChunk is what arrow-go reads of a chunk and its indexes.
type indexedChunk struct {
	name      string
	delta     bool
	index     bool // it has a column index
	firstRows []int64
	sizes     []int32 // of pages, compressed
}

func indexedChunks(t testing.TB, data []byte) (groups [][]indexedChunk) {
	t.Helper()
	r := open(t, data)
	defer r.Close()
	for i := range r.NumRowGroups() {
		pages, err := r.GetPageIndexReader().RowGroup(i)
		if err != nil {
			t.Fatal(err)
		}
		group := r.MetaData().RowGroup(i)
		var chunks []indexedChunk
		for k := range group.NumColumns() {
			meta, err := group.ColumnChunk(k)
			if err != nil {
				t.Fatal(err)
			}
			c := indexedChunk{
				name:  meta.PathInSchema().String(),
				delta: slices.Contains(meta.Encodings(), parquet.Encodings.DeltaBinaryPacked),
				index: meta.GetColumnIndexLocation() != nil,
			}
			offsets, err := pages.GetOffsetIndex(k)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range offsets.GetPageLocations() {
				c.firstRows = append(c.firstRows, p.FirstRowIndex)
				c.sizes = append(c.sizes, p.CompressedPageSize)
			}
			chunks = append(chunks, c)
		}
		groups = append(groups, chunks)
	}
	return groups
}

// checkGrid fails where the pages of a chunk with a column index begin within a
// page of DELTA_BINARY_PACKED, and returns the chunks without a column index.
func checkGrid(t testing.TB, groups [][]indexedChunk) (without []string) {
	t.Helper()
	for i, chunks := range groups {
		for _, c := range chunks {
			if !c.index {
				without = append(without, c.name)
				continue
			}
			for _, d := range chunks {
				for _, row := range c.firstRows {
					if d.delta && !slices.Contains(d.firstRows, row) {
						t.Fatalf("row group %d: a page of %s begins at row %d, those of %s at %v", i, c.name, row, d.name, d.firstRows)
					}
				}
			}
		}
	}
	return without
}

func TestPagesBeginWithThoseOfDelta(t *testing.T) {
	schema := allTypes()
	off := false
	for name, o := range map[string]Options{
		"default":     {},
		"small pages": {DataPageSize: 300, Dictionary: &off},
		"row groups":  {DataPageSize: 2000, RowGroupSize: 700, Dictionary: &off},
		"version 2":   {DataPageSize: 5000, DataPageV2: true},
		"gzip":        {DataPageSize: 900, Compression: "gzip", Dictionary: &off},
	} {
		for _, nulls := range []float64{0, 0.2, 0.95} {
			t.Run(name, func(t *testing.T) {
				batch := randomBatch(rand.New(rand.NewPCG(1, 7)), schema, 3000, nulls)
				o.Columns = map[string]ColumnOptions{}
				for i, f := range schema.Fields() {
					if f.Type.ID() == arrow.INT32 || f.Type.ID() == arrow.TIMESTAMP {
						o.Columns[schema.Field(i).Name] = ColumnOptions{Encoding: "DELTA_BINARY_PACKED"}
					}
				}
				data := encodeAll(t, o, schema, batch)
				checkRead(t, data, batch)
				for _, name := range checkGrid(t, indexedChunks(t, data)) {
					// Lists of a few rows may take more than two pages of a few bytes.
					if o.DataPageSize == 0 || !strings.Contains(name, ".") {
						t.Errorf("%s has no column index", name)
					}
				}
			})
		}
	}
}

// Where a few long texts stand among short ones, pages remain of about the size
// asked for; what has no page of that size between two lines has no column index.
func TestLongTextsAmongShortOnes(t *testing.T) {
	const rows, size = 4000, 10_000
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "n", Type: arrow.PrimitiveTypes.Int64},
		{Name: "short", Type: arrow.BinaryTypes.String},
		{Name: "long", Type: arrow.BinaryTypes.StringView},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := range rows {
		long := "x"
		if i >= 1000 && i < 1300 {
			long = strings.Repeat("long text", 200)
		}
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		b.Field(1).(*array.StringBuilder).Append("some words")
		b.Field(2).(*array.StringViewBuilder).Append(long)
	}
	batch := b.NewRecordBatch()
	off := false
	data := encodeAll(t, Options{
		DataPageSize: size, Dictionary: &off, Compression: "none",
		Columns: map[string]ColumnOptions{"n": {Encoding: "DELTA_BINARY_PACKED"}, "long": {Encoding: "PLAIN"}},
	}, schema, batch)
	checkRead(t, data, batch)
	groups := indexedChunks(t, data)
	if without := checkGrid(t, groups); !slices.Equal(without, []string{"long"}) {
		t.Errorf("no column index: %v", without)
	}
	for _, c := range groups[0] {
		if most := slices.Max(c.sizes); most > 2*size+2000 {
			t.Errorf("%s has a page of %d bytes", c.name, most)
		}
	}
}

func TestGrid(t *testing.T) {
	fs, err := newFileSchema(arrow.NewSchema([]arrow.Field{
		{Name: "n", Type: arrow.PrimitiveTypes.Int64},
		{Name: "s", Type: arrow.BinaryTypes.String},
	}, nil), Options{}, &settings{columnSettings: columnSettings{statistics: true, dictionary: true}})
	if err != nil {
		t.Fatal(err)
	}
	s := &settings{pageIndex: true, pageSize: 1 << 20}
	for _, c := range []struct {
		rows, each int64 // each: bytes of a text
		want       pageGrid
	}{
		{100_000, 4, 0}, // one page each
		{1 << 20, 4, 1 << 17},
		{1 << 20, 40, 1 << 14},
		{1 << 20, 1000, 1 << 10},
		{1 << 20, 1 << 20, 512},
		{1 << 40, 1 << 22, 512},
	} {
		if got := s.grid(fs.leaves, []int64{8 * c.rows, c.each * c.rows}, c.rows); got != c.want {
			t.Errorf("%d rows of %d bytes: %d, want %d", c.rows, c.each, got, c.want)
		}
	}
	s.pageIndex = false
	if got := s.grid(fs.leaves, []int64{8 << 20, 40 << 20}, 1<<20); got != 0 {
		t.Errorf("without page index: %d", got)
	}
}
