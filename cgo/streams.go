package main

import (
	"errors"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core"
	"github.com/seojaeohcode/atio/core/delta/stream"
)

// streamRequest is what a request with the operation "stream" asks. All but
// "open" name the stream that "open" has answered.
type streamRequest struct {
	Op     string `json:"op"` // "open", "append", "offset", "flush", "discard", "close" or "abort"
	Stream int64  `json:"stream"`
	Offset int64  `json:"offset"` // of "append"

	// Of "open". The table's own fields are in request.Table.
	AppID    string `json:"app_id"`
	MaxRows  int64  `json:"max_rows"`
	MaxBytes int64  `json:"max_bytes"`
	MaxDelay int64  `json:"max_delay"` // microseconds
	Spool    []byte `json:"spool"`     // base64 of the journal's directory
}

// streamAnswer is what all of them answer.
type streamAnswer struct {
	Stream     int64    `json:"stream"`
	LastOffset *int64   `json:"last_offset"` // committed
	Taken      bool     `json:"taken"`       // by "append"
	Versions   []any    `json:"versions"`    // committed since the last "flush"
	Rows       int64    `json:"rows"`        // given up by "discard"
	Failure    *failure `json:"failure"`     // what failed, though "append" has taken the rows
}

// streamTable gives streams their numbers.
type streamTable struct {
	mu      sync.Mutex
	last    int64
	streams map[int64]*stream.Stream
}

var (
	streams     = streamTable{streams: map[int64]*stream.Stream{}}
	errNoStream = errors.New("there is no such stream")
)

func (t *streamTable) add(s *stream.Stream) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	t.streams[t.last] = s
	return t.last
}

func (t *streamTable) get(id int64) (*stream.Stream, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s, ok := t.streams[id]; ok {
		return s, nil
	}
	return nil, errNoStream
}

func (t *streamTable) remove(id int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.streams, id)
}

func runStream(j *job, q *request, in *reader) (outcome, error) {
	r := q.Stream
	if r == nil {
		return outcome{}, errors.New("the request says nothing about the stream")
	}
	if r.Op == "open" {
		return openStream(j, q)
	}
	s, err := streams.get(r.Stream)
	if err != nil {
		if r.Op == "abort" { // it has ended already, as is wanted
			return answering(&streamAnswer{Stream: r.Stream}, nil)
		}
		return outcome{}, err
	}
	answer := &streamAnswer{Stream: r.Stream}
	switch r.Op {
	case "append":
		if in == nil {
			return outcome{}, errors.New("the request needs a stream of batches")
		}
		answer.Taken, err = appendTo(j, s, q, in)
		if err != nil && answer.Taken {
			f := describe(err)
			answer.Failure, err = &f, nil
		}
	case "flush":
		results, e := s.Flush(j.ctx)
		for _, one := range results {
			version, _ := resultOfCommit(j)(one, nil)
			answer.Versions = append(answer.Versions, version)
		}
		err = e
	case "offset": // which is answered to all
	case "discard":
		answer.Rows, err = s.Discard(j.ctx)
	case "close":
		if err = s.Close(j.ctx); err == nil {
			streams.remove(r.Stream)
		}
	case "abort":
		streams.remove(r.Stream)
		err = s.Abort()
	default:
		err = errors.New("operation " + r.Op + " of a stream is unknown")
	}
	if offset, ok := s.LastOffset(); ok {
		answer.LastOffset = &offset
	}
	return answering(answer, err)
}

// appendTo appends what has come, with the metadata of its schema, which the
// journal keeps with it.
func appendTo(j *job, s *stream.Stream, q *request, in *reader) (taken bool, err error) {
	if q.Table != nil {
		o, err := q.Table.options(q)
		if err != nil {
			return false, err
		}
		if o.Encoding != nil {
			if err := s.SetEncoding(j.ctx, o.Encoding); err != nil {
				return false, err
			}
		}
		if o.SchemaMetadata != nil {
			metadata := arrow.MetadataFrom(o.SchemaMetadata)
			return s.Append(j.ctx, &describedReader{in, arrow.NewSchema(in.Schema().Fields(), &metadata)}, q.Stream.Offset)
		}
	}
	return s.Append(j.ctx, in, q.Stream.Offset)
}

// describedReader is a reader whose schema has other metadata.
type describedReader struct {
	array.RecordReader
	schema *arrow.Schema
}

func (r *describedReader) Schema() *arrow.Schema { return r.schema }

func openStream(j *job, q *request) (outcome, error) {
	if q.Table == nil {
		return outcome{}, errors.New("the request says nothing about the table")
	}
	o, err := q.Table.options(q)
	if err != nil {
		return outcome{}, err
	}
	t, err := core.OpenTable(j.ctx, string(q.Target), core.TableOptions{SkipSync: q.SkipSync})
	if err != nil {
		return outcome{}, err
	}
	r := q.Stream
	s, err := stream.Open(j.ctx, t, stream.Options{
		AppID: r.AppID, MaxRows: r.MaxRows, MaxBytes: r.MaxBytes, MaxDelay: time.Duration(r.MaxDelay) * time.Microsecond,
		Spool: string(r.Spool), SkipSync: q.SkipSync, Write: o,
	})
	if err != nil {
		return outcome{}, err
	}
	keep := func() (any, error) {
		answer := &streamAnswer{Stream: streams.add(s)}
		if offset, ok := s.LastOffset(); ok {
			answer.LastOffset = &offset
		}
		return answer, nil
	}
	return outcome{keep: keep, undo: s.Abort}, nil
}
