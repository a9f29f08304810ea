package core

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"github.com/seojaeohcode/atio/core/publish"
	"github.com/seojaeohcode/atio/core/store"
)

// Verify re-reads target and compares size and checksum with its flag. A
// difference is an [ErrCorrupt]; a missing target or flag is an
// [fs.ErrNotExist].
func Verify(ctx context.Context, target string) (Result, error) {
	began := time.Now()
	st := store.Local{}
	flag, err := publish.Verify(ctx, st, target)
	if err != nil {
		return Result{}, err
	}
	path, err := publish.Resolve(st, target)
	if err != nil {
		return Result{}, err
	}
	r := resultOf(&publish.Published{Flag: flag, Target: path})
	r.Elapsed = time.Since(began)
	return r, nil
}

// Restore puts the newest backup of target back in its place, atomically, and
// sets its flag if the target has one. The older backups move one down; what
// the target held is given up. Without a backup the error is an
// [fs.ErrNotExist].
func Restore(ctx context.Context, target string, o Options) (Result, error) {
	p, err := BeginRestore(ctx, target, o)
	if err != nil {
		return Result{}, err
	}
	return p.Keep(), nil
}

// BeginRestore is Restore up to the last moment: the target has been replaced,
// but until Keep it can go back.
func BeginRestore(ctx context.Context, target string, o Options) (*Pending, error) {
	began := time.Now()
	format := strings.ToLower(strings.TrimPrefix(filepath.Ext(target), "."))
	p, err := publish.Restore(ctx, target, format, o.publish())
	if err != nil {
		return nil, err
	}
	return &Pending{p: p, began: began, result: resultOf(p)}, nil
}
