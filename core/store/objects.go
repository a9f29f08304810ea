package store

import (
	"context"
	"io"
	"time"
)

// Objects is a place for whole objects under keys, as a table needs it: what is
// written cannot be changed, only replaced or removed, and whether a key is free
// is decided by the place, not by the writer. A directory of a file system is one
// ([LocalObjects]); an object store is one by its conditional writes
// (If-None-Match: * on S3 and Azure, ifGenerationMatch=0 on GCS).
//
// Keys are slash paths below the root. Errors match [fs.ErrNotExist] and
// [fs.ErrExist] where these are the reason. All methods may be called by many
// goroutines at once.
type Objects interface {
	// Read returns an object's content.
	Read(ctx context.Context, key string) ([]byte, error)
	// Open opens an object for reading at any place.
	Open(ctx context.Context, key string) (ObjectReader, error)
	// Stat describes an object, or a directory where there are such.
	Stat(ctx context.Context, key string) (Object, error)
	// List returns the names in dir that come after the given one, sorted: of
	// objects, and of what stands for directories. A dir that is not there has none.
	List(ctx context.Context, dir, after string) ([]string, error)

	// Put writes an object or replaces it, atomically. It is durable then.
	Put(ctx context.Context, key string, data []byte) error
	// Stage does the slow part of Put: the data are on their way to be an object,
	// under no key yet.
	Stage(ctx context.Context, key string, data []byte) (Staged, error)
	// PutIfAbsent writes an object whose key is free, else the error is
	// [fs.ErrExist]. Of many callers at once one succeeds. It is durable then. A
	// lost answer may look like a taken key: who must know puts a mark of its own
	// into data and reads it back.
	PutIfAbsent(ctx context.Context, key string, data []byte) error
	// Create begins a new object, whose key must be free. It may be visible, and
	// incomplete, before Close.
	Create(ctx context.Context, key string) (ObjectWriter, error)
	// Sync makes the names of the objects created so far durable.
	Sync(ctx context.Context) error
	// Remove removes an object, or an empty directory.
	Remove(ctx context.Context, key string) error

	// Hold makes a mark under key that lasts until release is called or the
	// process ends, however it ends.
	Hold(ctx context.Context, key string) (release func() error, err error)
	// Held says whether a mark is there whose process is alive. A mark whose
	// process is not, is removed.
	Held(ctx context.Context, key string) (bool, error)
}

// Object describes an object.
type Object struct {
	Size     int64     // bytes
	Modified time.Time // when it was written
	Dir      bool      // it is a directory, not an object
}

// ObjectReader reads an object.
type ObjectReader interface {
	io.ReaderAt
	io.Closer
	// Size is the object's size in bytes.
	Size() int64
}

// ObjectWriter writes an object. It is used by one goroutine at a time and ends
// with Close or Abort.
type ObjectWriter interface {
	io.Writer
	// Flush brings what has been written so far to where ReadAt finds it.
	Flush() error
	// ReadAt reads back what has been flushed.
	io.ReaderAt
	// Close completes the object. It may return before the content is durable.
	Close() error
	// Wait waits after Close until the content is durable.
	Wait() error
	// Abort removes what has been written. After Close it does nothing.
	Abort()
}

// Staged is data that can become an object at once. It ends with Publish or
// Discard.
type Staged interface {
	// Publish makes it the object of its key, atomically, whether there is one or
	// not. After a power cut there may be the old one, but never half of one.
	Publish(ctx context.Context) error
	// Discard drops it.
	Discard()
}
