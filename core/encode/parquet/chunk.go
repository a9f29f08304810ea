package parquet

import (
	"context"
	"fmt"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/compress"
	"github.com/seojaeohcode/atio/core/encode/parquet/internal/encoding"
)

// chunkInfo is what the footer says of a column chunk. Offsets are counted from
// the chunk's first byte.
type chunkInfo struct {
	codec        codec
	values       int64 // with nulls and empty lists
	nulls        int64
	dictionary   int64 // of the dictionary page, none if there is no such page
	data         int64 // of the first data page
	compressed   int64
	uncompressed int64
	encoding     parquet.Encoding // of the data pages
	bounds       bounds           // of no text longer than longestBound
	exact        exactness
	pages        []pageInfo
}

// exactness says whether bounds are values of the column, not only bounds.
type exactness struct{ min, max bool }

const none = -1

// workspace is the memory in which column chunks are encoded, one after another.
// Only a column's first use of it allocates.
type workspace struct {
	column     column
	later      bool // the chunk is not in the first row group
	shred      shredder
	dictionary dictionary
	encoders   map[codec]compress.Encoder

	// memory of the column's slices
	ints, codes              []uint32
	longs                    []uint64
	bits, fixed, validity    []byte
	def, rep                 []uint8
	pieces                   []bytePiece
	body, sample, compressed []byte
	used                     []bool
	strings, suffixes        []string
	lengths                  []uint32
}

var workspaces = sync.Pool{New: func() any { return &workspace{encoders: map[codec]compress.Encoder{}} }}

// keep takes the column's slices for the next one, unless they are an array's.
func (w *workspace) keep() {
	c := &w.column
	w.codes, w.pieces = c.codes, c.bytes.pieces
	if c.def != nil {
		w.def, w.rep = c.def, c.rep
	}
	if !c.borrowed {
		w.ints, w.longs, w.bits, w.fixed = c.ints, c.longs, c.bits, c.fixed
	}
}

// done drops what the workspace knows of arrays.
func (w *workspace) done() {
	w.column = column{}
	w.dictionary.reset()
	clear(w.pieces)
	clear(w.strings)
	clear(w.suffixes[:cap(w.suffixes)])
	workspaces.Put(w)
}

func (w *workspace) encoder(c codec) (compress.Encoder, error) {
	if e := w.encoders[c]; e != nil {
		return e, nil
	}
	e, err := c.encoder()
	if err == nil {
		w.encoders[c] = e
	}
	return e, err
}

// encodeChunk appends the column chunk of leaf l, whose values lie in pieces, to
// buf. Its pages end at the lines of grid. later says that it is not in the first
// row group.
func encodeChunk(ctx context.Context, l *leaf, pieces []arrow.Array, later bool, grid pageGrid, s *settings, buf []byte) ([]byte, chunkInfo, error) {
	if ctx.Err() != nil {
		return nil, chunkInfo{}, context.Cause(ctx)
	}
	w := workspaces.Get().(*workspace)
	defer w.done()
	w.later = later
	info := chunkInfo{dictionary: none, codec: l.settings.codec}
	pages := &pageWriter{ctx: ctx, settings: s, buf: buf, base: len(buf), info: &info}
	err := w.encode(l, pieces, grid, s, pages)
	switch {
	case err == nil:
		return pages.buf, info, nil
	case ctx.Err() != nil:
		return nil, chunkInfo{}, context.Cause(ctx)
	}
	return nil, chunkInfo{}, &encode.ValueError{Format: Name, Column: l.name, Row: -1, Reason: err.Error()}
}

func (w *workspace) encode(l *leaf, pieces []arrow.Array, grid pageGrid, s *settings, pages *pageWriter) error {
	c, err := w.load(l, pieces)
	if err != nil {
		return err
	}
	if pages.codec, err = w.encoder(l.settings.codec); err != nil {
		return err
	}
	if err := w.chooseEncoding(c, pages); err != nil {
		return err
	}
	info := pages.info
	info.nulls = int64(c.nulls())
	if info.encoding == parquet.Encodings.RLEDict {
		w.body = w.dictionary.appendPage(w.body[:0], l.column.PhysicalType())
		if err := pages.writeDictionary(w.body, w.dictionary.len()); err != nil {
			return err
		}
	}
	info.data = int64(len(pages.buf) - pages.base)
	split := splitter{w: w, column: c, size: s.pageSize, grid: grid, v2: s.dataPageV2}
	split.begin(info.encoding)
	defer func() { w.strings = split.pending[:split.most] }()
	for first := true; first || split.entry < c.entries; first = false {
		start := int64(len(pages.buf) - pages.base)
		row := split.row
		p, b, err := split.next()
		if err != nil {
			return err
		}
		if first {
			if err := w.chooseLevel(pages, p); err != nil {
				return err
			}
		}
		if err := pages.write(p); err != nil {
			return err
		}
		if first {
			pages.expect(p.entries, c.entries)
		}
		info.bounds.merge(l.order, b)
		info.pages = append(info.pages, pageInfo{
			offset:   start,
			size:     int32(int64(len(pages.buf)-pages.base) - start),
			firstRow: int64(row),
			nulls:    int64(p.nulls),
			bounds:   b,
		})
	}
	info.finishBounds(l)
	return nil
}

// finishBounds shortens the bounds of byte arrays and takes them out of the
// memory of arrays, which will be released.
func (info *chunkInfo) finishBounds(l *leaf) {
	info.exact = exactness{true, true}
	if l.order != bytesOrder && l.order != decimalOrder && l.order != float16Order {
		return
	}
	text := isText(l.typ)
	own := func(b *bounds) (exact exactness) {
		b.min, exact.min = shortenMin(b.min, text)
		b.max, exact.max = shortenMax(b.max, text)
		b.min, b.max = string([]byte(b.min)), string([]byte(b.max))
		return exact
	}
	info.exact = own(&info.bounds)
	for i := range info.pages {
		own(&info.pages[i].bounds)
	}
}

// splitter makes the data pages of a column, one after another.
type splitter struct {
	w      *workspace
	column *column
	size   int64 // bytes at which a page ends, before compression
	grid   pageGrid
	v2     bool
	page   page

	encoding parquet.Encoding
	values   int        // in a page, of values of equal size
	strings  byteReader // of byte arrays
	pending  []string   // read, not on a page yet
	most     int        // length that pending has had
	bounded  bool       // bounds are wanted

	entry, value, row int // of the next page
}

// mostValues bounds the number of values on a page where they take few bits, so
// that what the page index says of a page is worth something.
const mostValues = 1 << 17

// begin prepares the first page.
func (s *splitter) begin(e parquet.Encoding) {
	c := s.column
	s.encoding = e
	s.page.encoding = e
	s.bounded = c.leaf.settings.statistics
	bits := 8 * max(1, int64(c.leaf.width()))
	switch {
	case e == parquet.Encodings.RLEDict:
		bits = max(1, int64(encoding.Width(s.w.dictionary.len()-1)))
	case c.leaf.column.PhysicalType() == parquet.Types.Boolean:
		bits = 1
	}
	s.values = int(max(1, min(mostValues, s.size*8/bits)))
	if s.isStrings() {
		s.strings, s.pending = c.bytes.read(), s.w.strings[:0]
	}
}

// isStrings reports whether values are byte arrays to be read where they lie.
func (s *splitter) isStrings() bool {
	return s.column.leaf.column.PhysicalType() == parquet.Types.ByteArray && s.encoding != parquet.Encodings.RLEDict
}

// next makes the next page. It is valid until the one after it.
func (s *splitter) next() (*page, bounds, error) {
	c, w, p := s.column, s.w, &s.page
	entries, present, rows, err := s.cut()
	if err != nil {
		return nil, bounds{}, err
	}
	p.entries, p.nulls, p.rows = entries, entries-present, rows
	w.body, p.rep, p.def = appendLevels(w.body[:0], c, s.entry, s.entry+entries, s.v2)
	var b bounds
	if s.isStrings() {
		if b, err = s.appendStrings(present); err != nil {
			return nil, bounds{}, err
		}
	} else {
		w.appendValues(c, s.encoding, s.value, s.value+present)
		if s.bounded {
			b = w.boundsOf(c, s.value, s.value+present)
		}
	}
	p.body = w.body
	s.entry += entries
	s.value += present
	s.row += rows
	return p, b, nil
}

// appendValues appends values [from, to) to the page.
func (w *workspace) appendValues(c *column, e parquet.Encoding, from, to int) {
	if e == parquet.Encodings.RLEDict {
		width := encoding.Width(w.dictionary.len() - 1)
		w.body = append(w.body, byte(width))
		w.body = encoding.AppendHybrid(w.body, c.codes[from:to], width)
		return
	}
	switch c.leaf.column.PhysicalType() {
	case parquet.Types.Boolean:
		w.body = encoding.AppendBits(w.body, c.bits, from, to-from)
	case parquet.Types.Int32, parquet.Types.Float:
		w.body = appendWords(w.body, c.ints[from:to], e)
	case parquet.Types.Int64, parquet.Types.Double:
		w.body = appendWords(w.body, c.longs[from:to], e)
	case parquet.Types.FixedLenByteArray:
		width := c.leaf.column.TypeLength()
		values := c.fixed[from*width : to*width]
		if e == parquet.Encodings.ByteStreamSplit {
			w.body = encoding.AppendSplitFixed(w.body, values, width)
		} else {
			w.body = append(w.body, values...)
		}
	}
}

func appendWords[W encoding.Word](dst []byte, words []W, e parquet.Encoding) []byte {
	switch e {
	case parquet.Encodings.DeltaBinaryPacked:
		return encoding.AppendDelta(dst, words)
	case parquet.Encodings.ByteStreamSplit:
		return encoding.AppendSplit(dst, words)
	}
	return encoding.AppendPlain(dst, words)
}

// stringBlock is how many byte arrays are looked at together.
const stringBlock = 4096

// measure reads ahead until there are values of so many bytes or as many as a page
// may have, and returns how many.
func (s *splitter) measure(bytes int64) (int, error) {
	size, n := int64(0), 0
	for {
		for ; n < len(s.pending); n++ {
			if size >= bytes || n >= mostValues {
				return n, nil
			}
			size += int64(len(s.pending[n])) + 4
		}
		// Values that have been read stay where they are.
		more := len(s.pending) + min(stringBlock, s.column.values-s.value-len(s.pending))
		if cap(s.pending) < more {
			grown := make([]string, len(s.pending), max(more, 2*cap(s.pending)))
			copy(grown, s.pending)
			s.pending = grown
		}
		var err error
		before := len(s.pending)
		block := s.pending[before:before:more]
		if block, err = s.strings.fill(block); err != nil {
			return 0, err
		}
		if len(block) == 0 {
			return n, nil
		}
		s.pending = s.pending[:before+len(block)]
		s.most = max(s.most, len(s.pending))
	}
}

// appendStrings appends the next n byte arrays to the page and returns their
// bounds. A row's list may go on beyond what was measured.
func (s *splitter) appendStrings(n int) (bounds, error) {
	for len(s.pending) < n {
		block, err := s.strings.fill(make([]string, 0, max(stringBlock, n-len(s.pending))))
		if err != nil {
			return bounds{}, err
		}
		if len(block) == 0 {
			return bounds{}, fmt.Errorf("%d values where levels count %d", len(s.pending), n)
		}
		s.pending = append(s.pending, block...)
		s.most = max(s.most, len(s.pending))
	}
	w, values := s.w, s.pending[:n]
	size := 0
	for _, v := range values {
		size += len(v)
	}
	if size > maxValue {
		return bounds{}, fmt.Errorf("one page would hold %d bytes, and Parquet's limit is 2 GiB: a row's lists are too long", size)
	}
	r := stringRange{order: s.column.leaf.order}
	if s.bounded {
		for _, v := range values {
			r.add(v)
		}
	}
	w.body = w.appendStrings(w.body, values, s.encoding)
	s.pending = s.pending[:copy(s.pending, s.pending[n:])]
	return r.bounds(), nil
}

func (w *workspace) appendStrings(dst []byte, values []string, e parquet.Encoding) []byte {
	switch e {
	case parquet.Encodings.DeltaLengthByteArray:
		dst, w.lengths = encoding.AppendDeltaLength(dst, values, w.lengths)
		return dst
	case parquet.Encodings.DeltaByteArray:
		dst, w.lengths, w.suffixes = encoding.AppendDeltaStrings(dst, values, w.lengths, w.suffixes)
		return dst
	}
	return encoding.AppendPlainStrings(dst, values)
}

// cut returns how many entries from the given one on go on a page of about so
// many values, which end with a row, and how many values and rows they are.
func (c *column) cut(entry, value, values int) (entries, present, rows int) {
	left := c.entries - entry
	switch {
	case c.def == nil && c.valid == nil:
		n := min(left, values)
		return n, n, n
	case c.def == nil:
		// Nulls count: they take a bit, and a page has a bounded number of rows.
		n := min(left, max(values, min(mostValues, 8*values)))
		present := encoding.CountBits(c.valid, entry, n)
		for present > values {
			n = max(1, n*values/present)
			present = encoding.CountBits(c.valid, entry, n)
		}
		return n, present, n
	}
	most := uint8(c.leaf.maxDef)
	nested := c.leaf.maxRep > 0
	for i := entry; i < c.entries; i++ {
		if !nested || c.rep[i] == 0 {
			if present > 0 && present >= values || entries >= 8*mostValues {
				break
			}
			rows++
		}
		if c.def[i] == most {
			present++
		}
		entries++
	}
	return entries, present, rows
}
