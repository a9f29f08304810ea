package main

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow/cdata"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/progress"
)

// The values of enum atio_status.
const (
	statusUnknown = -1
	statusRunning = 0
	statusReady   = 1
	statusFailed  = 2
	statusWaiting = 3
)

var (
	errCancelled = errors.New("cancelled by the caller")
	errNoJob     = errors.New("there is no such job")
)

// jobTable gives jobs their numbers.
type jobTable struct {
	mu   sync.Mutex
	last int64
	jobs map[int64]*job
}

var jobs = jobTable{jobs: map[int64]*job{}}

func (t *jobTable) get(id int64) *job {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.jobs[id]
}

// job is one request on its way. Its goroutine goes from running to waiting and
// back, and ends ready or failed.
type job struct {
	id      int64
	ctx     context.Context
	cancel  context.CancelCauseFunc
	counter progress.Counter
	caller  chan input    // what atio_push and atio_resume bring
	consent chan struct{} // closed by atio_finish
	done    chan struct{} // closed when the goroutine has ended

	// Of a quick job that has succeeded: what there is to conclude, and the end of
	// its context.
	out   outcome
	quick context.CancelFunc

	mu      sync.Mutex
	state   int32
	changed chan struct{} // closed at the next change of state
	path    string        // where the caller has to do something
	offer   any           // what the caller waits for
	files   []datasetFile // what the next stream is to be
	result  any
	err     error
}

// input is what a waiting job is given: a reader, or nil to go on.
type input struct {
	reader *reader
	rows   int64
}

// datasetFile is a file of a directory that is about to be pushed.
type datasetFile struct {
	Path []byte `json:"path"` // base64, below the directory
	Rows int64  `json:"rows"` // at least 1
}

// takeFiles are the files that the stream at hand holds.
func (j *job) takeFiles() []datasetFile {
	j.mu.Lock()
	defer j.mu.Unlock()
	files := j.files
	j.files = nil
	return files
}

// outcome is what a job has done. Until keep is called, undo goes back, unless it
// has been committed by the caller's consent before; after an error of keep
// everything is as it was.
type outcome struct {
	keep      func() (any, error)
	undo      func() error
	committed bool
}

func newJob() *job {
	j := &job{
		caller:  make(chan input, 1),
		consent: make(chan struct{}),
		done:    make(chan struct{}),
		changed: make(chan struct{}),
	}
	j.ctx, j.cancel = context.WithCancelCause(context.Background())
	jobs.mu.Lock()
	defer jobs.mu.Unlock()
	jobs.last++
	j.id = jobs.last
	jobs.jobs[j.id] = j
	return j
}

// start imports the stream, which thereby is no longer the caller's, and runs
// the request.
func (j *job) start(text string, stream *cdata.CArrowArrayStream) {
	var in *reader
	var err error
	if stream != nil {
		in, err = importStream(stream)
	}
	var q request
	if err == nil {
		err = decode([]byte(text), &q)
	}
	if err != nil {
		in.Release()
		j.fail(err)
		close(j.done)
		return
	}
	if isQuick(&q, in) {
		if in = j.runQuick(&q, in); in == nil {
			close(j.done)
			return
		}
	}
	go func() {
		defer close(j.done)
		defer func() {
			if r := recover(); r != nil {
				j.fail(panicError(r))
			}
		}()
		defer in.Release()
		out, err := run(j, &q, in)
		if err != nil {
			j.fail(err)
			return
		}
		j.settle(out)
	}()
}

// settle waits for the caller's consent and makes the outcome final, or goes
// back if the job has been cancelled.
func (j *job) settle(out outcome) {
	j.set(statusReady)
	select {
	case <-j.consent:
	case <-j.ctx.Done():
	}
	j.conclude(out)
}

// conclude goes the way the caller wants: on, or back.
func (j *job) conclude(out outcome) {
	// Whoever cancels and then finishes wants to go back.
	if j.ctx.Err() != nil && !out.committed {
		err := context.Cause(j.ctx)
		if out.undo != nil {
			err = errors.Join(err, out.undo())
		}
		j.fail(err)
		return
	}
	result, err := out.keep()
	if err != nil {
		j.fail(err)
		return
	}
	j.mu.Lock()
	j.result = result
	j.mu.Unlock()
}

// askWith is ask with something for the caller.
func (j *job) askWith(offer any) (input, error) {
	j.mu.Lock()
	j.offer = offer
	j.mu.Unlock()
	return j.ask("")
}

// ask lets the caller act and returns what it brings.
func (j *job) ask(path string) (input, error) {
	j.mu.Lock()
	j.path = path
	j.mu.Unlock()
	j.set(statusWaiting)
	select {
	case in := <-j.caller:
		return in, nil
	case <-j.consent: // atio_finish: nobody will come any more
		j.cancel(errCancelled)
	case <-j.ctx.Done():
	}
	j.set(statusRunning)
	return input{}, context.Cause(j.ctx)
}

func (j *job) push(stream *cdata.CArrowArrayStream) {
	in, err := importStream(stream)
	if j == nil {
		in.Release()
		return
	}
	if err != nil {
		j.cancel(err)
		return
	}
	if !j.answer(input{reader: in, rows: -1}) {
		in.Release()
	}
}

func (j *job) resume(rows int64) {
	if j != nil {
		j.answer(input{rows: rows})
	}
}

// answer hands in to the job if it is waiting.
func (j *job) answer(in input) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state != statusWaiting {
		return false
	}
	j.setLocked(statusRunning)
	j.caller <- in
	return true
}

// wait waits up to us microseconds for the job to stop running.
func (j *job) wait(us int64) int32 {
	if j == nil {
		return statusUnknown
	}
	var timeout <-chan time.Time
	for {
		j.mu.Lock()
		state, changed := j.state, j.changed
		j.mu.Unlock()
		if state != statusRunning || us <= 0 {
			return state
		}
		if timeout == nil {
			t := time.NewTimer(time.Duration(us) * time.Microsecond)
			defer t.Stop()
			timeout = t.C
		}
		select {
		case <-changed:
		case <-timeout:
			return j.status()
		}
	}
}

func (j *job) finish() (any, error) {
	if j == nil {
		return nil, errNoJob
	}
	close(j.consent)
	<-j.done
	if j.quick != nil {
		j.endQuick()
	}
	j.cancel(errCancelled) // frees what the context holds
	jobs.mu.Lock()
	delete(jobs.jobs, j.id)
	jobs.mu.Unlock()
	select {
	case in := <-j.caller: // given too late
		in.reader.Release()
	default:
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.result, j.err
}

func (j *job) status() int32 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state
}

func (j *job) set(state int32) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.setLocked(state)
}

func (j *job) setLocked(state int32) {
	j.state = state
	close(j.changed)
	j.changed = make(chan struct{})
}

func (j *job) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.err = err
	j.setLocked(statusFailed)
}

func panicError(r any) error { return &encode.PanicError{Value: r, Stack: debug.Stack()} }
