package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode/numpy"
)

const (
	// quickCells is how many cells are little enough for a quick job, and quickBytes
	// how many bytes, where they are but copied: to a core that another thread runs
	// on, the memory that becomes the file is cold.
	quickCells = 10_000
	quickBytes = 16 << 20
	// quickTime is how long it may take: not longer than the caller would wait for it
	// anyway.
	quickTime = 20 * time.Millisecond
)

var errNotQuick = errors.New("this takes longer than a quick job may")

// isQuick reports whether a request may be met while the caller waits, in the
// caller's own thread: waking another one takes longer than writing a few rows.
// Nothing can interrupt it there, so it must not wait for a disk or a network.
func isQuick(q *request, in *reader) bool {
	write := q.Op == "write" || q.Op == "table" && q.Table != nil && q.Table.Op == "write"
	return write && q.Input == "stream" && in != nil && q.SkipSync && !q.Validate &&
		q.Rows > 0 && isLittle(q, in.Schema().NumFields()) &&
		neverHangs(filepath.Dir(string(q.Target)))
}

func isLittle(q *request, columns int) bool {
	switch q.Format {
	case numpy.Npy, numpy.Bin: // whose rows are bytes
		return q.Rows <= quickBytes
	}
	return q.Rows*int64(columns) <= quickCells
}

// runQuick runs a quick job. If it takes too long, because another writer has the
// directory's lock, say, all is as before, and a reader of the same batches is
// returned.
func (j *job) runQuick(q *request, in *reader) (again *reader) {
	defer func() {
		if r := recover(); r != nil {
			j.fail(panicError(r))
			again.Release()
			again = nil
		}
	}()
	schema := in.Schema()
	batches, err := readAll(in)
	defer release(batches)
	if err != nil {
		j.fail(err)
		return nil
	}
	replay := func() (*reader, error) {
		r, err := array.NewRecordReader(schema, batches)
		return &reader{r}, err
	}
	whole := j.ctx
	ctx, cancel := context.WithTimeoutCause(whole, quickTime, errNotQuick)
	j.ctx = ctx
	defer func() { j.ctx = whole }()
	once, err := replay()
	if err == nil {
		j.out, err = run(j, q, once)
		once.Release()
	}
	if err == nil {
		j.quick = cancel
		j.set(statusReady)
		return nil
	}
	cancel()
	if errors.Is(err, errNotQuick) {
		s := j.counter.Snapshot()
		j.counter.AddRows(-s.Rows)
		j.counter.AddBytes(-s.Bytes)
		if again, err = replay(); err == nil {
			return again
		}
	}
	j.fail(err)
	return nil
}

// readAll takes all batches of in, which it releases.
func readAll(in *reader) (batches []arrow.RecordBatch, err error) {
	defer in.Release()
	for in.Next() {
		b := in.RecordBatch()
		b.Retain()
		batches = append(batches, b)
	}
	if err := in.Err(); err != nil {
		return batches, &streamError{err}
	}
	return batches, nil
}

func release(batches []arrow.RecordBatch) {
	for _, b := range batches {
		b.Release()
	}
}

// endQuick is what settle is to other jobs: the caller has consented or cancelled.
func (j *job) endQuick() {
	defer func() {
		if r := recover(); r != nil {
			j.fail(panicError(r))
		}
	}()
	defer j.quick()
	j.conclude(j.out)
}
