package core

import (
	"errors"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/publish"
)

// Errors of the packages below, under the names callers of core use.
type (
	// Error says which step of publishing failed for which path, and what to do.
	Error = publish.Error
	// UnsupportedError names a column whose type the format cannot hold.
	UnsupportedError = encode.UnsupportedError
	// OptionError names an option with a value the format does not have.
	OptionError = encode.OptionError
	// ValueError names the column and row of a value that cannot be written.
	ValueError = encode.ValueError
)

var (
	// ErrCorrupt says that a file is not what its flag says it is.
	ErrCorrupt = publish.ErrCorrupt
	// ErrConflict says that another writer changed the target meanwhile.
	ErrConflict = publish.ErrConflict
	// ErrFormat says that a format is unknown.
	ErrFormat = errors.New("unknown format")
	// ErrClosed says that a Writer or Stage has ended already.
	ErrClosed = errors.New("already closed")
)
