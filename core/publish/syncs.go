package publish

import (
	"context"
	"errors"
	"sync"

	"github.com/seojaeohcode/atio/core/store"
)

// syncsAtOnce is how many files are synced at a time: a disk takes many together
// in hardly more time than one.
const syncsAtOnce = 8

// syncs are syncs of files that are under way.
type syncs struct {
	slots   chan struct{}
	running sync.WaitGroup
	mu      sync.Mutex
	err     error // of those that have failed
}

// begin syncs a file and closes it, some time before wait returns. Its error may
// be that of an earlier file.
func (s *syncs) begin(ctx context.Context, f store.File) error {
	if s.slots == nil {
		s.slots = make(chan struct{}, syncsAtOnce)
	}
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		f.Close()
		return context.Cause(ctx)
	}
	s.running.Go(func() {
		err := errors.Join(f.Sync(), f.Close())
		s.mu.Lock()
		s.err = errors.Join(s.err, err)
		s.mu.Unlock()
		<-s.slots
	})
	return s.failed()
}

// wait waits for all syncs, but no longer than the context lasts: the disk may
// take seconds. The goroutines end when it answers.
func (s *syncs) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() { s.running.Wait(); close(done) }()
	select {
	case <-done:
		return s.failed()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *syncs) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
