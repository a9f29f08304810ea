package csv

import (
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
)

// holding keeps batches for as long as there are tasks that have still to format
// some of them.
type holding struct {
	mu   sync.Mutex
	held map[*held]struct{}
}

// held is a batch that some tasks have still to format.
type held struct {
	batch arrow.RecordBatch
	tasks atomic.Int64
}

// hold keeps a batch for the caller, who calls done.
func (g *holding) hold(batch arrow.RecordBatch) *held {
	batch.Retain()
	h := &held{batch: batch}
	h.tasks.Store(1)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held == nil {
		g.held = map[*held]struct{}{}
	}
	g.held[h] = struct{}{}
	return h
}

// done releases a batch when its last task has ended.
func (g *holding) done(h *held) {
	if h.tasks.Add(-1) == 0 {
		g.mu.Lock()
		delete(g.held, h)
		g.mu.Unlock()
		h.batch.Release()
	}
}

// release gives back the batches of tasks that never ran. No task runs any more.
func (g *holding) release() {
	for h := range g.held {
		h.batch.Release()
	}
	clear(g.held)
}
