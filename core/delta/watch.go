package delta

import (
	"context"
	"time"
)

// pollInterval is how often Wait looks where nothing tells it of changes: on stores
// without notifications, and for what other machines do on a network file system.
const pollInterval = 500 * time.Millisecond

// Wait waits until the table has a version newer than after, and returns the
// newest. A table that is not there yet has none: after = -1 waits for its first
// version, or returns at once. Locally it is told by the kernel where there is
// inotify(7), and otherwise looks every half second.
func (t *Table) Wait(ctx context.Context, after int64) (int64, error) {
	// Before the first look, so that nothing that happens behind it is missed.
	changes, stop := t.notify()
	defer func() { stop() }()
	for {
		version, err := t.Version(ctx)
		if err != nil || version > after && version > 0 {
			return version, err
		}
		if changes == nil { // the directory may have come meanwhile
			changes, stop = t.notify()
		}
		timer := time.NewTimer(pollInterval)
		select {
		case <-ctx.Done():
			timer.Stop()
			return 0, context.Cause(ctx)
		case <-timer.C:
		case <-changes:
			timer.Stop()
		}
	}
}

// notify returns a channel that gets something when the log changes, nil if
// nothing can tell, and a function that ends that.
func (t *Table) notify() (changes <-chan struct{}, stop func()) {
	if t.o.Objects == nil {
		if changes, stop, err := watchDir(t.path + "/" + logDir); err == nil {
			return changes, stop
		}
	}
	return nil, func() {}
}
