package parquet

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/seojaeohcode/atio/core/encode"
)

// chunkInfo is what the footer says of a column chunk. Offsets are counted from
// the chunk's first byte.
type chunkInfo struct {
	values           int64 // with nulls and empty lists
	dictionary, data int64 // first dictionary and data page; dictionary is none if there is no such page
	compressed       int64
	uncompressed     int64
	encodings        []parquet.Encoding
	dictionaryPages  map[parquet.Encoding]int32
	dataPages        map[parquet.Encoding]int32
	stats            metadata.EncodedStatistics
	hasStats         bool
}

const none = -1

// blockRows is how many rows are turned into levels and values at once: few
// enough to stay in the processor's cache and to notice a cancellation soon.
const blockRows = 8192

// encodeChunk appends the column chunk of leaf l, whose values lie in pieces,
// to buf.
func encodeChunk(ctx context.Context, l *leaf, pieces []arrow.Array, s settings, buf []byte) ([]byte, chunkInfo, error) {
	props := s.props
	if l.isDictionary() {
		props = parquet.NewWriterProperties(keepDictionary(l, s.properties)...)
	} else if s.dictionary && !dictionaryPays(l, pieces, props.DictionaryPageSizeLimit()) {
		props = s.plain
	}
	sink := &chunkBuffer{data: buf}
	meta := metadata.NewColumnChunkMetaDataBuilder(props, l.column)
	inner, err := file.NewPageWriter(sink, s.codec.id, s.codec.level, meta, 0, 0, props.Allocator(), false, nil, nil)
	if err != nil {
		return nil, chunkInfo{}, err
	}
	pages := &pager{PageWriter: inner, ctx: ctx, sink: sink, fast: s.codec.isSnappy()}
	w := file.NewColumnChunkWriter(meta, pages, props)
	if l.isDictionary() {
		if err := putDictionary(w, l, pieces[0]); err != nil {
			return nil, chunkInfo{}, err
		}
	}

	var shred shredder
	var values scratch
	for _, piece := range pieces {
		for lo := 0; lo < piece.Len(); lo += blockRows {
			if ctx.Err() != nil {
				return nil, chunkInfo{}, context.Cause(ctx)
			}
			r, err := shred.shred(l, piece, lo, min(lo+blockRows, piece.Len()))
			if err == nil {
				err = writeBlock(w, &values, r)
			}
			if err != nil {
				return nil, chunkInfo{}, &encode.ValueError{Format: Name, Column: l.name, Row: -1, Reason: err.Error()}
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, chunkInfo{}, err
	}
	if ctx.Err() != nil {
		return nil, chunkInfo{}, context.Cause(ctx)
	}
	info := infoOf(meta)
	if got := int64(pages.end - len(buf)); got != info.compressed {
		return nil, chunkInfo{}, fmt.Errorf("column chunk of %d bytes claims %d", got, info.compressed)
	}
	return sink.data[:pages.end], info, nil
}

// writeBlock hands one block to the column writer of its physical type.
func writeBlock(w file.ColumnChunkWriter, s *scratch, r leafRange) error {
	switch w := w.(type) {
	case *file.BooleanColumnChunkWriter:
		return write(s.asBools, w.WriteBatch, r)
	case *file.Int32ColumnChunkWriter:
		return write(s.asInts, w.WriteBatch, r)
	case *file.Int64ColumnChunkWriter:
		return write(s.asLongs, w.WriteBatch, r)
	case *file.Float32ColumnChunkWriter:
		return write(s.asFloats, w.WriteBatch, r)
	case *file.Float64ColumnChunkWriter:
		return write(s.asDoubles, w.WriteBatch, r)
	case *file.ByteArrayColumnChunkWriter:
		return write(s.asSlices, w.WriteBatch, r)
	case *file.FixedLenByteArrayColumnChunkWriter:
		width := w.Descr().TypeLength()
		return write(func(r leafRange) ([]parquet.FixedLenByteArray, error) { return s.asFixed(r, width) }, w.WriteBatch, r)
	}
	return fmt.Errorf("no column writer for %s", w.Type())
}

func write[T any](values func(leafRange) ([]T, error), batch func([]T, []int16, []int16) (int64, error), r leafRange) error {
	v, err := values(r)
	if err != nil {
		return err
	}
	_, err = batch(v, r.def, r.rep)
	return err
}

// infoOf reads back what arrow-go's column writer noted in meta.
func infoOf(meta *metadata.ColumnChunkMetaDataBuilder) chunkInfo {
	md := meta.Contents().MetaData
	info := chunkInfo{
		values:          md.NumValues,
		dictionary:      none,
		data:            md.DataPageOffset - chunkBase,
		compressed:      md.TotalCompressedSize,
		uncompressed:    md.TotalUncompressedSize,
		dictionaryPages: map[parquet.Encoding]int32{},
		dataPages:       map[parquet.Encoding]int32{},
	}
	if md.DictionaryPageOffset != nil {
		info.dictionary = *md.DictionaryPageOffset - chunkBase
	}
	for _, e := range md.Encodings {
		info.encodings = append(info.encodings, parquet.Encoding(e))
	}
	for _, e := range md.EncodingStats {
		if e.PageType == 2 { // DICTIONARY_PAGE in parquet.thrift
			info.dictionaryPages[parquet.Encoding(e.Encoding)] += e.Count
		} else {
			info.dataPages[parquet.Encoding(e.Encoding)] += e.Count
		}
	}
	if st := md.Statistics; st != nil {
		info.hasStats = true
		info.stats.Signed = st.Min != nil || st.Max != nil
		if st.MinValue != nil {
			info.stats.SetMin(st.MinValue)
		}
		if st.MaxValue != nil {
			info.stats.SetMax(st.MaxValue)
		}
		if st.NullCount != nil {
			info.stats.SetNullCount(*st.NullCount)
		}
	}
	return info
}
