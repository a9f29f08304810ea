package parquet

import (
	"encoding/binary"
	"io"
	"math"

	"github.com/apache/arrow-go/v18/parquet"

	"github.com/seojaeohcode/atio/core/encode/parquet/internal/thrift"
)

// footer collects what the end of the file says of the chunks before it: the page
// index, and then the FileMetaData of parquet.thrift.
type footer struct {
	schema    *fileSchema
	settings  *settings
	rowGroups int
	groups    []*groupFooter
}

// groupFooter is the footer's part about one row group.
type groupFooter struct {
	rows   int64
	chunks []placedChunk
}

type placedChunk struct {
	offset                   int64
	info                     *chunkInfo
	columnIndex, offsetIndex indexPlace
}

func newFooter(fs *fileSchema, s *settings) *footer {
	return &footer{schema: fs, settings: s}
}

// add begins a row group.
func (f *footer) add(rows int64) *groupFooter {
	g := &groupFooter{rows: rows, chunks: make([]placedChunk, 0, len(f.schema.leaves))}
	f.groups = append(f.groups, g)
	f.rowGroups++
	return g
}

// chunk notes that the group's next column chunk lies at offset.
func (g *groupFooter) chunk(offset int64, info *chunkInfo) {
	g.chunks = append(g.chunks, placedChunk{offset: offset, info: info})
}

// writeTo writes the page index and the footer once all chunks have been written,
// up to offset.
func (f *footer) writeTo(w io.Writer, offset int64) error {
	var t thrift.Writer
	if f.settings.pageIndex {
		f.appendPageIndex(&t, offset)
	}
	start := len(t.Bytes)
	t.Root(func() { f.fileMetaData(&t) })
	t.Bytes = binary.LittleEndian.AppendUint32(t.Bytes, uint32(len(t.Bytes)-start))
	t.Bytes = append(t.Bytes, magic...)
	_, err := w.Write(t.Bytes)
	return err
}

func (f *footer) fileMetaData(t *thrift.Writer) {
	rows := int64(0)
	for _, g := range f.groups {
		rows += g.rows
	}
	t.I32(1, 2) // version of the format
	t.List(2, thrift.Struct, f.schema.nodes)
	schemaElements(t, f.schema.tree.Root())
	t.I64(3, rows)
	t.List(4, thrift.Struct, len(f.groups))
	for i, g := range f.groups {
		t.Root(func() { f.rowGroup(t, i, g) })
	}
	t.List(5, thrift.Struct, len(f.schema.meta))
	for _, kv := range f.schema.meta {
		t.Root(func() {
			t.String(1, kv.key)
			t.String(2, kv.value)
		})
	}
	t.String(6, createdBy)
	t.List(7, thrift.Struct, len(f.schema.leaves)) // ColumnOrder
	for range f.schema.leaves {
		t.Root(func() { t.Struct(1, func() {}) }) // TypeDefinedOrder
	}
}

func (f *footer) rowGroup(t *thrift.Writer, ordinal int, g *groupFooter) {
	var compressed, uncompressed, offset int64
	t.List(1, thrift.Struct, len(g.chunks))
	for k := range g.chunks {
		c := &g.chunks[k]
		if k == 0 {
			offset = c.begin()
		}
		compressed += c.info.compressed
		uncompressed += c.info.uncompressed
		t.Root(func() { f.columnChunk(t, f.schema.leaves[k], c) })
	}
	t.I64(2, uncompressed)
	t.I64(3, g.rows)
	t.I64(5, offset)
	t.I64(6, compressed)
	if ordinal <= math.MaxInt16 {
		t.I16(7, int16(ordinal)) // an optional number of 16 bits
	}
}

// begin is where the chunk's first page lies.
func (c *placedChunk) begin() int64 {
	if c.info.dictionary != none {
		return c.offset + c.info.dictionary
	}
	return c.offset + c.info.data
}

func (f *footer) columnChunk(t *thrift.Writer, l *leaf, c *placedChunk) {
	t.I64(2, c.begin())
	t.Struct(3, func() { f.columnMetaData(t, l, c) })
	if c.offsetIndex.length > 0 {
		t.I64(4, c.offsetIndex.offset)
		t.I32(5, c.offsetIndex.length)
	}
	if c.columnIndex.length > 0 {
		t.I64(6, c.columnIndex.offset)
		t.I32(7, c.columnIndex.length)
	}
}

func (f *footer) columnMetaData(t *thrift.Writer, l *leaf, c *placedChunk) {
	info := c.info
	hasDictionary := info.dictionary != none
	encodings := []parquet.Encoding{info.encoding, parquet.Encodings.RLE}
	if hasDictionary {
		encodings = []parquet.Encoding{parquet.Encodings.Plain, parquet.Encodings.RLE, parquet.Encodings.RLEDict}
	}
	t.I32(1, int32(l.column.PhysicalType()))
	t.List(2, thrift.I32, len(encodings))
	for _, e := range encodings {
		t.ElemI32(int32(e))
	}
	path := l.column.ColumnPath()
	t.List(3, thrift.Binary, len(path))
	for _, name := range path {
		t.ElemBinary(name)
	}
	t.I32(4, int32(info.codec.id))
	t.I64(5, info.values)
	t.I64(6, info.uncompressed)
	t.I64(7, info.compressed)
	t.I64(9, c.offset+info.data)
	if hasDictionary {
		t.I64(11, c.offset+info.dictionary)
	}
	if l.settings.statistics {
		t.Struct(12, func() { info.statistics(t) })
	}
	kind := int32(dataPage)
	if f.settings.dataPageV2 {
		kind = dataPageV2
	}
	if hasDictionary {
		t.List(13, thrift.Struct, 2)
		encodingStats(t, dictionaryPage, parquet.Encodings.Plain, 1)
	} else {
		t.List(13, thrift.Struct, 1)
	}
	encodingStats(t, kind, info.encoding, len(info.pages))
}

func (info *chunkInfo) statistics(t *thrift.Writer) {
	t.I64(3, info.nulls)
	if info.bounds.known {
		t.String(5, info.bounds.max)
		t.String(6, info.bounds.min)
		t.Bool(7, info.exact.max)
		t.Bool(8, info.exact.min)
	}
}

// encodingStats writes an element of a list of PageEncodingStats.
func encodingStats(t *thrift.Writer, page int32, e parquet.Encoding, n int) {
	t.Root(func() {
		t.I32(1, page)
		t.I32(2, int32(e))
		t.I32(3, int32(n))
	})
}
