package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/seojaeohcode/atio/core/store"
)

var (
	// ErrCorrupt says that a file is not what its flag says it is.
	ErrCorrupt = errors.New("file does not match its flag")
	// ErrConflict says that someone else changed the target meanwhile.
	ErrConflict = errors.New("target was changed by another writer")
)

// Error says which step failed for which target, why, and what to do. Err is or
// wraps the platform's error number, a context's error, or one of this
// package's errors. Unless Changed is set, everything is as it was before.
type Error struct {
	Op     string // what was being done, such as "sync"
	Path   string // the target
	Err    error
	Advice string // what to do about it, "" if Err says it all
	// Changed says that going back failed as well: the target may hold the new
	// content, or lack its flag.
	Changed bool
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %v", e.Op, e.Path, cause(e.Err))
	if e.Advice != "" {
		b.WriteString("; " + e.Advice)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Reason is the error without the operation and path.
func (e *Error) Reason() string { return cause(e.Err).Error() }

// cause takes off the wrappers that repeat a path.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		return le.Err
	}
	return err
}

// Wrap makes an [*Error] of a failed file operation, with advice for the error
// numbers users meet. Errors that say such things already, and those of a
// context, it returns as they are; of nil it makes nil.
func Wrap(op, target string, err error) error { return wrap(op, target, err) }

// wrap makes an *Error of err, with advice for the error numbers users meet.
func wrap(op, target string, err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &Error{Op: op, Path: target, Err: err, Advice: advice(target, err)}
}

func advice(target string, err error) string {
	dir := filepath.Dir(target)
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Sprintf("the file system of %s is full: free some space (the new file needs room beside the old one) or write elsewhere", dir)
	case errors.Is(err, syscall.EDQUOT):
		return fmt.Sprintf("your quota on the file system of %s is used up: free some space or ask for more", dir)
	case errors.Is(err, syscall.EFBIG):
		return "the file would be larger than this process may write (ulimit -f) or the file system can hold: raise the limit or write elsewhere"
	case errors.Is(err, syscall.EIO):
		return "the disk or network under it failed: check the system log before trying again"
	case errors.Is(err, syscall.EMFILE):
		return "this process has too many open files: close some, or raise the limit (ulimit -n)"
	case errors.Is(err, syscall.ENFILE):
		return "the system has too many open files"
	case errors.Is(err, syscall.EROFS):
		return fmt.Sprintf("the file system of %s is read-only: write elsewhere", dir)
	case errors.Is(err, syscall.EBUSY):
		return "something is mounted on the file itself, so it cannot be replaced: mount its directory instead"
	case errors.Is(err, syscall.ENAMETOOLONG):
		return "choose a shorter file name"
	case errors.Is(err, syscall.ENOTDIR):
		return "a part of the path is a file, not a directory"
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("the new file is prepared in %s, so permission to create files there is needed, and to read the directory", dir)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("the directory %s must exist: create it first", dir)
	}
	return ""
}

// special says why a target that is there cannot be replaced.
func special(target string, info store.Info) error {
	var errno error = syscall.ENOTSUP
	var what string
	switch m := info.Mode; {
	case m.IsRegular():
		return nil
	case m.IsDir():
		errno, what = syscall.EISDIR, "a directory"
	case m&fs.ModeNamedPipe != 0:
		what = "a named pipe"
	case m&fs.ModeSocket != 0:
		what = "a socket"
	case m&fs.ModeDevice != 0:
		what = "a device"
	default:
		what = "no regular file"
	}
	return &Error{Op: "open", Path: target, Err: errno,
		Advice: fmt.Sprintf("it is %s, and only a file can be replaced: name a file", what)}
}
