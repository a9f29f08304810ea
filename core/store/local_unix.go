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
	fd, err := openFd(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// openFd opens a file that is not going to be read or written.
func openFd(name string, flag int, perm fs.FileMode) (int, error) {
	fd, err := retryEINTR(func() (int, error) {
		return unix.Open(name, flag|unix.O_CLOEXEC, uint32(perm.Perm()))
	})
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return fd, nil
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
	d, err := openFd(dir, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	err = flock(d)
	if errors.Is(err, unix.EBADF) || errors.Is(err, unix.ENOLCK) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EISDIR) {
		unix.Close(d)
		return tryLockFile(filepath.Join(dir, lockFile))
	}
	if err != nil {
		unix.Close(d)
		return nil, lockError(dir, err)
	}
	return &flocked{fd: d}, nil
}

func tryLockFile(name string) (Unlocker, error) {
	f, err := openFd(name, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	if err := flock(f); err != nil {
		unix.Close(f)
		return nil, lockError(name, err)
	}
	// Whoever held it before may have removed the file between open and lock.
	var mine, there unix.Stat_t
	err = errors.Join(unix.Fstat(f, &mine), unix.Lstat(name, &there))
	if err != nil || mine.Dev != there.Dev || mine.Ino != there.Ino {
		unix.Close(f)
		return nil, ErrLocked
	}
	return &flocked{fd: f, remove: name}, nil
}

func flock(fd int) error {
	_, err := retryEINTR(func() (int, error) { return 0, unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
	return err
}

func lockError(name string, err error) error {
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrLocked
	}
	return &fs.PathError{Op: "flock", Path: name, Err: err}
}

type flocked struct {
	fd     int
	remove string // the lock file, "" if the directory itself is locked
}

// Unlock gives the lock back in so many words: a child that was forked
// meanwhile has a copy of the descriptor, so closing ours would not do it.
func (l *flocked) Unlock() error {
	if l.remove != "" {
		os.Remove(l.remove)
	}
	err := unix.Flock(l.fd, unix.LOCK_UN)
	err = errors.Join(err, unix.Close(l.fd))
	l.fd = -1
	return err
}

func retryEINTR(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
