package parquet

import (
	"fmt"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/compress"
)

// codecID is a CompressionCodec of parquet.thrift.
type codecID int8

const (
	uncompressed codecID = 0
	snappy       codecID = 1
	gzip         codecID = 2
	brotli       codecID = 4
	zstd         codecID = 6
	lz4Raw       codecID = 7
)

// codec is a compression method with its level.
type codec struct {
	id    codecID
	level int
	auto  bool // level, or nothing instead, as each chunk asks for
}

// quick returns the codec by which encodings are compared: which of them becomes
// smaller hardly depends on the level.
func (c codec) quick() codec {
	if c.id == zstd {
		return codec{id: zstd, level: 1}
	}
	return c
}

// encoder returns what compresses with c.
func (c codec) encoder() (compress.Encoder, error) {
	switch c.id {
	case uncompressed:
		return compress.None(), nil
	case snappy:
		return compress.Snappy(), nil
	case gzip:
		return compress.Gzip(c.level)
	case brotli:
		return compress.Brotli(c.level), nil
	case zstd:
		return compress.Zstd(c.level)
	case lz4Raw:
		return compress.LZ4(), nil
	}
	return nil, fmt.Errorf("no encoder for codec %d", c.id)
}

// codecInfo says what a codec is called, stored as, and which levels it has;
// one without levels has min > max.
type codecInfo struct {
	id            codecID
	level         int
	min, max      int
	withoutLevels bool
}

var codecs = map[string]codecInfo{
	"snappy": {id: snappy, withoutLevels: true},
	"zstd":   {id: zstd, level: 1, min: 1, max: 22},
	"gzip":   {id: gzip, level: 6, min: 0, max: 9},
	"brotli": {id: brotli, level: 1, min: 0, max: 11},
	"lz4":    {id: lz4Raw, withoutLevels: true},
	"none":   {id: uncompressed, withoutLevels: true},
	"auto":   {id: zstd, level: 1, withoutLevels: true},
}

// pageSize is the number of bytes at which a page ends if nothing is said. What
// compresses slowly gets smaller pages: compressing one cannot be interrupted.
func (c codec) pageSize() int64 {
	switch {
	case c.id == gzip, c.id == brotli, c.id == zstd && c.level > 9:
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
			Reason: "must be snappy, zstd, gzip, brotli, lz4, none or auto",
		}
	}
	c := codec{id: info.id, level: info.level, auto: name == "auto"}
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
