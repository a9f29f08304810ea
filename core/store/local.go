package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

// Local is the file system of this machine.
type Local struct{}

var _ Store = Local{}

// Lstat implements [Store].
func (Local) Lstat(name string) (Info, error) {
	fi, err := os.Lstat(name)
	if err != nil {
		return Info{}, err
	}
	return infoOf(fi), nil
}

// Readlink implements [Store].
func (Local) Readlink(name string) (string, error) { return os.Readlink(name) }

// ReadDir implements [Store].
func (Local) ReadDir(name string) ([]string, error) {
	d, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

// Open implements [Store].
func (Local) Open(name string) (File, error) {
	f, err := openFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	return &localFile{File: f}, nil
}

// Create implements [Store].
func (Local) Create(name string, perm fs.FileMode) (File, error) {
	f, err := openFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return nil, err
	}
	return &localFile{File: f}, nil
}

// OpenExisting implements [Store].
func (Local) OpenExisting(name string) (File, error) {
	f, err := openFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return &localFile{File: f}, nil
}

// CreateNameless implements [Store].
func (Local) CreateNameless(dir string, perm fs.FileMode) (File, error) {
	f, path, err := createNameless(dir, perm)
	if err != nil {
		return nil, err
	}
	return &localFile{File: f, path: path}, nil
}

// LinkNameless implements [Store].
func (Local) LinkNameless(f File, name string) error {
	// By its path, not by its descriptor, so that a wrapped File serves as well.
	return linkNameless(f.Path(), name)
}

// Link implements [Store].
func (Local) Link(oldname, newname string) error {
	err := os.Link(oldname, newname)
	if err != nil && noHardLinks(err) {
		return &os.LinkError{Op: "link", Old: oldname, New: newname, Err: ErrUnsupported}
	}
	return err
}

// Rename implements [Store].
func (Local) Rename(oldname, newname string) error { return rename(oldname, newname) }

// Exchange implements [Store].
func (Local) Exchange(a, b string) error { return exchange(a, b) }

// Remove implements [Store].
func (Local) Remove(name string) error { return remove(name) }

// Mkdir implements [Store].
func (Local) Mkdir(name string, perm fs.FileMode) error { return os.Mkdir(name, perm) }

// SyncDir implements [Store].
func (Local) SyncDir(name string) error { return syncDir(name) }

// TryLock implements [Store].
func (Local) TryLock(dir string) (Unlocker, error) { return tryLock(dir) }

// Lock implements [Store]. It polls, because a blocking lock call could not be
// cancelled.
func (l Local) Lock(ctx context.Context, dir string) (Unlocker, error) {
	const longest = 5 * time.Millisecond
	for wait := 100 * time.Microsecond; ; wait = min(2*wait, longest) {
		u, err := l.TryLock(dir)
		if !errors.Is(err, ErrLocked) {
			return u, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}

// localFile is an os.File with the calls that os lacks.
type localFile struct {
	*os.File
	path string // if it has no name
}

func (f *localFile) Path() string {
	if f.path != "" {
		return f.path
	}
	return f.Name()
}

func (f *localFile) Stat() (Info, error) {
	fi, err := f.File.Stat()
	if err != nil {
		return Info{}, err
	}
	return infoOf(fi), nil
}

func (f *localFile) StartWriteback(off, n int64) error { return startWriteback(f.File, off, n) }
