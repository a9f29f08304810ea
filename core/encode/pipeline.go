package encode

import (
	"context"
	"errors"
	"io"
	"runtime"
	"runtime/debug"
	"sync"
)

// Task encodes something by appending it to buf and returning the result, as
// append does. buf has length 0; its capacity is reused between tasks.
type Task func(buf []byte) ([]byte, error)

// Pipeline runs tasks in parallel and writes their results to one writer in the
// order in which they were submitted. The number of results waiting to be
// written is bounded, and with it memory. With one worker it has no goroutines:
// each task runs when it is submitted, which for little data takes less time
// than waking others.
//
// Go, Close and Discard are called from one goroutine.
type Pipeline struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	queue  chan *slot // to the workers
	order  chan *slot // the same slots, to the writer
	free   chan []byte
	wg     sync.WaitGroup
	ended  bool

	w      io.Writer
	offset int64  // of the next result
	alone  bool   // there is one worker, the caller
	buf    []byte // of the caller
}

type slot struct {
	task    Task
	written func(offset int64, n int) // may be nil
	buf     []byte
	done    chan struct{}
}

var errDiscarded = errors.New("encoder discarded")

// NewPipeline starts a pipeline that writes to w, whose first byte is at the
// given offset. workers is the number of tasks that run at once; 0 means one
// for each processor.
func NewPipeline(ctx context.Context, w io.Writer, offset int64, workers int) *Pipeline {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	p := &Pipeline{ctx: ctx, cancel: cancel, w: w, offset: offset, alone: workers == 1}
	if p.alone {
		return p
	}
	ahead := 2*workers + 2
	p.queue = make(chan *slot, ahead)
	p.order = make(chan *slot, ahead)
	p.free = make(chan []byte, 2*ahead)
	p.wg.Add(workers + 1)
	for range workers {
		go p.work()
	}
	go p.write()
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
	s := &slot{task: task, written: written, done: make(chan struct{})}
	// A place in order is taken first: it bounds what is under way, and whoever
	// waits for order to drain finds every slot there also in queue.
	select {
	case p.order <- s:
	case <-p.ctx.Done():
		return context.Cause(p.ctx)
	}
	select {
	case p.queue <- s:
		return nil
	case <-p.ctx.Done():
		return context.Cause(p.ctx)
	}
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
		close(p.order)
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
		select {
		case s.buf = <-p.free:
		default:
		}
		p.run(s)
		close(s.done)
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

func (p *Pipeline) write() {
	defer p.wg.Done()
	for s := range p.order {
		select {
		case <-s.done:
		case <-p.ctx.Done():
			return
		}
		if p.ctx.Err() != nil {
			return
		}
		p.put(s)
		select {
		case p.free <- s.buf:
		default:
		}
	}
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
