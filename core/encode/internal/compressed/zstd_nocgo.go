//go:build !cgo

package compressed

import (
	"io"

	"github.com/klauspost/compress/zstd"
)

// zstdWriter is a pure Go one, with four of libzstd's levels; the one nearest in
// effort is taken.
type zstdWriter struct {
	z     *zstd.Encoder
	ended bool
}

func newZstd(w io.Writer, level, workers int) (Writer, error) {
	z, err := zstd.NewWriter(w,
		zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)),
		zstd.WithEncoderConcurrency(workers),
		zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	return &zstdWriter{z: z}, nil
}

func (t *zstdWriter) Write(p []byte) (int, error) { return t.z.Write(p) }

func (t *zstdWriter) Close() error {
	t.ended = true
	return t.z.Close()
}

func (t *zstdWriter) Discard() {
	if !t.ended {
		t.ended = true
		t.z.Reset(io.Discard)
		_ = t.z.Close() // of nothing, to nowhere
	}
}
