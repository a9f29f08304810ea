package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core"
	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/progress"
)

// request is what atio_start is asked for.
type request struct {
	Op     string `json:"op"`     // "write", "verify", "restore", "database" or "table"
	Target []byte `json:"target"` // base64, since a path need not be UTF-8

	// Of a write.
	// "stream", "push" (atio_push), "files" (pushed too, each stream some files
	// of a directory, named before by a call), "file" or "directory" (both written by
	// the caller).
	Input    string          `json:"input"`
	Extend   bool            `json:"extend"`
	Format   string          `json:"format"`
	Encoding json.RawMessage `json:"encoding"` // the fields of the format's option struct
	Engine   string          `json:"engine"`   // who writes an input of "file"
	Rows     int64           `json:"rows"`     // how many there will be, if known and not 0

	// How it is published.
	SkipFlag  bool   `json:"skip_flag"`
	SkipSync  bool   `json:"skip_sync"`
	SkipCheck bool   `json:"skip_check"`
	Validate  bool   `json:"validate"` // the caller validates the stage before atio_resume
	Backups   int    `json:"backups"`
	Checksum  string `json:"checksum"`

	Database *databaseRequest `json:"database"`
	Table    *tableRequest    `json:"table"`  // what is to be done with a table
	Stream   *streamRequest   `json:"stream"` // what is to be done with a stream into it
}

// result is what a job answers.
type result struct {
	Path     []byte             `json:"path"` // base64
	Format   string             `json:"format"`
	Engine   string             `json:"engine"`
	Rows     *int64             `json:"rows"`
	Bytes    int64              `json:"bytes"`
	Checksum string             `json:"checksum"`
	Seconds  float64            `json:"seconds"`
	Phases   map[string]float64 `json:"phases,omitempty"` // seconds
}

func run(j *job, q *request, in *reader) (outcome, error) {
	switch q.Op {
	case "write":
		return write(j, q, in)
	case "database":
		return writeDatabase(j, q, in)
	case "verify":
		r, err := core.Verify(j.ctx, string(q.Target))
		return outcome{keep: func() (any, error) { return j.resultOf(r), nil }}, err
	case "restore":
		return outcomeOf(j)(core.BeginRestore(j.ctx, string(q.Target), options(j, q)))
	case "table":
		return runTable(j, q, in)
	case "stream":
		return runStream(j, q, in)
	}
	return outcome{}, fmt.Errorf("operation %q is unknown", q.Op)
}

func options(j *job, q *request) core.Options {
	o := core.Options{
		SkipFlag:  q.SkipFlag,
		SkipSync:  q.SkipSync,
		SkipCheck: q.SkipCheck,
		Backups:   q.Backups,
		Checksum:  q.Checksum,
		Progress:  &j.counter,
		Rows:      q.Rows,
	}
	if q.Validate {
		o.Validate = func(path string) error {
			_, err := j.ask(path)
			return err
		}
	}
	return o
}

func write(j *job, q *request, in *reader) (outcome, error) {
	j.counter.SetTotal(q.Rows)
	o := options(j, q)
	switch q.Input {
	case "file":
		return writeByCaller(j, q)(core.NewStage(j.ctx, string(q.Target), q.Extend, o))
	case "directory":
		return writeByCaller(j, q)(core.NewDirectoryStage(j.ctx, string(q.Target), o))
	}
	encoding, err := core.NewEncoding(q.Format)
	if err != nil {
		return outcome{}, err
	}
	if len(q.Encoding) > 0 {
		if err := decode(q.Encoding, encoding); err != nil {
			return outcome{}, err
		}
	}
	o.Encoding = encoding
	if q.Input == "stream" {
		if in == nil {
			return outcome{}, errors.New("the request needs a stream")
		}
		return writeStreams(j, q, o, in, func() (*reader, error) { return nil, nil })
	}
	if q.Input == "files" {
		return writeFiles(j, q, o)
	}
	next := func() (*reader, error) {
		in, err := j.ask("")
		return in.reader, err
	}
	first, err := next()
	if err != nil {
		return outcome{}, err
	}
	if first == nil {
		return outcome{}, errors.New("there was no input, so there is no schema")
	}
	return writeStreams(j, q, o, first, next)
}

// writeStreams writes one reader after the other, until next returns none, to
// one file. All are released.
func writeStreams(j *job, q *request, o core.Options, in *reader, next func() (*reader, error)) (outcome, error) {
	// Closed over, so that the reader at hand is released whatever happens.
	defer func() { in.Release() }()
	w, err := core.NewWriter(j.ctx, in.Schema(), string(q.Target), o)
	if err != nil {
		return outcome{}, err
	}
	defer w.Abort()
	if err := feed(&in, next, w.Write); err != nil {
		return outcome{}, err
	}
	return outcomeOf(j)(w.Finish())
}

// feed writes the batches of one reader after the other, until next returns none.
func feed(in **reader, next func() (*reader, error), write func(arrow.RecordBatch) error) (err error) {
	for *in != nil {
		for (*in).Next() {
			if err := write((*in).RecordBatch()); err != nil {
				return err
			}
		}
		if err := (*in).Err(); err != nil {
			return &streamError{err}
		}
		(*in).Release()
		if *in, err = next(); err != nil {
			return err
		}
	}
	return nil
}

// writeFiles writes a directory: each stream that the caller pushes is some files
// of it, named before.
func writeFiles(j *job, q *request, o core.Options) (outcome, error) {
	w, err := core.NewDatasetWriter(j.ctx, string(q.Target), o)
	if err != nil {
		return outcome{}, err
	}
	defer w.Abort()
	for {
		in, err := j.ask("")
		if err != nil {
			return outcome{}, err
		}
		if in.reader == nil {
			return outcomeOf(j)(w.Finish())
		}
		if err := writeSome(w, j.takeFiles(), in.reader); err != nil {
			return outcome{}, err
		}
	}
}

// writeSome writes the files that a stream holds one after the other.
func writeSome(w *core.DatasetWriter, files []datasetFile, in *reader) error {
	defer in.Release()
	left := int64(0) // rows of the file at hand that are still to come
	for in.Next() {
		batch := in.RecordBatch()
		for begin := int64(0); begin < batch.NumRows(); {
			if left == 0 {
				if len(files) == 0 || files[0].Rows <= 0 {
					return errors.New("the stream has more rows than the files it is to be")
				}
				if err := w.Create(string(files[0].Path), in.Schema(), files[0].Rows); err != nil {
					return err
				}
				left, files = files[0].Rows, files[1:]
			}
			n := min(left, batch.NumRows()-begin)
			part := batch.NewSlice(begin, begin+n)
			err := w.Write(part)
			part.Release()
			if err != nil {
				return err
			}
			begin, left = begin+n, left-n
		}
	}
	if err := in.Err(); err != nil {
		return &streamError{err}
	}
	if left > 0 || len(files) > 0 {
		return errors.New("the stream has fewer rows than the files it is to be")
	}
	return nil
}

// writeByCaller publishes what the caller writes at the stage's path.
func writeByCaller(j *job, q *request) func(*core.Stage, error) (outcome, error) {
	return func(s *core.Stage, err error) (outcome, error) {
		if err != nil {
			return outcome{}, err
		}
		defer s.Abort()
		in, err := j.ask(s.Path())
		if err != nil {
			return outcome{}, err
		}
		return outcomeOf(j)(s.Finish(q.Format, q.Engine, in.rows))
	}
}

func outcomeOf(j *job) func(*core.Pending, error) (outcome, error) {
	return func(p *core.Pending, err error) (outcome, error) {
		if err != nil {
			return outcome{}, err
		}
		return outcome{keep: func() (any, error) { return j.resultOf(p.Keep()), nil }, undo: p.Undo}, nil
	}
}

func (j *job) resultOf(r core.Result) result {
	out := result{
		Path: []byte(r.Path), Format: r.Format, Engine: r.Engine, Bytes: r.Bytes, Checksum: r.Checksum,
		Seconds: r.Elapsed.Seconds(), Phases: j.phases(),
	}
	if r.Rows >= 0 {
		out.Rows = &r.Rows
	}
	return out
}

// phases are how many seconds each phase took.
func (j *job) phases() map[string]float64 {
	out := map[string]float64{}
	for p := progress.Encoding; p < progress.Done; p++ {
		if d := j.counter.Spent(p); d > 0 {
			out[p.String()] = d.Round(time.Microsecond).Seconds()
		}
	}
	return out
}

// call answers a request that needs no job.
func call(text string) (any, error) {
	var q struct {
		Op    string        `json:"op"`
		Job   int64         `json:"job"`
		Files []datasetFile `json:"files"`
	}
	if err := decode([]byte(text), &q); err != nil {
		return nil, err
	}
	switch q.Op {
	case "path": // where a waiting job wants its caller to act
		j := jobs.get(q.Job)
		if j == nil {
			return nil, errNoJob
		}
		j.mu.Lock()
		defer j.mu.Unlock()
		return map[string][]byte{"path": []byte(j.path)}, nil
	case "offer": // what a waiting job has for its caller
		j := jobs.get(q.Job)
		if j == nil {
			return nil, errNoJob
		}
		j.mu.Lock()
		defer j.mu.Unlock()
		return j.offer, nil
	case "files": // what the next stream that is pushed is to be
		j := jobs.get(q.Job)
		if j == nil {
			return nil, errNoJob
		}
		j.mu.Lock()
		defer j.mu.Unlock()
		j.files = q.Files
		return nil, nil
	case "formats":
		return core.Formats(), nil
	}
	return nil, fmt.Errorf("operation %q is unknown", q.Op)
}

// decode is strict: a field that nobody reads is a mistake.
func decode(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		if o, ok := v.(encode.Options); ok {
			return fmt.Errorf("options of %s: %w", o.Format(), err)
		}
		return fmt.Errorf("request: %w", err)
	}
	return nil
}
