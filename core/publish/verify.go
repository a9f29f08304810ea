package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

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
	if !info.Mode.IsDir() {
		if err := special(target, info); err != nil {
			return Flag{}, err
		}
	}
	flag, err := ReadFlag(st, target)
	if errors.Is(err, fs.ErrNotExist) {
		return Flag{}, &Error{Op: "verify", Path: target, Err: err,
			Advice: fmt.Sprintf("it has no flag %s to be compared with: it was not written by atio, or without a flag, or a writer died before setting it", FlagPath(target))}
	}
	if err != nil {
		return Flag{}, wrap("verify", target, err)
	}
	if info.Mode.IsDir() {
		return flag, verifyTree(ctx, st, target, flag)
	}
	corrupt := func(what string, is, want any) error { return corrupt(target, "its "+what, is, want) }
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

// verifyTree compares the files of a directory with those that its flag lists.
func verifyTree(ctx context.Context, st store.Store, target string, flag Flag) error {
	files, err := filesOf(st, target, "")
	if err != nil {
		return wrap("verify", target, err)
	}
	for i := range max(len(files), len(flag.Files)) {
		switch {
		case i == len(flag.Files) || i < len(files) && files[i].Path < flag.Files[i].Path:
			return corrupt(target, files[i].Path, "there", "nothing of it")
		case i == len(files) || files[i].Path > flag.Files[i].Path:
			return corrupt(target, flag.Files[i].Path, "missing", "it is there")
		}
		is, want := files[i], flag.Files[i]
		if is.Bytes != want.Bytes {
			return corrupt(target, "the size in bytes of "+is.Path, is.Bytes, want.Bytes)
		}
		sum, err := checksumOfFile(ctx, st, target, is.Path, want.Checksum)
		if err != nil {
			return wrap("verify", target, err)
		}
		if sum != want.Checksum {
			return corrupt(target, "the checksum of "+is.Path, sum, want.Checksum)
		}
	}
	name, _, _ := strings.Cut(flag.Checksum, ":")
	if _, err := newChecksum(name); err != nil {
		return wrap("verify", target, err)
	}
	if sum, size := manifest(flag.Files, name); sum.String() != flag.Checksum || size != flag.Bytes {
		return corrupt(target, "the checksum of its flag's files", sum, flag.Checksum)
	}
	return nil
}

func checksumOfFile(ctx context.Context, st store.Store, target, name, want string) (string, error) {
	f, err := st.Open(filepath.Join(target, filepath.FromSlash(name)))
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum, _, err := checksumOf(ctxReader{ctx, f}, want)
	return sum, err
}

func corrupt(target, what string, is, want any) error {
	return &Error{Op: "verify", Path: target, Err: ErrCorrupt,
		Advice: fmt.Sprintf("%s is %v, the flag says %v: restore a backup or write it again", what, is, want)}
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
