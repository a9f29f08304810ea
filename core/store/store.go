// Package store is where bytes live: the [Store] interface, its implementation
// on the local file system ([Local]), and, in sub-packages, one conformance
// suite for all implementations (storetest) and a store that fails on purpose
// (faultstore).
//
// The interface is a file system cut down to what publishing a file needs. Each
// method is one system call where the platform has it, so that a test can fail
// every single step, and so that the order in which things become durable is
// decided in one place, package publish, and nowhere below it. The idea is that
// of pebble's vfs. A store knows no file formats.
package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"
)

// ErrUnsupported is returned by a method that the platform or the file system
// below cannot provide; callers then take their second way. It is
// [errors.ErrUnsupported].
var ErrUnsupported = errors.ErrUnsupported

// Store is a place with directories and files in it. Its methods may be called
// by many goroutines at once. Names are absolute paths of the platform. Errors
// are [*fs.PathError] or [*os.LinkError] around the platform's error number.
type Store interface {
	// Lstat describes name itself, not what a symbolic link leads to.
	Lstat(name string) (Info, error)
	// Readlink returns where a symbolic link leads to.
	Readlink(name string) (string, error)
	// ReadDir returns the names in a directory, in no order.
	ReadDir(name string) ([]string, error)
	// Open opens a file for reading.
	Open(name string) (File, error)

	// CreateNameless creates a file in dir that has no name yet, so that nothing
	// is left of it when the process dies. Its mode is perm less the umask.
	// ErrUnsupported where there is no such thing.
	CreateNameless(dir string, perm fs.FileMode) (File, error)
	// Create creates a file; it is an error if the name is taken.
	Create(name string, perm fs.FileMode) (File, error)
	// OpenExisting opens a file that is there for reading and writing.
	OpenExisting(name string) (File, error)
	// LinkNameless gives a file of CreateNameless its name, which must be free.
	LinkNameless(f File, name string) error
	// Link gives an existing file one more name, which must be free.
	// ErrUnsupported where there are no hard links.
	Link(oldname, newname string) error
	// Rename moves oldname over newname atomically, whether newname exists or not.
	Rename(oldname, newname string) error
	// Exchange swaps what two names stand for, atomically. ErrUnsupported where
	// there is no such call.
	Exchange(a, b string) error
	// Remove removes a file or an empty directory.
	Remove(name string) error
	// Mkdir creates a directory.
	Mkdir(name string, perm fs.FileMode) error
	// SyncDir makes the names in a directory durable. Where a platform has no
	// such call (Windows), it does nothing.
	SyncDir(name string) error

	// Lock waits until this caller alone, of all processes and goroutines, holds
	// the lock of a directory. A process that dies loses its locks.
	Lock(ctx context.Context, dir string) (Unlocker, error)
	// TryLock is Lock without waiting: ErrLocked if someone else has it.
	TryLock(dir string) (Unlocker, error)
}

// ErrLocked says that another caller holds a lock.
var ErrLocked = errors.New("locked by another writer")

// Unlocker gives a lock back.
type Unlocker interface{ Unlock() error }

// File is an open file.
type File interface {
	io.Writer
	io.Reader
	io.ReaderAt
	io.Closer
	// Path is a name under which this process can open the file, also if it has
	// no name in any directory.
	Path() string
	// Stat describes the file.
	Stat() (Info, error)
	// Sync makes the file's bytes durable.
	Sync() error
	// StartWriteback asks for n bytes at off to be brought to the disk soon, so
	// that Sync has less to wait for. It promises nothing.
	StartWriteback(off, n int64) error
	// Chmod sets the permission bits.
	Chmod(mode fs.FileMode) error
	// Chown sets owner and group. ErrUnsupported where files have none.
	Chown(uid, gid int) error
}

// Info describes a file.
type Info struct {
	Mode     fs.FileMode // type and permission bits
	Size     int64       // bytes
	UID, GID int         // owner and group, -1 where there are none
	Dev, Ino uint64      // identity of the file, 0 where there is none
	Modified time.Time   // of the last change of the content
}

// SameFile says whether a and b are the same file. It is false where the
// platform gives files no identity.
func SameFile(a, b Info) bool { return a.Ino != 0 && a.Ino == b.Ino && a.Dev == b.Dev }
