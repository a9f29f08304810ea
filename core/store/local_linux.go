package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// createNameless opens an O_TMPFILE (open(2), Linux 3.11). The kernel frees it
// when the last descriptor goes, however the process ends.
func createNameless(dir string, perm fs.FileMode) (*os.File, string, error) {
	unsupported := &fs.PathError{Op: "open", Path: dir, Err: ErrUnsupported}
	fd, err := retryEINTR(func() (int, error) {
		return unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, uint32(perm.Perm()))
	})
	switch {
	case err == nil:
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EINVAL), errors.Is(err, unix.EISDIR):
		// Kernels that do not know the flag see an attempt to write a directory.
		return nil, "", unsupported
	default:
		return nil, "", &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	// Only through /proc can it be given a name without CAP_DAC_READ_SEARCH.
	if !hasProc() {
		unix.Close(fd)
		return nil, "", unsupported
	}
	return os.NewFile(uintptr(fd), dir), fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd), nil
}

// hasProc says whether /proc shows this process its open files.
var hasProc = sync.OnceValue(func() bool {
	_, err := os.Stat("/proc/self/fd")
	return err == nil
})

func linkNameless(path, name string) error {
	err := unix.Linkat(unix.AT_FDCWD, path, unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
	if err != nil {
		return &os.LinkError{Op: "link", Old: path, New: name, Err: err}
	}
	return nil
}

// exchange is renameat2(2) with RENAME_EXCHANGE (Linux 3.15).
func exchange(a, b string) error {
	err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EOPNOTSUPP):
		err = ErrUnsupported
	}
	return &os.LinkError{Op: "exchange", Old: a, New: b, Err: err}
}

func startWriteback(f *os.File, off, n int64) error {
	return unix.SyncFileRange(int(f.Fd()), off, n, unix.SYNC_FILE_RANGE_WRITE)
}
