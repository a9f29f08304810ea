//go:build !cgo

package compress

import (
	"slices"

	"github.com/klauspost/compress/zstd"
)

// Zstd is Zstandard (RFC 8878), a frame for each block, at levels 1 to 22. It is
// libzstd where there is cgo, and pure Go where there is not. That library has four
// of libzstd's levels; the one nearest in effort is taken.
func Zstd(level int) (Encoder, error) {
	w, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)),
		zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false),
		// Columns of numbers have few matches; their bytes still take less than
		// eight bits each.
		zstd.WithAllLitEntropyCompression(true))
	return goZstd{w}, err
}

type goZstd struct{ w *zstd.Encoder }

func (e goZstd) Append(dst, block []byte) ([]byte, error) {
	dst = slices.Grow(dst, len(block)+len(block)/256+64)
	return e.w.EncodeAll(block, dst), nil
}
