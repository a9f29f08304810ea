package parquet

import (
	"bytes"
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/klauspost/compress/s2"

	"github.com/seojaeohcode/atio/core/encode"
)

// codec is a compression method with its level.
type codec struct {
	id    compress.Compression
	level int
}

// codecInfo says what a codec is called, stored as, and which levels it has;
// one without levels has min > max.
type codecInfo struct {
	id            compress.Compression
	level         int
	min, max      int
	withoutLevels bool
}

var codecs = map[string]codecInfo{
	"snappy": {id: compress.Codecs.Snappy, withoutLevels: true},
	"zstd":   {id: compress.Codecs.Zstd, level: 1, min: 1, max: 22},
	"gzip":   {id: compress.Codecs.Gzip, level: 6, min: 0, max: 9},
	"brotli": {id: compress.Codecs.Brotli, level: 1, min: 0, max: 11},
	"lz4":    {id: compress.Codecs.Lz4Raw, withoutLevels: true},
	"none":   {id: compress.Codecs.Uncompressed, withoutLevels: true},
}

// pageSize is the number of bytes at which a page ends if nothing is said. What
// compresses slowly gets smaller pages: compressing one cannot be interrupted.
func (c codec) pageSize() int64 {
	switch {
	case c.id == compress.Codecs.Gzip, c.id == compress.Codecs.Brotli, c.id == compress.Codecs.Zstd && c.level > 9:
		return defaultDataPageSize / 8
	}
	return defaultDataPageSize
}

func newCodec(name string, level *int) (codec, error) {
	if name == "" {
		name = "snappy"
	}
	info, ok := codecs[name]
	if !ok {
		return codec{}, &encode.OptionError{
			Format: Name, Option: "compression", Value: name,
			Reason: "must be snappy, zstd, gzip, brotli, lz4 or none",
		}
	}
	c := codec{id: info.id, level: info.level}
	if level == nil {
		return c, nil
	}
	if info.withoutLevels {
		return codec{}, &encode.OptionError{
			Format: Name, Option: "compression_level", Value: *level,
			Reason: fmt.Sprintf("%s has no levels; leave compression_level out", name),
		}
	}
	if *level < info.min || *level > info.max {
		return codec{}, &encode.OptionError{
			Format: Name, Option: "compression_level", Value: *level,
			Reason: fmt.Sprintf("must be from %d to %d for %s", info.min, info.max, name),
		}
	}
	c.level = *level
	return c, nil
}

// pager is arrow-go's page writer with three changes: snappy by the fast encoder
// of package s2, where arrow-go takes a slower one; it compresses nothing more
// once it is cancelled, since the last pages of a chunk may take seconds; and it
// notes where the pages end, because Close writes a copy of the column metadata
// after them, which no reader has looked at for years.
type pager struct {
	file.PageWriter
	ctx  context.Context
	sink *chunkBuffer
	fast bool
	end  int
}

func (p *pager) Compress(buf *bytes.Buffer, src []byte) []byte {
	if p.ctx.Err() != nil {
		return src // nobody will read it
	}
	if !p.fast {
		return p.PageWriter.Compress(buf, src)
	}
	buf.Grow(s2.MaxEncodedLen(len(src)))
	return s2.EncodeSnappy(buf.AvailableBuffer()[:buf.Available()], src)
}

func (p *pager) Close(hasDictionary, fallback bool) error {
	p.end = len(p.sink.data)
	return p.PageWriter.Close(hasDictionary, fallback)
}

// chunkBuffer is a column chunk being written. The first byte is not at 0, because
// arrow-go takes a page offset of 0 for none.
type chunkBuffer struct{ data []byte }

const chunkBase = 4

func (m *chunkBuffer) Write(p []byte) (int, error) {
	m.data = append(m.data, p...)
	return len(p), nil
}

func (m *chunkBuffer) Tell() int64 { return int64(len(m.data)) + chunkBase }

func (c codec) isSnappy() bool { return c.id == compress.Codecs.Snappy }
