package main

import (
	"encoding/json"
	"errors"

	"github.com/seojaeohcode/atio/core"
	"github.com/seojaeohcode/atio/core/database"
)

// databaseRequest is the part of a request of the op "database": the dialect,
// and the fields of its option struct.
type databaseRequest struct {
	Dialect string          `json:"dialect"`
	Options json.RawMessage `json:"options"`
}

// writeDatabase writes what comes in one transaction: the stream of atio_start,
// or, if input is "push", those of atio_push until atio_resume. Then it waits once
// more, for the atio_resume by which the caller consents to the commit.
func writeDatabase(j *job, q *request, in *reader) (outcome, error) {
	// Closed over, so that the reader at hand is released whatever happens.
	defer func() { in.Release() }()
	if q.Database == nil {
		return outcome{}, errors.New("the request names no database")
	}
	o, err := core.NewDatabase(q.Database.Dialect)
	if err != nil {
		return outcome{}, err
	}
	if err := decode(q.Database.Options, o); err != nil {
		return outcome{}, err
	}
	next := func() (*reader, error) { return nil, nil }
	if q.Input == "push" {
		next = func() (*reader, error) {
			in, err := j.ask("")
			return in.reader, err
		}
		if in, err = next(); err != nil {
			return outcome{}, err
		}
	}
	if in == nil {
		return outcome{}, errors.New("there was no input, so there is no schema")
	}
	j.counter.SetTotal(q.Rows)
	t, err := o.Begin(j.ctx, in.Schema(), &j.counter)
	if err != nil {
		return outcome{}, err
	}
	defer t.Abort()
	for in != nil {
		for in.Next() {
			if err := t.Write(in.RecordBatch()); err != nil {
				return outcome{}, err
			}
		}
		if err := in.Err(); err != nil {
			return outcome{}, &streamError{err}
		}
		in.Release()
		if in, err = next(); err != nil {
			return outcome{}, err
		}
	}
	return commit(j, t)
}

// commit commits when the caller consents. What has been committed stays, whatever
// the caller wants by then.
func commit(j *job, t database.Transaction) (outcome, error) {
	if err := t.Finish(); err != nil {
		return outcome{}, err
	}
	if _, err := j.ask(""); err != nil {
		return outcome{}, err
	}
	r, err := t.Commit()
	if err != nil {
		return outcome{}, err
	}
	return outcome{committed: true, keep: func() (any, error) {
		return databaseResult{Rows: r.Rows, Bytes: r.Bytes, Phases: j.phases()}, nil
	}}, nil
}

// databaseResult is what a job of the op "database" answers.
type databaseResult struct {
	Rows   int64              `json:"rows"`
	Bytes  int64              `json:"bytes"`
	Phases map[string]float64 `json:"phases"` // seconds
}

// describeDatabase fills in f if err is of a database.
func describeDatabase(err error, f *failure) bool {
	var (
		connect *database.ConnectError
		lost    *database.LostError
		unknown *database.UnknownError
		server  *database.ServerError
	)
	switch {
	case errors.As(err, &unknown):
		f.Kind = "commit unknown"
	case errors.Is(err, errCancelled):
		return false
	case errors.As(err, &connect):
		f.Kind = "connect"
		if connect.Timeout {
			f.Kind = "connect timeout"
		}
	case errors.As(err, &lost):
		f.Kind = "connection lost"
	case errors.As(err, &server):
		f.Kind, f.Code, f.Column = "server", server.Code, server.Column
	case errors.Is(err, database.ErrConflict):
		f.Kind = "conflict"
	case errors.Is(err, database.ErrExists):
		f.Kind = "exists"
	default:
		return false
	}
	return true
}
