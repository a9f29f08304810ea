package mongodb

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/seojaeohcode/atio/core/database"
	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/progress"
)

// How long the steps may take that go on when the caller has given up.
const (
	commitTime = time.Minute
	undoTime   = 10 * time.Second
)

// destination is where the documents go until the commit. Its methods are called
// one after another.
type destination interface {
	// collection is the name of the collection to insert into.
	collection() string
	// insert inserts the documents of a command. keeps says that it holds on to it.
	insert(ctx context.Context, c *command) (keeps bool, err error)
	// finish does all but the commit, when that many documents are inserted.
	finish(ctx context.Context, documents int64) error
	commit(ctx context.Context) error
	// abort removes everything, after whatever.
	abort(ctx context.Context)
	// leave ends without that, when the outcome of a commit is not known.
	leave()
}

// writer encodes documents in the caller's goroutine while another one sends
// those before.
type writer struct {
	ctx      context.Context
	cancel   context.CancelCauseFunc
	s        *server
	dest     destination
	docs     *documents
	progress *progress.Counter
	filling  *command
	queue    chan *command
	free     chan []byte
	sent     sync.WaitGroup
	closed   bool // the queue is
	ended    bool
	bytes    int64 // the sender's
}

func newWriter(ctx context.Context, s *server, d destination, docs *documents, p *progress.Counter) *writer {
	w := &writer{s: s, dest: d, docs: docs, progress: p, queue: make(chan *command, 1), free: make(chan []byte, 3)}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	if l, ok := d.(interface {
		onLost(context.CancelCauseFunc)
	}); ok {
		l.onLost(w.cancel)
	}
	w.sent.Add(1)
	go w.send()
	return w
}

// send inserts what has been encoded.
func (w *writer) send() {
	defer w.sent.Done()
	defer func() {
		if r := recover(); r != nil {
			w.cancel(&encode.PanicError{Value: r, Stack: debug.Stack()})
		}
	}()
	for c := range w.queue {
		if w.ctx.Err() != nil {
			continue
		}
		keeps, err := w.dest.insert(w.ctx, c)
		if err != nil {
			w.cancel(err)
			continue
		}
		w.bytes += int64(len(c.body))
		w.progress.AddRows(int64(c.n))
		w.progress.AddBytes(int64(len(c.body)))
		if !keeps {
			select {
			case w.free <- c.body:
			default:
			}
		}
	}
}

// Write encodes a batch and has it sent.
func (w *writer) Write(batch arrow.RecordBatch) error {
	if w.closed {
		return errors.New("already closed")
	}
	r, err := w.docs.of(batch)
	if err != nil {
		return err
	}
	for row := 0; row < r.n; {
		if w.filling == nil {
			w.filling = w.begin(r.base + int64(row))
		}
		fits, err := w.filling.add(r, row)
		if err != nil {
			return err
		}
		if fits {
			row++
		}
		if !fits || w.filling.isFull() {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return w.failed()
}

func (w *writer) begin(row int64) *command {
	var buf []byte
	select {
	case buf = <-w.free:
	default:
	}
	return newCommand(buf, w.dest.collection(), row)
}

func (w *writer) flush() error {
	w.filling.seal()
	select {
	case w.queue <- w.filling:
		w.filling = nil
		return nil
	case <-w.ctx.Done():
		return w.failed()
	}
}

// failed is why the write cannot go on, if it cannot.
func (w *writer) failed() error {
	if w.ctx.Err() == nil {
		return nil
	}
	return context.Cause(w.ctx)
}

func (w *writer) drain() {
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.sent.Wait()
}

// Finish waits for the last document.
func (w *writer) Finish() error {
	if w.filling != nil {
		if err := w.flush(); err != nil {
			return err
		}
	}
	w.drain()
	if err := w.failed(); err != nil {
		return err
	}
	w.progress.Enter(progress.Publishing)
	if err := w.dest.finish(w.ctx, w.docs.rows); err != nil {
		if w.ctx.Err() != nil {
			return context.Cause(w.ctx)
		}
		return err
	}
	return nil
}

// Commit makes the documents the target's.
func (w *writer) Commit() (database.Result, error) {
	if err := w.failed(); err != nil {
		return database.Result{}, err
	}
	// From here on it is the server that decides, and interrupting would only
	// keep us from knowing how.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), commitTime)
	defer cancel()
	if err := w.dest.commit(ctx); err != nil {
		var unknown *database.UnknownError
		if errors.As(err, &unknown) {
			w.dest.leave()
			w.end()
		}
		return database.Result{}, err
	}
	w.end()
	return database.Result{Rows: w.docs.rows, Bytes: w.bytes}, nil
}

// Abort removes what has been inserted.
func (w *writer) Abort() {
	if w.ended {
		return
	}
	w.cancel(errAborted)
	w.drain()
	ctx, cancel := context.WithTimeout(context.Background(), undoTime)
	defer cancel()
	w.dest.abort(ctx)
	w.end()
}

var errAborted = errors.New("the write was aborted")

func (w *writer) end() {
	w.ended = true
	w.cancel(errAborted)
	w.s.disconnect()
}

// insert has the server insert the documents of a command.
func (s *server) insert(ctx context.Context, c *command) error {
	var answer struct {
		N int `bson:"n"`
	}
	err := s.db.RunCommand(ctx, c.body).Decode(&answer)
	var refused mongo.WriteException
	switch {
	case errors.As(err, &refused) && len(refused.WriteErrors) > 0 && refused.WriteConcernError == nil:
		e := refused.WriteErrors[0]
		return s.writeError(c.row+int64(e.Index), e.Code, e.Message)
	case err != nil:
		return err
	}
	if answer.N != c.n {
		return &database.ServerError{Op: "insert", Code: "n", Message: "the server took fewer documents than it was given"}
	}
	return nil
}
