package publish

import (
	"context"
	"runtime"

	"github.com/seojaeohcode/atio/core/store"
)

// Giving back the space of a large file takes the system up to two fifths of the
// time that writing it took, which the caller need not wait for: a file that is
// open loses its name at once, and its space when it is closed.

// leastFreed is from how many bytes on this pays.
const leastFreed = 1 << 20

// freeing has room for one file whose space is being given back.
var freeing = make(chan struct{}, 1)

// removeOld removes what was replaced, of the given size. Its space is free some
// milliseconds later; [awaitFreed] waits for that.
func removeOld(st store.Store, name string, size int64) {
	var f store.File
	if size >= leastFreed && runtime.GOOS != "windows" { // where an open file keeps its name
		select {
		case freeing <- struct{}{}:
			var err error
			if f, err = st.Open(name); err != nil { // not ours to read, for example
				f = nil
				<-freeing
			}
		default:
		}
	}
	_ = remove(st, name) // what cannot be removed is left for the next sweep
	if f == nil {
		return
	}
	go func() {
		defer func() { <-freeing }()
		_ = f.Close()
	}()
}

// awaitFreed waits until the space of what was replaced last is free: a write must
// not find the disk full because of one before it. It does not wait for longer than
// ctx lasts, as a network disk may not answer.
func awaitFreed(ctx context.Context) error {
	select {
	case freeing <- struct{}{}:
		<-freeing
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
