//go:build !linux

package store

import (
	"io/fs"
	"os"
)

// Nameless files, exchanging names and early write-back are Linux's. Elsewhere a
// hidden name, links and the final sync have to do.

func createNameless(dir string, _ fs.FileMode) (*os.File, string, error) {
	return nil, "", &fs.PathError{Op: "open", Path: dir, Err: ErrUnsupported}
}

func linkNameless(path, name string) error {
	return &os.LinkError{Op: "link", Old: path, New: name, Err: ErrUnsupported}
}

func exchange(a, b string) error {
	return &os.LinkError{Op: "exchange", Old: a, New: b, Err: ErrUnsupported}
}

func startWriteback(*os.File, int64, int64) error { return nil }
