// Package zipped writes zip archives whose entries are deflated on all cores.
//
// An entry's text is made in pieces, which are compressed each by itself, by
// tasks of an [encode.Pipeline], and made to end at a byte where the next one can
// follow: together they are one stream of deflate. Sizes and checksum stand behind
// the entry (in a data descriptor, section 4.3.9 of PKWARE's APPNOTE.TXT), so that
// nothing has to be known before and nothing is held back.
package zipped

import (
	"archive/zip"
	"context"
	"hash/crc32"
	"io"
	"math"
	"sync"
	"unicode/utf8"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/crc"
)

// Archive is a zip archive that is written entry after entry, by one goroutine.
type Archive struct {
	ctx     context.Context
	zip     *zip.Writer
	deflate Deflate
	workers int
	texts   sync.Pool // *[]byte
	entry   *Entry    // at hand, nil if there is none
}

// New begins an archive on w. workers is how many goroutines deflate at once, 0 for
// one on each processor. Cancelling ctx ends its work.
func New(ctx context.Context, w io.Writer, deflate Deflate, workers int) *Archive {
	return &Archive{ctx: ctx, zip: zip.NewWriter(w), deflate: deflate, workers: workers}
}

// Flags of an entry (section 4.4.4).
const (
	sizesBehind = 1 << 3
	nameIsUTF8  = 1 << 11
)

// firstDay is 1980-01-01 in the format of MS-DOS, the first day there is. With the
// time of writing, the same data would not give the same bytes.
const firstDay = 1<<5 | 1

// Add adds a small entry.
func (a *Archive) Add(name string, content []byte) error {
	text, err := a.deflate(nil, content)
	if err != nil {
		return err
	}
	h := header(name)
	h.Flags &^= sizesBehind
	h.CRC32 = crc32.ChecksumIEEE(content)
	text = append(text, lastBlock...)
	h.UncompressedSize64, h.CompressedSize64 = uint64(len(content)), uint64(len(text))
	w, err := a.zip.CreateRaw(h)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// lastBlock is an empty one with which deflate ends (RFC 1951, section 3.2.3).
var lastBlock = []byte{3, 0}

func header(name string) *zip.FileHeader {
	h := &zip.FileHeader{Name: name, Method: zip.Deflate, Flags: sizesBehind}
	//lint:ignore SA1019 it is what CreateRaw writes
	h.ModifiedDate = firstDay
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			h.Flags |= nameIsUTF8
			break
		}
	}
	return h
}

// Entry is an entry whose text comes in pieces.
type Entry struct {
	archive  *Archive
	header   *zip.FileHeader
	pipeline *encode.Pipeline
}

// Begin begins an entry, which is to be closed before anything else is added.
func (a *Archive) Begin(name string) (*Entry, error) {
	h := header(name)
	w, err := a.zip.CreateRaw(h)
	if err != nil {
		return nil, err
	}
	a.entry = &Entry{archive: a, header: h, pipeline: encode.NewPipeline(a.ctx, w, 0, a.workers, 0)}
	return a.entry, nil
}

// Go adds a piece, whose text is appended by a task that may run in another
// goroutine. written, if not nil, is called when it has been written.
func (e *Entry) Go(text encode.Task, written func()) error {
	var sum uint32
	var size int
	return e.pipeline.Go(func(buf []byte) ([]byte, error) {
		b, err := text(e.archive.text())
		if err != nil {
			return nil, err
		}
		defer e.archive.texts.Put(&b)
		sum, size = crc32.ChecksumIEEE(b), len(b)
		return e.archive.deflate(buf, b)
	}, func(_ int64, n int) {
		h := e.header
		h.CRC32 = crc.Combine(h.CRC32, sum, size)
		h.UncompressedSize64 += uint64(size)
		h.CompressedSize64 += uint64(n)
		if written != nil {
			written()
		}
	})
}

// Close waits for all pieces and ends the entry.
func (e *Entry) Close() error {
	e.archive.entry = nil
	err := e.pipeline.Go(func(b []byte) ([]byte, error) { return append(b, lastBlock...), nil }, func(_ int64, n int) {
		e.header.CompressedSize64 += uint64(n)
	})
	if err != nil {
		e.pipeline.Discard()
		return err
	}
	if err := e.pipeline.Close(); err != nil {
		return err
	}
	// The archive's directory takes the narrow ones unless they are too narrow.
	h := e.header
	//lint:ignore SA1019 CreateRaw sets them when the sizes are not known yet
	h.UncompressedSize, h.CompressedSize = narrow(h.UncompressedSize64), narrow(h.CompressedSize64)
	return nil
}

func narrow(size uint64) uint32 { return uint32(min(size, math.MaxUint32)) }

// Close ends the archive.
func (a *Archive) Close() error { return a.zip.Close() }

// Discard ends the entry at hand, if there is one, and waits for its goroutines.
func (a *Archive) Discard() {
	if a.entry != nil {
		a.entry.pipeline.Discard()
		a.entry = nil
	}
}

func (a *Archive) text() []byte {
	if b, ok := a.texts.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return nil
}
