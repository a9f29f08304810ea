package numpy

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/held"
	"github.com/seojaeohcode/atio/core/encode/internal/zipped"
)

// piece is what one goroutine deflates: long enough for what deflate does not see
// before it, 32 KiB, not to matter.
const piece = 1 << 20

// deflated is a zip archive whose members are deflated in pieces, on all cores.
type deflated struct {
	archive *zipped.Archive
	entry   *zipped.Entry
	batches held.Batches
}

func newDeflated(ctx context.Context, w io.Writer, env encode.Env) *deflated {
	return &deflated{archive: zipped.New(ctx, w, newLevels().deflate, env.Workers)}
}

func (d *deflated) begin(a *Array) (err error) {
	if d.entry, err = d.archive.Begin(member(a)); err != nil {
		return err
	}
	header := a.header()
	return d.entry.Go(func(b []byte) ([]byte, error) { return append(b, header...), nil }, nil)
}

func (d *deflated) data(p []byte, batch arrow.RecordBatch) error {
	h := d.batches.Hold(batch)
	defer d.batches.Done(h)
	for len(p) > 0 {
		part := p[:min(piece, len(p))]
		p = p[len(part):]
		h.AddTask()
		err := d.entry.Go(func(b []byte) ([]byte, error) {
			defer d.batches.Done(h)
			return append(b, part...), nil
		}, nil)
		if err != nil {
			d.batches.Done(h)
			return err
		}
	}
	return nil
}

func (d *deflated) end() error { return d.entry.Close() }

func (d *deflated) close() error {
	defer d.batches.Release()
	return d.archive.Close()
}

func (d *deflated) discard() {
	d.archive.Discard()
	d.batches.Release()
}
