package core

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/progress"
	"github.com/seojaeohcode/atio/core/publish"
)

// DatasetWriter writes a directory of files, one after the other, which is
// published as one by Close: who looks at the directory sees all the old files
// or all the new ones. It is used by one goroutine at a time. Every
// DatasetWriter must be ended by Close, Finish or Abort.
//
// The layout is that of Hive, with the files of a partition in directories
// key=value, and the caller chooses the names. They should be new ones each
// time, so that a reader who has listed the old files does not open new ones by
// their names.
//
//	w, err := core.NewDatasetWriter(ctx, "flights", core.Options{})
//	...
//	err = w.Create("month=1/7f3a-0.parquet", january.Schema(), january.NumRows())
//	err = w.Write(january)
//	...
//	result, err := w.Close()
type DatasetWriter struct {
	ctx      context.Context
	o        Options
	began    time.Time
	encoding encode.Options
	stage    *publish.Stage
	rows     int64
	ended    bool

	// of the file at hand
	file     *publish.File
	enc      encode.Encoder
	fileRows int64
}

// NewDatasetWriter begins to write the directory target. What is there must be
// a directory of such files and nothing else, or nothing at all. If
// Options.Encoding is nil the files are Parquet. Cancelling ctx makes all
// further calls fail.
func NewDatasetWriter(ctx context.Context, target string, o Options) (*DatasetWriter, error) {
	w := &DatasetWriter{ctx: ctx, o: o, began: time.Now(), encoding: o.Encoding}
	if w.encoding == nil {
		var err error
		if w.encoding, err = NewEncoding("parquet"); err != nil {
			return nil, err
		}
	}
	if format := w.encoding.Format(); format != "parquet" {
		return nil, fmt.Errorf("a dataset of %s files: only those of parquet can be written: %w", format, ErrFormat)
	}
	po := o.publish()
	po.Directory = true
	o.Progress.Enter(progress.Encoding)
	var err error
	if w.stage, err = publish.Begin(ctx, target, po); err != nil {
		return nil, err
	}
	return w, nil
}

// Create completes the file at hand and begins the next one, at a slash path
// below the directory, such as "year=2024/month=1/7f3a-0.parquet". rows is how
// many rows it will have, 0 if that is not known.
func (w *DatasetWriter) Create(path string, schema *arrow.Schema, rows int64) error {
	if w.ended {
		return ErrClosed
	}
	if err := w.completeFile(); err != nil {
		return err
	}
	var err error
	if w.file, err = w.stage.CreateFile(path); err != nil {
		return err
	}
	o := w.o
	o.Rows = rows
	w.enc, err = w.encoding.NewEncoder(w.ctx, w.file, schema, o.env(schema))
	return err
}

// Write adds a record batch to the file at hand. The caller still has to release
// it. It may return before the batch is written, and with the error of an
// earlier one.
func (w *DatasetWriter) Write(batch arrow.RecordBatch) error {
	if w.ended || w.enc == nil {
		return ErrClosed
	}
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	if err := w.enc.Write(batch); err != nil {
		return err
	}
	w.fileRows += batch.NumRows()
	return nil
}

func (w *DatasetWriter) completeFile() error {
	if w.enc == nil {
		return nil
	}
	if err := w.enc.Close(); err != nil {
		return err
	}
	if err := w.file.Flush(); err != nil {
		return err
	}
	if !w.o.SkipCheck {
		if err := w.encoding.Check(w.file, w.file.Size(), w.fileRows); err != nil {
			return err
		}
	}
	if err := w.file.Close(); err != nil {
		return err
	}
	w.rows += w.fileRows
	w.file, w.enc, w.fileRows = nil, nil, 0
	return nil
}

// Close completes the files and publishes the directory. On an error everything
// is as it was before.
func (w *DatasetWriter) Close() (Result, error) {
	p, err := w.Finish()
	if err != nil {
		return Result{}, err
	}
	return p.Keep(), nil
}

// Finish is Close up to the last moment, as [Writer.Finish] is.
func (w *DatasetWriter) Finish() (*Pending, error) {
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

func (w *DatasetWriter) finish() (*Pending, error) {
	if err := w.completeFile(); err != nil {
		return nil, err
	}
	if err := w.stage.Seal(); err != nil {
		return nil, err
	}
	c := publish.Content{Format: w.encoding.Format(), Rows: &w.rows, Engine: "go"}
	return publishStage(w.stage, &w.o, c, w.began)
}

// Abort ends the writer without publishing and removes all traces. After Close,
// Finish or an earlier Abort it does nothing.
func (w *DatasetWriter) Abort() {
	if w.ended {
		return
	}
	w.ended = true
	if w.enc != nil {
		w.enc.Discard()
	}
	w.stage.Abort()
}
