package main

import (
	"context"
	"errors"
	"time"

	"github.com/seojaeohcode/atio/core"
	"github.com/seojaeohcode/atio/core/delta"
)

// applyParts replaces files of a table by parts that hold the same rows.
func applyParts(j *job, t *core.Table, r *tableRequest) (outcome, error) {
	if r.Version == nil {
		return outcome{}, errors.New("the version that was read is missing")
	}
	c := delta.Change{Operation: r.Operation, Parameters: r.Parameters, ReadVersion: *r.Version, Message: r.Message}
	for _, p := range r.Parts {
		c.Add = append(c.Add, p.Adds...)
	}
	for _, path := range r.Remove {
		c.Remove = append(c.Remove, string(path))
	}
	return outcome{keep: func() (any, error) { return resultOfCommit(j)(t.Apply(lasting(j), c)) }}, nil
}

// waitFor waits for a version newer than that of the request, and returns the
// newest one, which is not newer if the time is over.
func waitFor(j *job, t *core.Table, r *tableRequest) (int64, error) {
	after := int64(-1)
	if r.Version != nil {
		after = *r.Version
	}
	if version, err := t.Version(j.ctx); err != nil || version > max(after, 0) {
		return version, err
	}
	ctx := j.ctx
	if r.Timeout >= 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, time.Duration(r.Timeout)*time.Microsecond)
		defer stop()
	}
	version, err := t.Wait(ctx, after)
	if errors.Is(err, context.DeadlineExceeded) && j.ctx.Err() == nil {
		return after, nil
	}
	return version, err
}

// versionOfApp is how far an application has come, -1 if it has not begun.
func versionOfApp(j *job, t *core.Table, appID string) (int64, error) {
	version, err := t.Version(j.ctx)
	if err != nil || version < 1 {
		return -1, err
	}
	s, err := t.Snapshot(j.ctx, delta.At{})
	if err != nil {
		return -1, err
	}
	if n, ok := s.Txn(appID); ok {
		return n, nil
	}
	return -1, nil
}

// tableVerification is what is answered to "verify".
type tableVerification struct {
	Version   int64          `json:"version"`
	Files     int            `json:"files"`
	Rows      int64          `json:"rows"`
	Bytes     int64          `json:"bytes"`
	Checksums int            `json:"checksums"`
	Problems  []tableProblem `json:"problems"`
}

type tableProblem struct {
	Path   []byte `json:"path"` // below the table
	Reason string `json:"reason"`
}

func verificationOf(v delta.Verification) *tableVerification {
	out := &tableVerification{Version: v.Version, Files: v.Files, Rows: v.Rows, Bytes: v.Bytes, Checksums: v.Checksums}
	for _, p := range v.Problems {
		out.Problems = append(out.Problems, tableProblem{[]byte(p.Path), p.Reason})
	}
	return out
}

// committedBefore is the version that an application has committed already.
func committedBefore(j *job, t *core.Table, txn *delta.Txn) (delta.Result, error) {
	commits, err := t.History(j.ctx, 0)
	if err != nil {
		return delta.Result{}, err
	}
	for _, c := range commits {
		for _, done := range c.Txns {
			if done.AppID == txn.AppID && done.Version == txn.Version {
				return delta.Result{
					Version: c.Version, Time: c.Time, Operation: c.Operation, Rows: c.AddedRows, Bytes: c.AddedBytes,
					Files: c.AddedFiles, RemovedFiles: c.RemovedFiles,
					Totals: &c.Totals, Message: c.Message, Metadata: c.Metadata,
				}, nil
			}
		}
	}
	return delta.Result{}, delta.ErrTxnDone
}
