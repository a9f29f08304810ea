package parquet

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
)

// footer collects what the end of the file says of the chunks before it.
type footer struct {
	builder   *metadata.FileMetaDataBuilder
	leaves    []*leaf
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
	offset int64
	info   *chunkInfo
}

func newFooter(fs *fileSchema, s *settings) *footer {
	props := parquet.NewWriterProperties(parquet.WithVersion(parquet.V2_LATEST), parquet.WithCreatedBy(createdBy))
	return &footer{builder: metadata.NewFileMetadataBuilder(fs.tree, props, fs.meta), leaves: fs.leaves, settings: s}
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

// writeTo writes the page index and the footer once all chunks have been written,
// up to offset.
func (f *footer) writeTo(w io.Writer, offset int64) error {
	index := pageIndex{offset: offset}
	for i, g := range f.groups {
		rg := f.builder.AppendRowGroup()
		rg.SetNumRows(int(g.rows))
		for k, c := range g.chunks {
			b := rg.NextColumnChunk()
			if err := c.describe(b, f.leaves[k], f.settings.dataPageV2); err != nil {
				return err
			}
			if f.settings.pageIndex {
				chunk := b.Contents()
				index.add(columnChunk{
					columnIndexOffset: &chunk.ColumnIndexOffset, columnIndexLength: &chunk.ColumnIndexLength,
					offsetIndexOffset: &chunk.OffsetIndexOffset, offsetIndexLength: &chunk.OffsetIndexLength,
				}, f.leaves[k], c)
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
	index.place(&buf)
	start := buf.Len()
	if _, err := meta.WriteTo(&buf, nil); err != nil {
		return err
	}
	length := buf.Len() - start
	buf.Write(binary.LittleEndian.AppendUint32(nil, uint32(length)))
	buf.WriteString(magic)
	_, err = w.Write(buf.Bytes())
	return err
}

// describe fills in the metadata of one column chunk.
func (c placedChunk) describe(b *metadata.ColumnChunkMetaDataBuilder, l *leaf, v2 bool) error {
	info := metadata.ChunkMetaInfo{
		NumValues:        c.info.values,
		DataPageOffset:   c.offset + c.info.data,
		IndexPageOffset:  none,
		CompressedSize:   c.info.compressed,
		UncompressedSize: c.info.uncompressed,
	}
	count := metadata.EncodingStats{DataEncodingStats: map[parquet.Encoding]int32{c.info.encoding: int32(len(c.info.pages))}}
	hasDictionary := c.info.dictionary != none
	used := []parquet.Encoding{c.info.encoding, parquet.Encodings.RLE}
	if hasDictionary {
		info.DictPageOffset = c.offset + c.info.dictionary
		count.DictEncodingStats = map[parquet.Encoding]int32{parquet.Encodings.Plain: 1}
		used = append([]parquet.Encoding{parquet.Encodings.Plain}, parquet.Encodings.RLE, parquet.Encodings.RLEDict)
	}
	if err := b.Finish(info, hasDictionary, false, count); err != nil {
		return err
	}
	md := b.Contents().MetaData
	setEnum(&md.Codec, int64(c.info.codec.id))
	md.Encodings = enums(md.Encodings, used)
	if v2 {
		setEnum(&md.EncodingStats[len(md.EncodingStats)-1].PageType, dataPageV2)
	}
	if !l.settings.statistics {
		return nil
	}
	var stats metadata.EncodedStatistics
	stats.SetNullCount(c.info.nulls)
	if bounds := c.info.bounds; bounds.known {
		stats.SetMin([]byte(bounds.min))
		stats.SetMax([]byte(bounds.max))
	}
	b.SetStats(stats)
	if c.info.bounds.known {
		md.Statistics.IsMinValueExact, md.Statistics.IsMaxValueExact = &c.info.exact.min, &c.info.exact.max
	}
	return nil
}

// enums turns arrow-go's names of encodings into those of its thrift package,
// whose import is closed to others.
func enums[E ~int64](_ []E, in []parquet.Encoding) []E {
	out := make([]E, len(in))
	for i, e := range in {
		out[i] = E(e)
	}
	return out
}

// setEnum sets a field of that package.
func setEnum[E ~int64](field *E, value int64) { *field = E(value) }
