//go:build cgo

package compress

import (
	"slices"

	"github.com/DataDog/zstd"
)

// Zstd is Zstandard (RFC 8878), a frame for each block, at levels 1 to 22. It is
// libzstd where there is cgo, and pure Go where there is not.
func Zstd(level int) (Encoder, error) {
	return &libzstd{ctx: zstd.NewCtx(), level: level}, nil
}

type libzstd struct {
	ctx   zstd.Ctx
	level int
}

func (e *libzstd) Append(dst, block []byte) ([]byte, error) {
	most := zstd.CompressBound(len(block))
	dst = slices.Grow(dst, most)
	out, err := e.ctx.CompressLevel(dst[len(dst):len(dst)+most], block, e.level)
	if err != nil {
		return nil, err
	}
	return dst[:len(dst)+len(out)], nil
}
