// Package progress counts what a write has done so far. Every stage feeds the
// same counter; whoever shows it reads a [Snapshot] whenever it likes.
package progress

import (
	"sync/atomic"
	"time"
)

// Phase says what a write is doing.
type Phase int32

// The phases of a write, in order.
const (
	Starting   Phase = iota
	Encoding         // batches are encoded and written to the stage
	Syncing          // the stage is made durable
	Validating       // the stage is read back
	Publishing       // the target is replaced and the flag is set
	Done
)

// String returns the phase in lower case, such as "encoding".
func (p Phase) String() string {
	return [...]string{"starting", "encoding", "syncing", "validating", "publishing", "done"}[p]
}

// Counter is fed by the stages of one write. All methods may be called by many
// goroutines at once, and on a nil Counter, which counts nothing.
type Counter struct {
	rows, bytes, total atomic.Int64
	phase              atomic.Int32
	spent              [Done + 1]atomic.Int64 // nanoseconds in each phase that has ended
	since              atomic.Int64           // when the present phase began, Unix nanoseconds
}

// Snapshot is the state of a counter at one moment.
type Snapshot struct {
	Rows  int64 // rows encoded
	Bytes int64 // bytes written to the stage
	Total int64 // rows to come in all, 0 if not known
	Phase Phase
}

// AddRows adds n encoded rows.
func (c *Counter) AddRows(n int64) {
	if c != nil {
		c.rows.Add(n)
	}
}

// AddBytes adds n written bytes.
func (c *Counter) AddBytes(n int64) {
	if c != nil {
		c.bytes.Add(n)
	}
}

// SetTotal says how many rows there are in all.
func (c *Counter) SetTotal(rows int64) {
	if c != nil {
		c.total.Store(rows)
	}
}

// Enter begins a phase. It is called by one goroutine at a time.
func (c *Counter) Enter(p Phase) {
	if c == nil {
		return
	}
	now := time.Now().UnixNano()
	if began := c.since.Swap(now); began != 0 {
		c.spent[c.phase.Load()].Add(now - began)
	}
	c.phase.Store(int32(p))
}

// Snapshot returns the present state.
func (c *Counter) Snapshot() Snapshot {
	if c == nil {
		return Snapshot{}
	}
	return Snapshot{
		Rows:  c.rows.Load(),
		Bytes: c.bytes.Load(),
		Total: c.total.Load(),
		Phase: Phase(c.phase.Load()),
	}
}

// Spent returns how long the phases that have ended took.
func (c *Counter) Spent(p Phase) time.Duration {
	if c == nil {
		return 0
	}
	return time.Duration(c.spent[p].Load())
}
