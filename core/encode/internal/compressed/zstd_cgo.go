//go:build cgo

package compressed

import (
	"errors"
	"io"

	"github.com/DataDog/zstd"
)

const (
	// zstdThreads is how many threads compress at most: each takes some MB.
	zstdThreads = 8
	// highLevel is that from which on one thread alone compresses, because each
	// would take a hundred MB and more.
	highLevel = 20
)

var errDiscarded = errors.New("zstd: discarded")

// zstdWriter is libzstd with threads of its own.
type zstdWriter struct {
	w     io.Writer
	z     *zstd.Writer
	ended bool
}

func newZstd(w io.Writer, level, workers int) (Writer, error) {
	t := &zstdWriter{w: w}
	t.z = zstd.NewWriterLevel(below{t}, level)
	if workers > 1 && level < highLevel {
		err := t.z.SetNbWorkers(min(workers, zstdThreads))
		if err != nil && !errors.Is(err, zstd.ErrNoParallelSupport) {
			t.Discard()
			return nil, err
		}
	}
	return t, nil
}

// below is what libzstd writes to: nothing any more when its writer has been
// discarded.
type below struct{ t *zstdWriter }

func (b below) Write(p []byte) (int, error) {
	if b.t.w == nil {
		return 0, errDiscarded
	}
	return b.t.w.Write(p)
}

func (t *zstdWriter) Write(p []byte) (int, error) { return t.z.Write(p) }

func (t *zstdWriter) Close() error {
	t.ended = true
	return t.z.Close()
}

func (t *zstdWriter) Discard() {
	if !t.ended {
		t.ended, t.w = true, nil
		_ = t.z.Close() // fails, and releases libzstd's memory
	}
}
