package core

import (
	"context"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/progress"
	"github.com/seojaeohcode/atio/core/publish"
)

// Writer writes record batches to a target, which is published by Close. It is
// used by one goroutine at a time. Every Writer must be ended by Close, Finish
// or Abort.
type Writer struct {
	ctx      context.Context
	o        Options
	began    time.Time
	encoding encode.Options
	enc      encode.Encoder
	stage    *publish.Stage
	rows     int64
	ended    bool
}

// NewWriter begins to write batches of schema to target. Nothing can be seen of
// it before Close. Cancelling ctx makes all further calls fail.
func NewWriter(ctx context.Context, schema *arrow.Schema, target string, o Options) (*Writer, error) {
	w := &Writer{ctx: ctx, o: o, began: time.Now(), encoding: o.Encoding}
	if w.encoding == nil {
		format, err := formatOf(target)
		if err != nil {
			return nil, err
		}
		if w.encoding, err = NewEncoding(format); err != nil {
			return nil, err
		}
	}
	o.Progress.Enter(progress.Encoding)
	var err error
	if w.stage, err = publish.Begin(ctx, target, o.publish()); err != nil {
		return nil, err
	}
	if w.enc, err = w.encoding.NewEncoder(ctx, w.stage, schema, o.env(schema)); err != nil {
		w.stage.Abort()
		return nil, err
	}
	return w, nil
}

// Write adds a record batch, which the caller still has to release. It may
// return before the batch is written, and with the error of an earlier one.
func (w *Writer) Write(batch arrow.RecordBatch) error {
	if w.ended {
		return ErrClosed
	}
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	if err := w.enc.Write(batch); err != nil {
		return err
	}
	w.rows += batch.NumRows()
	return nil
}

// Close completes the file and publishes it. On an error everything is as it
// was before.
func (w *Writer) Close() (Result, error) {
	p, err := w.Finish()
	if err != nil {
		return Result{}, err
	}
	return p.Keep(), nil
}

// Finish is Close up to the last moment: the target has been replaced, but
// until Keep it can go back. It is for callers who have to give their own
// consent, such as one who may be interrupted. Cancelling the context no longer
// has an effect after Finish.
func (w *Writer) Finish() (*Pending, error) {
	if w.ended {
		return nil, ErrClosed
	}
	p, err := w.finish()
	if err != nil {
		w.Abort()
		return nil, err
	}
	w.ended = true
	return p, nil
}

func (w *Writer) finish() (*Pending, error) {
	if err := w.enc.Close(); err != nil {
		return nil, err
	}
	if err := w.stage.Seal(); err != nil {
		return nil, err
	}
	if !w.o.SkipCheck {
		w.o.Progress.Enter(progress.Validating)
		if err := w.encoding.Check(w.stage, w.stage.Size(), w.rows); err != nil {
			return nil, err
		}
	}
	c := publish.Content{Format: w.encoding.Format(), Rows: &w.rows, Engine: "go"}
	if counter, ok := w.enc.(encode.RowCounter); ok {
		if w.rows = counter.Rows(); w.rows < 0 {
			c.Rows = nil
		}
	}
	return publishStage(w.stage, &w.o, c, w.began)
}

// Abort ends the writer without publishing and removes all traces. After Close,
// Finish or an earlier Abort it does nothing.
func (w *Writer) Abort() {
	if w.ended {
		return
	}
	w.ended = true
	w.enc.Discard()
	w.stage.Abort()
}

// Pending is a write whose target has been replaced but can still go back. The
// directory is locked for other writers until Keep or Undo.
type Pending struct {
	p      *publish.Published
	began  time.Time
	result Result
}

// Keep makes the write final.
func (p *Pending) Keep() Result {
	p.p.Keep()
	p.result.Elapsed = time.Since(p.began)
	return p.result
}

// Undo goes back to what was before the write.
func (p *Pending) Undo() error { return p.p.Undo() }

// publishStage has a sealed stage validated by the caller and publishes it.
func publishStage(stage *publish.Stage, o *Options, c publish.Content, began time.Time) (*Pending, error) {
	if o.Validate != nil {
		o.Progress.Enter(progress.Validating)
		if err := o.Validate(stage.Path()); err != nil {
			return nil, err
		}
	}
	p, err := stage.Publish(c)
	if err != nil {
		return nil, err
	}
	return &Pending{p: p, began: began, result: resultOf(p)}, nil
}

func resultOf(p *publish.Published) Result {
	rows := int64(-1)
	if p.Flag.Rows != nil {
		rows = *p.Flag.Rows
	}
	return Result{Path: p.Target, Format: p.Flag.Format, Engine: p.Flag.Engine, Rows: rows, Bytes: p.Flag.Bytes, Checksum: p.Flag.Checksum}
}
