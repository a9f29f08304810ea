package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/seojaeohcode/atio/core/store"
)

// Verify re-reads a target and compares it with its flag, which it returns. A
// difference is an [ErrCorrupt]; no target or no flag is an [fs.ErrNotExist].
// Writers may replace the target meanwhile.
func Verify(ctx context.Context, st store.Store, target string) (Flag, error) {
	target, err := Resolve(st, target)
	if err != nil {
		return Flag{}, err
	}
	for {
		flag, err := verifyOnce(ctx, st, target)
		if err == nil {
			return flag, nil
		}
		// Between two openings a writer may have come: only what still is so the
		// next time is wrong.
		now, err2 := verifyOnce(ctx, st, target)
		if err2 == nil {
			return now, nil
		}
		if ctx.Err() != nil || now.Checksum == flag.Checksum {
			return now, err2
		}
	}
}

func verifyOnce(ctx context.Context, st store.Store, target string) (Flag, error) {
	f, err := st.Open(target)
	if errors.Is(err, fs.ErrNotExist) {
		return Flag{}, &Error{Op: "verify", Path: target, Err: err, Advice: "there is no such file to be verified"}
	}
	if err != nil {
		return Flag{}, wrap("verify", target, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Flag{}, wrap("verify", target, err)
	}
	if err := special(target, info); err != nil {
		return Flag{}, err
	}
	flag, err := ReadFlag(st, target)
	if errors.Is(err, fs.ErrNotExist) {
		return Flag{}, &Error{Op: "verify", Path: target, Err: err,
			Advice: fmt.Sprintf("it has no flag %s to be compared with: it was not written by atio, or without a flag, or a writer died before setting it", FlagPath(target))}
	}
	if err != nil {
		return Flag{}, wrap("verify", target, err)
	}
	corrupt := func(what string, is, want any) error {
		return &Error{Op: "verify", Path: target, Err: ErrCorrupt,
			Advice: fmt.Sprintf("its %s is %v, the flag says %v: restore a backup or write it again", what, is, want)}
	}
	if info.Size != flag.Bytes {
		return flag, corrupt("size in bytes", info.Size, flag.Bytes)
	}
	sum, n, err := checksumOf(ctxReader{ctx, f}, flag.Checksum)
	if err != nil {
		return flag, wrap("verify", target, err)
	}
	if n != flag.Bytes {
		return flag, corrupt("size in bytes", n, flag.Bytes)
	}
	if sum != flag.Checksum {
		return flag, corrupt("checksum", sum, flag.Checksum)
	}
	return flag, nil
}

// ctxReader ends with the context.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (r ctxReader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(p)
}
