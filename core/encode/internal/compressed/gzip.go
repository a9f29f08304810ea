package compressed

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/crc"
)

const (
	gzipBlock  = 1 << 19 // of text, compressed by one goroutine
	gzipWindow = 1 << 15 // how far deflate looks back
)

// gzipWriter makes one gzip member, as the program pigz does: a block is compressed
// by itself, with the end of the one before as a dictionary, and is made to end
// at a byte, where the next one can follow.
type gzipWriter struct {
	w        io.Writer
	pipeline *encode.Pipeline
	encoders sync.Pool // *flate.Writer
	texts    sync.Pool // *[]byte of gzipBlock
	level    int
	text     []byte // of the block to come
	window   []byte // the end of the block before
	begun    bool
	ended    bool

	crc  uint32 // of what has been written
	size uint64
}

func newGzip(ctx context.Context, w io.Writer, level, workers int) (Writer, error) {
	g := &gzipWriter{w: w, level: level, pipeline: encode.NewPipeline(ctx, w, 0, workers, 0)}
	// Errors of the level show here.
	first, err := flate.NewWriter(nil, g.effort())
	if err != nil {
		return nil, err
	}
	g.encoders.Put(first)
	return g, nil
}

// effort is the level of package flate: what it calls 9 takes several times as long
// as zlib's, which its 8 comes up to.
func (g *gzipWriter) effort() int { return min(g.level, 8) }

func (g *gzipWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if g.text == nil {
			g.text = g.room()
		}
		part := p[:min(len(p), gzipBlock-len(g.text))]
		g.text = append(g.text, part...)
		p = p[len(part):]
		if len(g.text) == gzipBlock {
			if err := g.submit(); err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}

func (g *gzipWriter) room() []byte {
	if t, ok := g.texts.Get().(*[]byte); ok {
		return (*t)[:0]
	}
	return make([]byte, 0, gzipBlock)
}

// submit has the block at hand compressed.
func (g *gzipWriter) submit() error {
	text, window := g.text, g.window
	g.text, g.window = nil, bytes.Clone(text[max(0, len(text)-gzipWindow):])
	begin := !g.begun
	g.begun = true
	var sum uint32
	return g.pipeline.Go(func(buf []byte) ([]byte, error) {
		if begin {
			buf = g.appendHeader(buf)
		}
		sum = crc32.ChecksumIEEE(text)
		return g.compress(buf, text, window)
	}, func(int64, int) {
		g.crc = crc.Combine(g.crc, sum, len(text))
		g.size += uint64(len(text))
		g.texts.Put(&text)
	})
}

func (g *gzipWriter) compress(buf, text, window []byte) ([]byte, error) {
	out := bytes.NewBuffer(buf)
	e, ok := g.encoders.Get().(*flate.Writer)
	if !ok {
		var err error
		if e, err = flate.NewWriter(nil, g.effort()); err != nil {
			return nil, err
		}
	}
	defer g.encoders.Put(e)
	e.ResetDict(out, window)
	if _, err := e.Write(text); err != nil {
		return nil, err
	}
	if err := e.Flush(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// appendHeader appends the member's header: no name and no time, so that the same
// text gives the same file.
func (g *gzipWriter) appendHeader(b []byte) []byte {
	effort := byte(0)
	switch g.level {
	case 1:
		effort = 4
	case 9:
		effort = 2
	}
	return append(b, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, effort, 255)
}

func (g *gzipWriter) Close() error {
	g.ended = true
	if len(g.text) > 0 {
		if err := g.submit(); err != nil {
			g.pipeline.Discard()
			return err
		}
	}
	if err := g.pipeline.Close(); err != nil {
		return err
	}
	var end []byte
	if !g.begun {
		end = g.appendHeader(end)
	}
	end = append(end, 3, 0) // an empty last block
	end = binary.LittleEndian.AppendUint32(end, g.crc)
	end = binary.LittleEndian.AppendUint32(end, uint32(g.size)) // modulo 2**32
	_, err := g.w.Write(end)
	return err
}

func (g *gzipWriter) Discard() {
	if !g.ended {
		g.ended = true
		g.pipeline.Discard()
	}
}
