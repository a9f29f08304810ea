package main

import "runtime"

// ballast is never touched, so it takes addresses and no memory. It counts as part
// of the heap, though, and so the collector runs after 16 MB of garbage or more.
// Without it the heap of this library is all but empty between two writes, and the
// collector ran after every 4 MB, which is a few small writes; each time it dropped
// the buffers that had been kept for the next ones.
var ballast []byte

func init() {
	ballast = make([]byte, 16<<20)
	runtime.KeepAlive(ballast)
}
