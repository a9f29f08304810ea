package encode

import (
	"cmp"
	"context"
	"errors"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
)

// Task encodes something by appending it to buf and returning the result, as
// append does. buf has length 0; its capacity is reused between tasks.
type Task func(buf []byte) ([]byte, error)

// Pipeline runs tasks in parallel and writes their results to one writer in the
// order in which they were submitted: by the worker that completes the first one
// not written yet, as a goroutine just for writing would make the workers wait for
// a processor each time it comes back from the system. The number of results
// waiting to be written is bounded, and with it memory. With one worker it has no goroutines:
// each task runs when it is submitted, which for little data takes less time
// than waking others.
//
// Go, Close and Discard are called from one goroutine.
type Pipeline struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	places chan struct{} // one for each slot in order, so that they are not too many
	queue  chan *slot    // to the workers
	wg     sync.WaitGroup
	ended  bool

	mu      sync.Mutex
	order   []*slot // those of queue and those that run or wait to be written
	writing bool    // some worker writes

	w      io.Writer
	offset int64  // of the next result
	alone  bool   // there is one worker, the caller
	buf    []byte // of the caller
}

type slot struct {
	task    Task
	written func(offset int64, n int) // may be nil
	weight  int64
	buf     []byte
	done    bool // under the pipeline's mu
}

var errDiscarded = errors.New("encoder discarded")

// buffers holds memory of tasks between them, and from one pipeline to the next:
// getting it from the system takes as long as filling it.
var buffers sync.Pool

// NewPipeline starts a pipeline that writes to w, whose first byte is at the
// given offset. workers is the number of tasks that run at once; 0 means one
// for each processor. together is how many tasks [Pipeline.GoAll] is given at
// once, 0 if it is not used: so many results may have to wait for the first one.
func NewPipeline(ctx context.Context, w io.Writer, offset int64, workers, together int) *Pipeline {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	p := &Pipeline{ctx: ctx, cancel: cancel, w: w, offset: offset, alone: workers == 1}
	if p.alone {
		return p
	}
	ahead := max(2*workers+2, together)
	p.places = make(chan struct{}, ahead)
	p.queue = make(chan *slot, ahead)
	p.wg.Add(workers)
	for range workers {
		go p.work()
	}
	return p
}

// Go submits a task. written, if not nil, is called with the place of the
// task's result in the output once it has been written; calls of written are
// made one after another, in order. Go waits while too many results are
// pending. An error is that of any earlier task or write.
func (p *Pipeline) Go(task Task, written func(offset int64, n int)) error {
	if p.alone {
		return p.runNow(task, written)
	}
	s := &slot{task: task, written: written}
	if err := p.line(s); err != nil {
		return err
	}
	p.queue <- s // which has room for all that have a place
	return nil
}

// line waits for a place in order and gives it to s.
func (p *Pipeline) line(s *slot) error {
	select {
	case p.places <- struct{}{}:
	case <-p.ctx.Done():
		return context.Cause(p.ctx)
	}
	p.mu.Lock()
	p.order = append(p.order, s)
	p.mu.Unlock()
	return nil
}

// Work is a task with what there is to say of it.
type Work struct {
	Task    Task
	Written func(offset int64, n int) // as that of Go
	Weight  int64                     // how long it will take, in any unit
}

// GoAll submits tasks whose results are written in this order. The heaviest begin
// first, so that no worker is left with one of them while the others have nothing
// to do.
func (p *Pipeline) GoAll(works []Work) error {
	if p.alone {
		for _, w := range works {
			if err := p.runNow(w.Task, w.Written); err != nil {
				return err
			}
		}
		return nil
	}
	// Results to come have a place in order before any of them is in queue, so
	// there must be room for all.
	for part := range slices.Chunk(works, cap(p.places)) {
		if err := p.goTogether(part); err != nil {
			return err
		}
	}
	return nil
}

func (p *Pipeline) goTogether(works []Work) error {
	slots := make([]*slot, len(works))
	for i, w := range works {
		slots[i] = &slot{task: w.Task, written: w.Written, weight: w.Weight}
		if err := p.line(slots[i]); err != nil {
			return err
		}
	}
	slices.SortStableFunc(slots, func(a, b *slot) int { return cmp.Compare(b.weight, a.weight) })
	for _, s := range slots {
		p.queue <- s
	}
	return nil
}

// Close waits for all tasks and writes and returns the first error.
func (p *Pipeline) Close() error {
	p.end()
	err := context.Cause(p.ctx)
	p.cancel(errDiscarded)
	return err
}

// Offset returns where in the output the next result would stand. It is called
// after Close.
func (p *Pipeline) Offset() int64 { return p.offset }

// Discard stops all tasks that have not begun and waits for the others.
func (p *Pipeline) Discard() {
	p.cancel(errDiscarded)
	p.end()
}

func (p *Pipeline) end() {
	if !p.ended && !p.alone {
		p.ended = true
		close(p.queue)
	}
	p.wg.Wait()
}

func (p *Pipeline) runNow(task Task, written func(offset int64, n int)) error {
	s := &slot{task: task, written: written, buf: p.buf}
	p.run(s)
	if p.ctx.Err() == nil {
		p.put(s)
	}
	p.buf = s.buf
	return context.Cause(p.ctx)
}

func (p *Pipeline) work() {
	defer p.wg.Done()
	for s := range p.queue {
		if b, ok := buffers.Get().(*[]byte); ok {
			s.buf = *b
		}
		p.run(s)
		p.finished(s)
	}
}

// run runs a task. Its failure ends the pipeline.
func (p *Pipeline) run(s *slot) {
	defer func() {
		if r := recover(); r != nil {
			p.cancel(&PanicError{Value: r, Stack: debug.Stack()})
		}
	}()
	if p.ctx.Err() != nil {
		return
	}
	out, err := s.task(s.buf[:0])
	if err != nil {
		p.cancel(err)
		return
	}
	s.buf = out
}

// finished writes what can be written now that s is done, unless another worker
// is at it, who will find s done.
func (p *Pipeline) finished(s *slot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.done = true
	if p.writing {
		return
	}
	p.writing = true
	for len(p.order) > 0 && p.order[0].done {
		head := p.order[0]
		p.order = p.order[1:]
		p.mu.Unlock()
		if p.ctx.Err() == nil {
			p.put(head)
		}
		if head.buf != nil {
			buffers.Put(&head.buf)
		}
		<-p.places
		p.mu.Lock()
	}
	p.writing = false
}

// put writes the result of a task. Its failure ends the pipeline.
func (p *Pipeline) put(s *slot) {
	defer func() {
		if r := recover(); r != nil {
			p.cancel(&PanicError{Value: r, Stack: debug.Stack()})
		}
	}()
	if len(s.buf) > 0 {
		if _, err := p.w.Write(s.buf); err != nil {
			p.cancel(err)
			return
		}
	}
	if s.written != nil {
		s.written(p.offset, len(s.buf))
	}
	p.offset += int64(len(s.buf))
}
