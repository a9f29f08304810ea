package database

import (
	"context"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/progress"
)

// Mode says what becomes of a table that exists.
type Mode string

// What may become of it. A table that does not exist is created in every mode.
const (
	Fail    Mode = "fail"        // it stays, and the write fails with ErrExists
	Replace Mode = "replace"     // a new one takes its place
	Append  Mode = "append"      // rows are added
	Delete  Mode = "delete_rows" // its rows go, the table stays
	Upsert  Mode = "upsert"      // rows with the key of one that is there replace it, others are added
)

// Modes are all of them.
var Modes = []Mode{Fail, Replace, Append, Delete, Upsert}

// Options say where and how one dialect writes. A dialect's option struct
// implements it; JSON decodes into it.
type Options interface {
	// Dialect is the registered name of the dialect, such as "postgresql".
	Dialect() string

	// Begin connects and begins a transaction for batches of schema. Counters
	// of progress are fed; it may be nil. Cancelling ctx ends whatever the
	// transaction does, and it is undone.
	//
	// What the dialect leaves to others, such as a type it does not encode, is an
	// *encode.UnsupportedError before anything is changed.
	Begin(ctx context.Context, schema *arrow.Schema, progress *progress.Counter) (Transaction, error)
}

// Transaction takes batches into one table. It is used by one goroutine at a
// time and must be ended by Commit or Abort.
type Transaction interface {
	// Write adds a batch, which the caller still has to release. Its columns are
	// found by their names. It may return before the batch has reached the server,
	// and with the error of an earlier one.
	Write(batch arrow.RecordBatch) error

	// Finish waits until the server has all batches and everything but the
	// commit is done.
	Finish() error

	// Commit makes all rows visible at once. After an error nothing has changed,
	// unless it is an [*UnknownError].
	Commit() (Result, error)

	// Abort undoes everything and closes the connection. It does not wait long
	// for a server that does not answer. After Commit it does nothing.
	Abort()
}

// Result says what was written.
type Result struct {
	Rows    int64         // of all batches
	Bytes   int64         // sent to the server
	Elapsed time.Duration // from Begin to the end of Commit; set by Write
}

// Write writes all record batches of r in one transaction. r is not released.
// When ctx is cancelled, or on an error other than an [*UnknownError], the
// table is as before.
//
//	result, err := database.Write(ctx, reader, &postgres.Options{
//		Connection: "postgresql:///sales", Table: "orders", Mode: database.Replace,
//	}, nil)
func Write(ctx context.Context, r array.RecordReader, o Options, p *progress.Counter) (Result, error) {
	began := time.Now()
	t, err := o.Begin(ctx, r.Schema(), p)
	if err != nil {
		return Result{}, err
	}
	defer t.Abort()
	for r.Next() {
		if err := t.Write(r.RecordBatch()); err != nil {
			return Result{}, err
		}
	}
	if err := r.Err(); err != nil {
		return Result{}, err
	}
	if err := t.Finish(); err != nil {
		return Result{}, err
	}
	result, err := t.Commit()
	result.Elapsed = time.Since(began)
	return result, err
}
