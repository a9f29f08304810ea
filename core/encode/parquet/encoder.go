package parquet

import (
	"context"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/progress"
)

const magic = "PAR1"

// encoder is the [encode.Encoder] of Parquet.
type encoder struct {
	ctx      context.Context
	cancel   context.CancelFunc
	w        io.Writer
	schema   *fileSchema
	settings *settings
	progress *progress.Counter

	pipeline *encode.Pipeline
	gather   gatherer
	footer   *footer
	open     []*rowGroup // submitted, perhaps not released yet
	err      error       // of an earlier call
	closed   bool
}

var errClosed = errors.New("parquet: encoder is closed")

func newEncoder(ctx context.Context, w io.Writer, fs *fileSchema, s *settings, env encode.Env) *encoder {
	ctx, cancel := context.WithCancel(ctx)
	return &encoder{
		ctx:      ctx,
		cancel:   cancel,
		w:        w,
		schema:   fs,
		settings: s,
		progress: env.Progress,
		pipeline: encode.NewPipeline(ctx, w, 0, env.Workers, len(fs.leaves)),
		gather:   gatherer{rows: s.rowGroupSize, bytes: s.rowGroupBytes},
		footer:   newFooter(fs, s),
	}
}

// Write implements [encode.Encoder].
func (e *encoder) Write(batch arrow.RecordBatch) error {
	switch {
	case e.closed:
		return errClosed
	case e.err != nil:
		return e.err
	}
	if e.err = e.fits(batch.Schema()); e.err == nil {
		e.err = e.gather.add(batch, e.submit)
	}
	return e.err
}

// RowGroupEnder is what the encoders of this package are besides an
// [encode.Encoder].
type RowGroupEnder interface {
	// EndRowGroup ends the row group that the rows written so far are in, however
	// few they are. Those that come go into another.
	EndRowGroup() error
}

var _ RowGroupEnder = (*encoder)(nil)

// EndRowGroup implements [RowGroupEnder].
func (e *encoder) EndRowGroup() error {
	switch {
	case e.closed:
		return errClosed
	case e.err != nil:
		return e.err
	}
	if g := e.gather.take(); g != nil {
		e.err = e.submit(g)
	}
	return e.err
}

// fits returns an error if a batch of schema s does not belong in this file.
func (e *encoder) fits(s *arrow.Schema) error {
	want := e.schema.arrow
	if s == want {
		return nil
	}
	if s.NumFields() != want.NumFields() {
		return &encode.ValueError{Format: Name, Row: -1, Reason: "a batch has other columns than the first one"}
	}
	for i, f := range s.Fields() {
		if w := want.Field(i); f.Name != w.Name || !arrow.TypeEqual(f.Type, w.Type) {
			return &encode.ValueError{
				Format: Name, Column: w.Name, Row: -1,
				Reason: "a batch has column " + f.Name + " of type " + f.Type.String() + " where the first one has type " + w.Type.String(),
			}
		}
	}
	return nil
}

// submit has the columns of a full row group encoded.
func (e *encoder) submit(g *rowGroup) error {
	e.forget()
	e.open = append(e.open, g)
	if e.footer.rowGroups == 0 {
		if err := e.begin(); err != nil {
			return err
		}
	}
	later := e.footer.rowGroups > 0
	group := e.footer.add(g.rows)
	works := make([]encode.Work, 0, len(e.schema.leaves))
	sizes := g.sizes(e.schema.leaves)
	grid := e.settings.grid(e.schema.leaves, sizes, g.rows)
	for i, l := range e.schema.leaves {
		info := new(chunkInfo)
		task := func(buf []byte) (out []byte, err error) {
			out, *info, err = encodeChunk(e.ctx, l, g.column(l.field), later, grid, e.settings, buf)
			e.encoded(g)
			return out, err
		}
		written := func(offset int64, _ int) { group.chunk(offset, info) }
		works = append(works, encode.Work{Task: task, Written: written, Weight: g.weight(l, sizes[i])})
	}
	if err := e.pipeline.GoAll(works); err != nil {
		return err
	}
	if len(e.schema.leaves) == 0 {
		e.progress.AddRows(g.rows)
		g.release()
	}
	return nil
}

// begin writes the first bytes of the file.
func (e *encoder) begin() error {
	return e.pipeline.Go(func(buf []byte) ([]byte, error) { return append(buf, magic...), nil }, nil)
}

// encoded is called when one more leaf of g has been encoded. Rows are counted
// leaf by leaf, so that progress does not stand still during a row group.
func (e *encoder) encoded(g *rowGroup) {
	done, all := g.encoded.Add(1), int64(len(e.schema.leaves))
	e.progress.AddRows(g.rows*done/all - g.rows*(done-1)/all)
	if done == all {
		g.release()
	}
}

// forget drops row groups that have been released.
func (e *encoder) forget() {
	kept := e.open[:0]
	for _, g := range e.open {
		if g.encoded.Load() < int64(len(e.schema.leaves)) {
			kept = append(kept, g)
		}
	}
	clear(e.open[len(kept):])
	e.open = kept
}

// Close implements [encode.Encoder].
func (e *encoder) Close() error {
	if e.closed {
		return e.err
	}
	e.closed = true
	defer e.Discard()
	if e.err != nil {
		return e.err
	}
	e.err = e.finish()
	return e.err
}

func (e *encoder) finish() error {
	if g := e.gather.take(); g != nil {
		if err := e.submit(g); err != nil {
			return err
		}
	}
	if e.footer.rowGroups == 0 {
		if err := e.begin(); err != nil {
			return err
		}
	}
	if err := e.pipeline.Close(); err != nil {
		return err
	}
	return e.footer.writeTo(e.w, e.pipeline.Offset())
}

// Discard implements [encode.Encoder].
func (e *encoder) Discard() {
	if !e.closed {
		e.closed, e.err = true, errClosed
	}
	e.cancel()
	e.pipeline.Discard()
	if g := e.gather.take(); g != nil {
		g.release()
	}
	for _, g := range e.open {
		g.release()
	}
	e.open = nil
}
