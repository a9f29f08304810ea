package publish

import (
	"context"
	"io"

	"github.com/seojaeohcode/atio/core/store"
)

const (
	bufSize       = 256 << 10
	maxWrite      = 4 << 20 // a longer write would answer a cancellation late
	sumApart      = 1 << 20 // from so many bytes on the checksum is taken while they are written
	writebackStep = 8 << 20
)

// output is a file that is being written: buffered, counted and checksummed on
// the way, its write-back started early.
type output struct {
	ctx    context.Context
	o      Options
	target string     // for errors
	file   store.File // nil while other code writes it by its path

	buf     []byte
	written int64 // to the file, the buffer left out
	behind  int64 // for which write-back was started
	sum     *checksum
	abandon bool // a sync is still running on file and will close it
}

// Size is the number of bytes written so far.
func (f *output) Size() int64 { return f.written + int64(len(f.buf)) }

// ReadAt reads what has been written, after Seal or [File.Flush].
func (f *output) ReadAt(p []byte, off int64) (int, error) { return f.file.ReadAt(p, off) }

// Write adds bytes to the file.
func (f *output) Write(p []byte) (int, error) {
	n := len(p)
	if len(f.buf)+len(p) < bufSize {
		f.buf = append(f.buf, p...)
		return n, nil
	}
	if err := f.flush(); err != nil {
		return 0, err
	}
	if len(p) < bufSize {
		f.buf = append(f.buf, p...)
		return n, nil
	}
	if err := f.writeOut(p); err != nil {
		return 0, err
	}
	return n, nil
}

func (f *output) flush() error {
	err := f.writeOut(f.buf)
	f.buf = f.buf[:0]
	return err
}

func (f *output) writeOut(p []byte) error {
	for len(p) > 0 {
		if f.ctx.Err() != nil {
			return context.Cause(f.ctx)
		}
		part := p[:min(len(p), maxWrite)]
		n, err := f.writeSummed(part)
		if err != nil {
			return wrap("write", f.target, err)
		}
		f.written += int64(n)
		f.o.Progress.AddBytes(int64(n))
		p = p[n:]
		if !f.o.SkipSync && f.written-f.behind >= writebackStep {
			// A hint: if it fails, the sync at the end says so.
			_ = f.file.StartWriteback(f.behind, f.written-f.behind)
			f.behind = f.written
		}
	}
	return nil
}

// writeSummed writes p to the file and adds it to the checksum, at the same time if
// it is long.
func (f *output) writeSummed(p []byte) (int, error) {
	if len(p) < sumApart {
		n, err := f.file.Write(p)
		f.sum.sum.Write(p[:n])
		return n, err
	}
	summed := make(chan struct{})
	go func() {
		defer close(summed)
		f.sum.sum.Write(p)
	}()
	n, err := f.file.Write(p) // all of it, or there is an error
	<-summed
	return n, err
}

// readBack counts and checksums what other code has written to the file.
func (f *output) readBack() error {
	f.sum, _ = newChecksum(f.o.Checksum)
	n, err := io.CopyBuffer(struct{ io.Writer }{f.sum.sum}, ctxReader{f.ctx, f.file}, make([]byte, 1<<20))
	if f.ctx.Err() != nil {
		return context.Cause(f.ctx)
	}
	f.written = n
	f.o.Progress.AddBytes(n)
	return wrap("read back", f.target, err)
}

// sync syncs the file, but does not wait for it once the context is cancelled:
// the disk may take seconds.
func (f *output) sync() error {
	done := make(chan error, 1)
	file := f.file
	go func() { done <- file.Sync() }()
	select {
	case err := <-done:
		return err
	case <-f.ctx.Done():
		f.abandon = true
		go func() { <-done; file.Close() }()
		return context.Cause(f.ctx)
	}
}

// discard closes the file, if it is open.
func (f *output) discard() {
	if f.file != nil && !f.abandon {
		f.file.Close()
	}
	f.file = nil
}
