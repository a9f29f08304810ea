package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

func infoOf(fi fs.FileInfo) Info {
	return Info{Mode: fi.Mode(), Size: fi.Size(), Modified: fi.ModTime(), UID: -1, GID: -1}
}

func openFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	return os.OpenFile(name, flag, perm)
}

func remove(name string) error { return os.Remove(name) }

func noHardLinks(err error) bool {
	return errors.Is(err, windows.ERROR_INVALID_FUNCTION) || errors.Is(err, windows.ERROR_NOT_SUPPORTED) ||
		errors.Is(err, windows.ERROR_TOO_MANY_LINKS)
}

// syncDir does nothing: Windows has no call that syncs a directory. NTFS keeps
// its metadata in a journal of its own.
func syncDir(string) error { return nil }

// lockFile is the lock of a directory: a file that only one handle may have
// open and that goes with the handle, however the process ends.
const lockFile = ".atio-lock"

func tryLock(dir string) (Unlocker, error) {
	name := filepath.Join(dir, lockFile)
	p, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, &fs.PathError{Op: "lock", Path: name, Err: err}
	}
	h, err := windows.CreateFile(p, windows.GENERIC_READ|windows.GENERIC_WRITE, 0, nil, windows.CREATE_ALWAYS,
		windows.FILE_ATTRIBUTE_HIDDEN|windows.FILE_FLAG_DELETE_ON_CLOSE, 0)
	switch {
	case err == nil:
		return heldHandle(h), nil
	case errors.Is(err, windows.ERROR_SHARING_VIOLATION), errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return nil, ErrLocked // access is denied while the last handle is closing
	default:
		return nil, &fs.PathError{Op: "lock", Path: name, Err: err}
	}
}

type heldHandle windows.Handle

func (h heldHandle) Unlock() error { return windows.CloseHandle(windows.Handle(h)) }

func rename(oldname, newname string) error { return os.Rename(oldname, newname) }
