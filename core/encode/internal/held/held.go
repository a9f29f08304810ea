// Package held keeps record batches for as long as parallel tasks need them.
package held

import (
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
)

// Batches are batches of which tasks have still to format something. The zero
// value holds none.
type Batches struct {
	mu   sync.Mutex
	held map[*Batch]struct{}
}

// Batch is one of them.
type Batch struct {
	batch arrow.RecordBatch
	tasks atomic.Int64
}

// Hold keeps a batch for the caller, who calls Done.
func (g *Batches) Hold(batch arrow.RecordBatch) *Batch {
	batch.Retain()
	h := &Batch{batch: batch}
	h.tasks.Store(1)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held == nil {
		g.held = map[*Batch]struct{}{}
	}
	g.held[h] = struct{}{}
	return h
}

// AddTask says that one more task needs the batch, which then is Done as well.
func (h *Batch) AddTask() { h.tasks.Add(1) }

// Done releases a batch when its last task has ended.
func (g *Batches) Done(h *Batch) {
	if h.tasks.Add(-1) == 0 {
		g.mu.Lock()
		delete(g.held, h)
		g.mu.Unlock()
		h.batch.Release()
	}
}

// Release gives back the batches of tasks that never ran. No task runs any more.
func (g *Batches) Release() {
	for h := range g.held {
		h.batch.Release()
	}
	clear(g.held)
}
