//go:build unix

package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

func infoOf(fi fs.FileInfo) Info {
	i := Info{Mode: fi.Mode(), Size: fi.Size(), Modified: fi.ModTime(), UID: -1, GID: -1}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		i.UID, i.GID = int(st.Uid), int(st.Gid)
		i.Dev, i.Ino = uint64(st.Dev), uint64(st.Ino)
	}
	return i
}

// openFile is os.OpenFile but for asking the runtime's poller to watch the file,
// which for files and directories it declines, after five system calls.
func openFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	fd, err := retryEINTR(func() (int, error) {
		return unix.Open(name, flag|unix.O_CLOEXEC, uint32(perm.Perm()))
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

// rename is os.Rename, which looks at the new name first.
func rename(oldname, newname string) error {
	_, err := retryEINTR(func() (int, error) { return 0, unix.Rename(oldname, newname) })
	if err != nil {
		return &os.LinkError{Op: "rename", Old: oldname, New: newname, Err: err}
	}
	return nil
}

// remove is os.Remove, which tries rmdir whatever unlink has said.
func remove(name string) error {
	_, err := retryEINTR(func() (int, error) { return 0, unix.Unlink(name) })
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ENOENT):
		return &fs.PathError{Op: "remove", Path: name, Err: err}
	}
	return os.Remove(name)
}

func noHardLinks(err error) bool {
	// EPERM: the file system has no links, or protected_hardlinks forbids one to
	// a file of another owner (proc(5)). EMLINK: the file has too many already.
	return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EOPNOTSUPP) ||
		errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EMLINK)
}

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	d.Close()
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		return nil // a file system whose directories cannot be synced (some network ones)
	}
	return err
}

// lockFile is the lock of a directory on file systems that cannot lock the
// directory itself.
const lockFile = ".atio-lock"

// tryLock locks the directory itself by flock(2), which leaves no file behind.
// NFS turns flock into a byte range lock, for which a directory cannot be
// opened; there a hidden lock file serves.
func tryLock(dir string) (Unlocker, error) {
	d, err := openFile(dir, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	err = flock(d)
	if errors.Is(err, unix.EBADF) || errors.Is(err, unix.ENOLCK) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EISDIR) {
		d.Close()
		return tryLockFile(filepath.Join(dir, lockFile))
	}
	if err != nil {
		d.Close()
		return nil, lockError(dir, err)
	}
	return &flocked{f: d}, nil
}

func tryLockFile(name string) (Unlocker, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	if err := flock(f); err != nil {
		f.Close()
		return nil, lockError(name, err)
	}
	// Whoever held it before may have removed the file between open and lock.
	mine, err1 := f.Stat()
	there, err2 := os.Lstat(name)
	if err1 != nil || err2 != nil || !os.SameFile(mine, there) {
		f.Close()
		return nil, ErrLocked
	}
	return &flocked{f: f, remove: name}, nil
}

func flock(f *os.File) error {
	_, err := retryEINTR(func() (int, error) {
		return 0, unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	})
	return err
}

func lockError(name string, err error) error {
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrLocked
	}
	return &fs.PathError{Op: "flock", Path: name, Err: err}
}

type flocked struct {
	f      *os.File
	remove string
}

// Unlock gives the lock back in so many words: a child that was forked
// meanwhile has a copy of the descriptor, so closing ours would not do it.
func (l *flocked) Unlock() error {
	if l.remove != "" {
		os.Remove(l.remove)
	}
	err := unix.Flock(int(l.f.Fd()), unix.LOCK_UN)
	return errors.Join(err, l.f.Close())
}

func retryEINTR(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
