package parquet

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/parquet"

	"github.com/seojaeohcode/atio/core/encode/internal/compress"
	"github.com/seojaeohcode/atio/core/encode/parquet/internal/encoding"
	"github.com/seojaeohcode/atio/core/encode/parquet/internal/thrift"
)

// pageInfo is what the page index says of a data page.
type pageInfo struct {
	offset   int64 // from the chunk's first byte, with header
	size     int32 // compressed, with header
	firstRow int64
	nulls    int64
	bounds   bounds
}

// pageWriter appends the pages of one column chunk to a buffer.
type pageWriter struct {
	ctx      context.Context
	codec    compress.Encoder
	settings *settings
	buf      []byte
	base     int // where the chunk begins in buf
	header   thrift.Writer
	info     *chunkInfo
}

// Page types and their fields in PageHeader (parquet.thrift).
const (
	dataPage       = 0
	dictionaryPage = 2
	dataPageV2     = 3
)

// page is a page to be written. body holds its levels and then its values.
type page struct {
	body     []byte
	rep, def int // bytes of levels at the beginning of body
	entries  int
	nulls    int
	rows     int
	encoding parquet.Encoding
}

// writeDictionary appends the dictionary page.
func (w *pageWriter) writeDictionary(body []byte, n int) error {
	w.info.dictionary = int64(len(w.buf) - w.base)
	return w.append(body, 0, func(t *thrift.Writer, uncompressed, compressed int, crc uint32) {
		w.preamble(t, dictionaryPage, uncompressed, compressed, crc)
		t.Struct(7, func() {
			t.I32(1, int32(n))
			t.I32(2, int32(parquet.Encodings.Plain))
		})
	})
}

// write appends a data page.
func (w *pageWriter) write(p *page) error {
	w.info.values += int64(p.entries)
	if w.settings.dataPageV2 {
		return w.append(p.body, p.rep+p.def, func(t *thrift.Writer, uncompressed, compressed int, crc uint32) {
			w.preamble(t, dataPageV2, uncompressed, compressed, crc)
			t.Struct(8, func() {
				t.I32(1, int32(p.entries))
				t.I32(2, int32(p.nulls))
				t.I32(3, int32(p.rows))
				t.I32(4, int32(p.encoding))
				t.I32(5, int32(p.def))
				t.I32(6, int32(p.rep))
			})
		})
	}
	return w.append(p.body, 0, func(t *thrift.Writer, uncompressed, compressed int, crc uint32) {
		w.preamble(t, dataPage, uncompressed, compressed, crc)
		t.Struct(5, func() {
			t.I32(1, int32(p.entries))
			t.I32(2, int32(p.encoding))
			t.I32(3, int32(parquet.Encodings.RLE))
			t.I32(4, int32(parquet.Encodings.RLE))
		})
	})
}

func (w *pageWriter) preamble(t *thrift.Writer, typ int32, uncompressed, compressed int, crc uint32) {
	t.I32(1, typ)
	t.I32(2, int32(uncompressed))
	t.I32(3, int32(compressed))
	if w.settings.checksums {
		t.I32(4, int32(crc))
	}
}

// append appends a page: its header, the first bytes of body as they are, and the
// rest of body compressed.
func (w *pageWriter) append(body []byte, levels int, header func(t *thrift.Writer, uncompressed, compressed int, crc uint32)) error {
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	if len(body) > math.MaxInt32 {
		return fmt.Errorf("one page would hold %d bytes, and Parquet's limit is 2 GiB: a row's lists are too long", len(body))
	}
	makeHeader := func(compressed int, crc uint32) []byte {
		w.header.Bytes = w.header.Bytes[:0]
		w.header.Root(func() { header(&w.header, len(body), compressed, crc) })
		return w.header.Bytes
	}
	// The header comes first and holds the size of what follows. It is written
	// where it belongs if its length is as guessed.
	guess := len(makeHeader(len(body)/2, 1<<31))
	start := len(w.buf)
	w.buf = append(w.buf, makeHeader(len(body)/2, 1<<31)...)
	w.buf = append(w.buf, body[:levels]...)
	var err error
	if w.buf, err = w.codec.Append(w.buf, body[levels:]); err != nil {
		return err
	}
	content := w.buf[start+guess:]
	crc := uint32(0)
	if w.settings.checksums {
		crc = crc32.ChecksumIEEE(content)
	}
	if len(content) > math.MaxInt32 {
		return fmt.Errorf("one page would hold %d bytes, and Parquet's limit is 2 GiB: a row's lists are too long", len(content))
	}
	h := makeHeader(len(content), crc)
	if len(h) != guess {
		w.buf = slices.Replace(w.buf, start, start+guess, h...)
	} else {
		copy(w.buf[start:], h)
	}
	w.info.compressed += int64(len(w.buf) - start)
	w.info.uncompressed += int64(len(h) + len(body))
	return nil
}

// expect makes room for all of a chunk's entries once so many of them have been
// written: growing bit by bit would touch several times the memory.
func (w *pageWriter) expect(written, all int) {
	if written == 0 || all < 3*written {
		return
	}
	size := int64(len(w.buf)-w.base) * int64(all-written) / int64(written)
	w.buf = slices.Grow(w.buf, int(min(size+size/16, 1<<30)))
}

// appendLevels appends the levels of entries [from, to) to body, and returns how
// many bytes each kind takes.
func appendLevels(body []byte, c *column, from, to int, v2 bool) (_ []byte, rep, def int) {
	length := func(levels func()) int {
		start := len(body)
		if v2 { // the lengths stand in the page's header
			levels()
			return len(body) - start
		}
		body = append(body, 0, 0, 0, 0)
		levels()
		binary.LittleEndian.PutUint32(body[start:], uint32(len(body)-start-4))
		return len(body) - start
	}
	if most := int(c.leaf.maxRep); most > 0 {
		rep = length(func() { body = encoding.AppendHybrid(body, c.rep[from:to], encoding.Width(most)) })
	}
	if most := int(c.leaf.maxDef); most > 0 {
		def = length(func() {
			switch {
			case c.def != nil:
				body = encoding.AppendHybrid(body, c.def[from:to], encoding.Width(most))
			case c.valid == nil || encoding.CountBits(c.valid, from, to-from) == to-from:
				body = encoding.AppendRun(body, 1, to-from, 1)
			default:
				body = encoding.AppendBitRun(body, c.valid, from, to-from)
			}
		})
	}
	return body, rep, def
}
