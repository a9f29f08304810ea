package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/seojaeohcode/atio/core"
	"github.com/seojaeohcode/atio/core/delta"
	"github.com/seojaeohcode/atio/core/encode/parquet"
)

// tableRequest is what a request with the operation "table" asks of the table
// at its target.
type tableRequest struct {
	Op string `json:"op"`

	// Of "write", "part" (write, commit later), "commit", "discard" and "rollback".
	Mode            string            `json:"mode"`
	SchemaMode      string            `json:"schema_mode"`
	PartitionBy     []string          `json:"partition_by"`
	ExpectedVersion *int64            `json:"expected_version"`
	Message         string            `json:"message"`
	Metadata        json.RawMessage   `json:"metadata"`
	SchemaMetadata  map[string]string `json:"schema_metadata"`
	Properties      map[string]string `json:"properties"`
	Txn             *delta.Txn        `json:"txn"`
	Parts           []*delta.Part     `json:"parts"`
	TxnAfter        *int64            `json:"txn_after"` // the version of the application before, -1 for none
	TargetFileSize  int64             `json:"target_file_size"`

	// Of "apply", which replaces files by parts that have the same rows.
	Remove     [][]byte       `json:"remove"` // base64 of the paths
	Operation  string         `json:"operation"`
	Parameters map[string]any `json:"parameters"`

	Timeout int64 `json:"timeout"` // of "wait", microseconds, negative for none

	// Which version; none is the newest.
	Version *int64 `json:"version"`
	Tag     string `json:"tag"`
	Time    *int64 `json:"time"` // milliseconds since 1970

	// Of "read": while the caller reads, expiry leaves the files alone.
	Filter delta.Filter `json:"filter"`
	Stats  bool         `json:"stats"` // those of each file too

	Limit     int    `json:"limit"`      // of "history"
	Name      string `json:"name"`       // of "tag" and "untag"
	KeepFor   int64  `json:"keep_for"`   // of "expire", microseconds
	KeepLast  int    `json:"keep_last"`  // of "expire"
	OlderThan *int64 `json:"older_than"` // of "clean", microseconds
	DryRun    bool   `json:"dry_run"`
}

func (q *tableRequest) at() delta.At {
	at := delta.At{Version: q.Version, Tag: q.Tag}
	if q.Time != nil {
		at.Time = time.UnixMilli(*q.Time)
	}
	return at
}

// tableResult is what a commit answers.
type tableResult struct {
	Version      int64              `json:"version"`
	Time         int64              `json:"time"` // milliseconds since 1970
	Operation    string             `json:"operation"`
	Rows         int64              `json:"rows"`
	Bytes        int64              `json:"bytes"`
	Files        int                `json:"files"`
	RemovedFiles int                `json:"removed_files"`
	Totals       *tableTotals       `json:"totals"`
	Retries      int                `json:"retries"`
	Warnings     []string           `json:"warnings"`
	Phases       map[string]float64 `json:"phases"` // seconds
}

// tableTotals are those of the table at a version.
type tableTotals struct {
	Rows  int64 `json:"rows"` // -1 if not known
	Bytes int64 `json:"bytes"`
	Files int   `json:"files"`
}

// tableSnapshot is what a reader has to know of a version.
type tableSnapshot struct {
	Version     int64           `json:"version"`
	Time        int64           `json:"time"`
	Schema      []byte          `json:"schema"` // IPC message of the types that were written
	Delta       json.RawMessage `json:"delta"`  // the schema as the log has it
	PartitionBy []string        `json:"partition_by"`
	Rows        int64           `json:"rows"`
	Bytes       int64           `json:"bytes"`
	Total       int             `json:"total"` // number of files without the filter
	Files       []tableFile     `json:"files"`
}

type tableFile struct {
	Path       []byte             `json:"path"` // below the table
	Size       int64              `json:"size"`
	Rows       int64              `json:"rows"`
	Partitions map[string]*string `json:"partitions,omitempty"`
	Stats      string             `json:"stats,omitempty"`
}

type tableCommit struct {
	Version      int64           `json:"version"`
	Time         int64           `json:"time"`
	Operation    string          `json:"operation"`
	Parameters   map[string]any  `json:"parameters"`
	Message      string          `json:"message"`
	Metadata     json.RawMessage `json:"metadata"`
	Engine       string          `json:"engine"`
	Tags         []string        `json:"tags"`
	Rows         int64           `json:"rows"`
	Bytes        int64           `json:"bytes"`
	Files        int             `json:"files"`
	AddedFiles   int             `json:"added_files"`
	RemovedFiles int             `json:"removed_files"`
	AddedRows    int64           `json:"added_rows"`
	AddedBytes   int64           `json:"added_bytes"`
	IsLatest     bool            `json:"is_latest"`
}

type tableReport struct {
	Versions []int64          `json:"versions"`
	Kept     map[int64]string `json:"kept"`
	Files    []string         `json:"files"`
	Orphans  []string         `json:"orphans"`
	Bytes    int64            `json:"bytes"`
	LogFiles []string         `json:"log_files"`
	DryRun   bool             `json:"dry_run"`
}

// runTable does what is asked of a table. What commits does so only when the
// caller consents, by the outcome's keep.
func runTable(j *job, q *request, in *reader) (outcome, error) {
	r := q.Table
	if r == nil {
		return outcome{}, errors.New("the request says nothing about the table")
	}
	t, err := core.OpenTable(j.ctx, string(q.Target), core.TableOptions{SkipSync: q.SkipSync, Progress: &j.counter})
	if err != nil {
		return outcome{}, err
	}
	switch r.Op {
	case "write", "part":
		return writeTable(j, q, in, t)
	case "commit":
		o, err := r.options(q)
		return committing(j, t, o, err, func() error { return nil }, r.Parts...) // the caller keeps them
	case "discard":
		return answering(struct{}{}, t.Discard(j.ctx, r.Parts...))
	case "rollback":
		o, err := r.options(q)
		return outcome{keep: func() (any, error) { return resultOfCommit(j)(t.Rollback(lasting(j), r.at(), o)) }}, err
	case "read":
		return readTable(j, r, t)
	case "version":
		return answering(t.Version(j.ctx))
	case "history":
		commits, err := t.History(j.ctx, r.Limit)
		return answering(commitsOf(commits), err)
	case "tags":
		return answering(t.Tags(j.ctx))
	case "tag":
		if r.Version == nil {
			return outcome{}, errors.New("a tag needs a version")
		}
		return outcome{keep: func() (any, error) { return nil, t.Tag(lasting(j), r.Name, *r.Version) }}, nil
	case "untag":
		return outcome{keep: func() (any, error) { return nil, t.Untag(lasting(j), r.Name) }}, nil
	case "delete":
		if r.Version == nil {
			return outcome{}, errors.New("there is no version to delete")
		}
		return reporting(t.DeleteVersion(j.ctx, *r.Version, r.DryRun))
	case "expire":
		keepFor := time.Duration(r.KeepFor) * time.Microsecond
		return reporting(t.Expire(j.ctx, delta.ExpireOptions{KeepFor: keepFor, KeepLast: r.KeepLast, DryRun: r.DryRun}))
	case "apply":
		return applyParts(j, t, r)
	case "wait":
		return answering(waitFor(j, t, r))
	case "verify":
		v, err := t.Verify(j.ctx, r.at())
		return answering(verificationOf(v), err)
	case "txn":
		return answering(versionOfApp(j, t, r.Name))
	case "clean":
		o := delta.CleanOptions{DryRun: r.DryRun}
		if r.OlderThan != nil {
			o.OlderThan = time.Duration(*r.OlderThan) * time.Microsecond
		}
		return reporting(t.Clean(j.ctx, o))
	}
	return outcome{}, fmt.Errorf("operation %q of a table is unknown", r.Op)
}

// lasting is the context of a commit that the caller has consented to, which
// nothing ends in the middle.
func lasting(j *job) context.Context { return context.WithoutCancel(j.ctx) }

func (q *tableRequest) options(r *request) (delta.WriteOptions, error) {
	o := delta.WriteOptions{
		Mode: delta.Mode(q.Mode), SchemaMode: delta.SchemaMode(q.SchemaMode), PartitionBy: q.PartitionBy,
		ExpectedVersion: q.ExpectedVersion, Message: q.Message, Metadata: q.Metadata, Txn: q.Txn,
		SchemaMetadata: q.SchemaMetadata, Properties: q.Properties, Rows: r.Rows, TargetFileSize: q.TargetFileSize,
	}
	if o.Txn != nil {
		o.Txn.After = q.TxnAfter
	}
	if len(r.Encoding) > 0 {
		o.Encoding = new(parquet.Options)
		if err := decode(r.Encoding, o.Encoding); err != nil {
			return o, err
		}
	}
	return o, nil
}

// writeTable writes data files from a stream, or from those that the caller
// pushes.
func writeTable(j *job, q *request, in *reader, t *core.Table) (outcome, error) {
	o, err := q.Table.options(q)
	if err != nil {
		return outcome{}, err
	}
	j.counter.SetTotal(q.Rows)
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
	// Closed over, so that the reader at hand is released whatever happens.
	defer func() { in.Release() }()
	w, err := t.NewWriter(j.ctx, in.Schema(), o)
	if err != nil {
		return outcome{}, err
	}
	defer w.Abort()
	if err := feed(&in, next, w.Write); err != nil {
		return outcome{}, err
	}
	part, err := w.Finish()
	if err != nil {
		return outcome{}, err
	}
	undo := func() error { return t.Discard(lasting(j), part) }
	if q.Table.Op == "part" {
		return outcome{keep: func() (any, error) { return part, nil }, undo: undo}, nil
	}
	return committing(j, t, o, nil, undo, part)
}

// committing commits parts when the caller consents. If it does not, or if they
// cannot be committed, undo is called.
func committing(
	j *job, t *core.Table, o delta.WriteOptions, err error, undo func() error, parts ...*delta.Part,
) (outcome, error) {
	keep := func() (any, error) {
		result, err := t.Commit(lasting(j), o, parts...)
		switch {
		case err == nil:
		case errors.Is(err, delta.ErrTxnDone):
			result, err = committedBefore(j, t, o.Txn)
		case !errors.As(err, new(*delta.UnknownError)): // with that one the version is there, and needs the files
			err = errors.Join(err, undo())
		}
		return resultOfCommit(j)(result, err)
	}
	return outcome{keep: keep, undo: undo}, err
}

// readTable waits, with the version's files held, until the caller has read them.
func readTable(j *job, q *tableRequest, t *core.Table) (outcome, error) {
	s, release, err := t.Hold(j.ctx, q.at())
	if err != nil {
		return outcome{}, err
	}
	defer release()
	answer, err := snapshotOf(s, q)
	if err != nil {
		return outcome{}, err
	}
	if _, err := j.askWith(answer); err != nil {
		return outcome{}, err
	}
	return answering(nil, nil)
}

func snapshotOf(s *delta.Snapshot, q *tableRequest) (*tableSnapshot, error) {
	files, err := s.Files(q.Filter)
	if err != nil {
		return nil, err
	}
	original, err := s.OriginalSchema()
	if err != nil {
		return nil, err
	}
	message, err := schemaMessage(original)
	if err != nil {
		return nil, err
	}
	logged, err := json.Marshal(s.Schema())
	if err != nil {
		return nil, err
	}
	out := &tableSnapshot{
		Version: s.Version, Time: s.Time.UnixMilli(), Schema: message, Delta: logged,
		PartitionBy: s.Metadata.PartitionColumns, Files: make([]tableFile, len(files)),
	}
	totals := s.Totals()
	out.Rows, out.Bytes, out.Total = totals.Rows, totals.Bytes, totals.Files
	for i, f := range files {
		out.Files[i] = tableFile{Path: []byte(f.Path), Size: f.Size, Rows: f.Rows, Partitions: f.PartitionValues}
		if q.Stats {
			out.Files[i].Stats = f.Stats
		}
	}
	return out, nil
}

// schemaMessage is a schema in Arrow's IPC format.
func schemaMessage(schema *arrow.Schema) ([]byte, error) {
	var b bytes.Buffer
	w := ipc.NewWriter(&b, ipc.WithSchema(schema))
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func resultOfCommit(j *job) func(delta.Result, error) (any, error) {
	return func(r delta.Result, err error) (any, error) {
		if err != nil {
			return nil, err
		}
		out := &tableResult{
			Version: r.Version, Time: r.Time.UnixMilli(), Operation: r.Operation, Rows: r.Rows, Bytes: r.Bytes,
			Files: r.Files, RemovedFiles: r.RemovedFiles, Retries: r.Retries, Phases: j.phases(),
		}
		if t := r.Totals; t != nil {
			out.Totals = &tableTotals{t.Rows, t.Bytes, t.Files}
		}
		for _, w := range r.Warnings {
			out.Warnings = append(out.Warnings, w.Error())
		}
		return out, nil
	}
}

func commitsOf(commits []delta.Commit) []tableCommit {
	out := make([]tableCommit, len(commits))
	for i, c := range commits {
		out[i] = tableCommit{
			Version: c.Version, Time: c.Time.UnixMilli(), Operation: c.Operation, Parameters: c.Parameters,
			Message: c.Message, Metadata: c.Metadata, Engine: c.Engine, Tags: c.Tags, Rows: c.Rows, Bytes: c.Bytes,
			Files: c.Files, AddedFiles: c.AddedFiles, RemovedFiles: c.RemovedFiles, AddedRows: c.AddedRows,
			AddedBytes: c.AddedBytes, IsLatest: c.IsLatest,
		}
	}
	return out
}

func reporting(r delta.Report, err error) (outcome, error) {
	return answering(tableReport{
		Versions: r.Versions, Kept: r.Kept, Files: r.Files, Orphans: r.Orphans, Bytes: r.Bytes,
		LogFiles: r.LogFiles, DryRun: r.DryRun,
	}, err)
}

// answering is the outcome of what is done already, or only looks.
func answering(v any, err error) (outcome, error) {
	return outcome{keep: func() (any, error) { return v, nil }}, err
}
