package parquet

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/version"
)

// Name is the format's registered name.
const Name = "parquet"

const (
	defaultRowGroupSize = 1 << 20
	defaultDataPageSize = 1 << 20

	defaultRowGroupBytes = 512 << 20

	createdBy = "atio version " + version.Version
)

// Options says how a Parquet file is written. The zero value means: snappy, row
// groups of 1,048,576 rows, statistics and dictionary encoding on.
type Options struct {
	// Compression is the codec of all columns: "snappy" (the default), "zstd",
	// "gzip", "brotli", "lz4" (which is LZ4_RAW), "none" or "auto", which is zstd
	// at a higher level than 1 where the encoding has left so little to compress
	// that it takes no longer than level 1 would without it, and nothing for data
	// that do not compress.
	Compression string `json:"compression,omitempty"`

	// CompressionLevel is the codec's level: 1 to 22 for zstd (default 1), 0 to
	// 9 for gzip (6), 0 to 11 for brotli (1). The other codecs have none.
	CompressionLevel *int `json:"compression_level,omitempty"`

	// RowGroupSize is the number of rows in a row group; the last one may have
	// fewer. 0 means 1,048,576.
	RowGroupSize int64 `json:"row_group_size,omitempty"`

	// RowGroupBytes ends row groups earlier, when their rows take that many bytes
	// of memory. The encoder holds up to two of them, so it bounds the memory of a
	// stream of large rows. 0 means 512 MiB if RowGroupSize is 0, and else no bound.
	RowGroupBytes int64 `json:"row_group_bytes,omitempty"`

	// DataPageSize is the number of bytes, before compression, at which a data
	// page ends. 0 means 1,048,576, and an eighth of that for gzip, brotli, and
	// zstd above level 9, so that a cancellation need not wait long.
	DataPageSize int64 `json:"data_page_size,omitempty"`

	// Statistics turns minimum, maximum and null count of each column chunk on
	// (the default) or off.
	Statistics *bool `json:"statistics,omitempty"`

	// Dictionary turns dictionary encoding on (the default) or off. Even when on,
	// a column chunk has one only if that makes it smaller, and if it takes no more
	// than a megabyte.
	Dictionary *bool `json:"dictionary,omitempty"`

	// Columns has other options for single columns, by their path in the Parquet
	// schema: "a", "point.x", "values.list.element".
	Columns map[string]ColumnOptions `json:"columns,omitempty"`

	// PageIndex turns the page index on (the default) or off: bounds, null counts
	// and places of all data pages, which let readers skip pages
	// (https://github.com/apache/parquet-format/blob/master/PageIndex.md). With it,
	// the pages of DELTA_BINARY_PACKED end wherever those of another column do, as
	// Spark before 4.3 goes wrong within them.
	PageIndex *bool `json:"page_index,omitempty"`

	// DataPageV2 writes data pages of version 2, whose levels are not compressed.
	DataPageV2 bool `json:"data_page_v2,omitempty"`

	// PageChecksums adds a CRC-32 to each page.
	PageChecksums bool `json:"page_checksums,omitempty"`

	// DecimalAsInteger stores decimals of at most 9 digits as INT32 and of at
	// most 18 digits as INT64, as polars does. Otherwise decimals are fixed
	// length byte arrays, as Arrow C++ writes them.
	DecimalAsInteger bool `json:"decimal_as_integer,omitempty"`

	// LargeForViews says large_string and large_binary in the stored Arrow schema
	// where the data are string or binary views, as polars does.
	LargeForViews bool `json:"large_for_views,omitempty"`

	// SkipArrowSchema leaves out the Arrow schema, so that all readers see the
	// plain types of Parquet, and no dictionaries, say.
	SkipArrowSchema bool `json:"skip_arrow_schema,omitempty"`
}

// ColumnOptions are those options that columns may differ in. What is not set is
// as for all columns.
type ColumnOptions struct {
	Compression      string `json:"compression,omitempty"`
	CompressionLevel *int   `json:"compression_level,omitempty"`
	Statistics       *bool  `json:"statistics,omitempty"`
	Dictionary       *bool  `json:"dictionary,omitempty"`

	// Encoding is that of the values: "PLAIN", "DELTA_BINARY_PACKED" (integers),
	// "DELTA_LENGTH_BYTE_ARRAY" and "DELTA_BYTE_ARRAY" (strings and binaries),
	// "BYTE_STREAM_SPLIT" (numbers and fixed length byte arrays; Spark 4's default
	// reader refuses it) or "RLE_DICTIONARY". "" means what makes the data
	// smallest among those that all readers know.
	Encoding string `json:"encoding,omitempty"`
}

var _ encode.Options = Options{}

// Format returns "parquet".
func (Options) Format() string { return Name }

// NewEncoder returns an encoder that writes record batches of schema to w.
// Options that Parquet does not have are an [*encode.OptionError], columns it
// cannot hold an [*encode.UnsupportedError]; nothing has been written then. The
// encoder is a [RowGroupEnder] as well.
func (o Options) NewEncoder(ctx context.Context, w io.Writer, schema *arrow.Schema, env encode.Env) (encode.Encoder, error) {
	s, err := o.settings()
	if err != nil {
		return nil, err
	}
	fs, err := newFileSchema(schema, o, s)
	if err != nil {
		return nil, err
	}
	return newEncoder(ctx, w, fs, s, env), nil
}

// settings are options that have been checked and filled up with defaults.
type settings struct {
	columnSettings
	rowGroupSize  int64
	rowGroupBytes int64
	pageSize      int64
	pageIndex     bool
	dataPageV2    bool
	checksums     bool
}

// columnSettings are those that columns may differ in.
type columnSettings struct {
	codec      codec
	dictionary bool
	statistics bool
	encoding   *parquet.Encoding // nil: what the data ask for
}

func (o Options) settings() (*settings, error) {
	c, err := newCodec(o.Compression, o.CompressionLevel)
	if err != nil {
		return nil, err
	}
	rows, err := positive("row_group_size", o.RowGroupSize, defaultRowGroupSize)
	if err != nil {
		return nil, err
	}
	most := int64(defaultRowGroupBytes)
	if o.RowGroupSize != 0 {
		most = math.MaxInt64
	}
	groupBytes, err := positive("row_group_bytes", o.RowGroupBytes, most)
	if err != nil {
		return nil, err
	}
	page, err := positive("data_page_size", o.DataPageSize, c.pageSize())
	if err != nil {
		return nil, err
	}
	return &settings{
		columnSettings: columnSettings{codec: c, dictionary: isOn(o.Dictionary), statistics: isOn(o.Statistics)},
		rowGroupSize:   rows,
		rowGroupBytes:  groupBytes,
		pageSize:       page,
		pageIndex:      isOn(o.PageIndex),
		dataPageV2:     o.DataPageV2,
		checksums:      o.PageChecksums,
	}, nil
}

// columnSettings returns the settings of leaf l.
func (o Options) columnSettings(l *leaf, set columnSettings) (columnSettings, error) {
	own, ok := o.Columns[l.column.Path()]
	if !ok {
		return set, nil
	}
	if own.Compression != "" || own.CompressionLevel != nil {
		name, level := own.Compression, own.CompressionLevel
		if name == "" {
			name = o.Compression
		}
		var err error
		if set.codec, err = newCodec(name, level); err != nil {
			return set, err
		}
	}
	if own.Statistics != nil {
		set.statistics = *own.Statistics
	}
	if own.Dictionary != nil {
		set.dictionary = *own.Dictionary
	}
	if own.Encoding == "" {
		return set, nil
	}
	e, ok := encodingsOf(l.column.PhysicalType())[own.Encoding]
	if !ok {
		return set, &encode.OptionError{
			Format: Name, Option: "encoding", Value: own.Encoding,
			Reason: fmt.Sprintf("column %s is stored as %s, which can be encoded as %s",
				l.column.Path(), l.column.PhysicalType(), strings.Join(slices.Sorted(maps.Keys(encodingsOf(l.column.PhysicalType()))), ", ")),
		}
	}
	set.encoding = &e
	return set, nil
}

// encodingsOf returns the encodings that a physical type can be asked to have, by
// the names of parquet.thrift.
func encodingsOf(t parquet.Type) map[string]parquet.Encoding {
	known := map[string]parquet.Encoding{"PLAIN": parquet.Encodings.Plain}
	switch t {
	case parquet.Types.Int32, parquet.Types.Int64:
		known["DELTA_BINARY_PACKED"] = parquet.Encodings.DeltaBinaryPacked
	case parquet.Types.ByteArray:
		known["DELTA_LENGTH_BYTE_ARRAY"] = parquet.Encodings.DeltaLengthByteArray
		known["DELTA_BYTE_ARRAY"] = parquet.Encodings.DeltaByteArray
	}
	if t != parquet.Types.Boolean {
		known["RLE_DICTIONARY"] = parquet.Encodings.RLEDict
		if t != parquet.Types.ByteArray {
			known["BYTE_STREAM_SPLIT"] = parquet.Encodings.ByteStreamSplit
		}
	}
	return known
}

// isOn returns what an option that is on by default says.
func isOn(option *bool) bool { return option == nil || *option }

func positive(name string, value, standard int64) (int64, error) {
	switch {
	case value == 0:
		return standard, nil
	case value < 0:
		return 0, &encode.OptionError{Format: Name, Option: name, Value: value, Reason: "must be a positive number"}
	}
	return value, nil
}
