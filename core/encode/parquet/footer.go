package parquet

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"io"
	"math"
	"sort"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
)

// footer collects what the end of the file says of the chunks before it.
type footer struct {
	builder   *metadata.FileMetaDataBuilder
	rowGroups int
	groups    []*groupFooter
}

// groupFooter is the footer's part about one row group.
type groupFooter struct {
	rows   int64
	chunks []placedChunk
}

type placedChunk struct {
	offset int64
	info   *chunkInfo
}

func newFooter(fs *fileSchema, s settings) *footer {
	return &footer{builder: metadata.NewFileMetadataBuilder(fs.tree, s.props, fs.meta)}
}

// add begins a row group.
func (f *footer) add(rows int64) *groupFooter {
	g := &groupFooter{rows: rows}
	f.groups = append(f.groups, g)
	f.rowGroups++
	return g
}

// chunk notes that the group's next column chunk lies at offset.
func (g *groupFooter) chunk(offset int64, info *chunkInfo) {
	g.chunks = append(g.chunks, placedChunk{offset, info})
}

// writeTo writes the footer once all chunks have been written.
func (f *footer) writeTo(w io.Writer) error {
	for i, g := range f.groups {
		rg := f.builder.AppendRowGroup()
		rg.SetNumRows(int(g.rows))
		for _, c := range g.chunks {
			if err := c.describe(rg.NextColumnChunk()); err != nil {
				return err
			}
		}
		if err := rg.Finish(0, int16(min(i, math.MaxInt16))); err != nil {
			return err
		}
	}
	meta, err := f.builder.Finish()
	if err != nil {
		return err
	}
	for i, rg := range meta.RowGroups {
		if i > math.MaxInt16 {
			rg.Ordinal = nil // an optional number of 16 bits
		}
	}
	var buf bytes.Buffer
	if _, err := meta.WriteTo(&buf, nil); err != nil {
		return err
	}
	length := buf.Len()
	buf.Write(binary.LittleEndian.AppendUint32(nil, uint32(length)))
	buf.WriteString(magic)
	_, err = w.Write(buf.Bytes())
	return err
}

// describe fills in the metadata of one column chunk.
func (c placedChunk) describe(b *metadata.ColumnChunkMetaDataBuilder) error {
	info := metadata.ChunkMetaInfo{
		NumValues:        c.info.values,
		DataPageOffset:   c.offset + c.info.data,
		IndexPageOffset:  none,
		CompressedSize:   c.info.compressed,
		UncompressedSize: c.info.uncompressed,
	}
	hasDictionary := c.info.dictionary != none
	if hasDictionary {
		info.DictPageOffset = c.offset + c.info.dictionary
	}
	pages := metadata.EncodingStats{DictEncodingStats: c.info.dictionaryPages, DataEncodingStats: c.info.dataPages}
	if err := b.Finish(info, hasDictionary, false, pages); err != nil {
		return err
	}
	if c.info.hasStats {
		b.SetStats(c.info.stats)
	}
	md := b.Contents().MetaData
	md.Encodings = encodings(md.Encodings, c.info.encodings)
	// Finish goes through a map; the same data shall give the same bytes.
	sort.Slice(md.EncodingStats, func(i, k int) bool {
		x, y := md.EncodingStats[i], md.EncodingStats[k]
		return cmp.Or(cmp.Compare(y.PageType, x.PageType), cmp.Compare(x.Encoding, y.Encoding)) < 0
	})
	return nil
}

// encodings turns arrow-go's names of encodings into those of its thrift
// package, whose import is closed to others.
func encodings[E ~int64](_ []E, in []parquet.Encoding) []E {
	out := make([]E, len(in))
	for i, e := range in {
		out[i] = E(e)
	}
	return out
}
