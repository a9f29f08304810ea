package json

import (
	"fmt"
	"io"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/compressed"
)

// Check reads the ends of a file: an array or object begins and ends with its
// brackets, and lines end with a line end. It has room for so many rows. Of a
// compressed file it reads the beginning.
func (o *Options) Check(r io.ReaderAt, size, rows int64) error {
	open, end := byte('['), byte(']')
	switch {
	case o.Lines:
		open, end = '{', '\n'
	case o.Before != "" || o.orient() != Records && o.orient() != Values:
		open, end = '{', '}'
	}
	if o.Compression != "" {
		return o.checkBeginning(r, size, rows, open)
	}
	if least := 3 * rows; size < least && o.orient() != Columns { // {} and what is between two
		return o.checkError("it has %d bytes, too few for %d rows", size, rows)
	}
	if size == 0 && o.Lines {
		return nil
	}
	var first, last [1]byte
	if n, err := r.ReadAt(first[:], 0); n == 0 {
		return err
	}
	if n, err := r.ReadAt(last[:], size-1); n == 0 {
		return err
	}
	switch {
	case o.Lines && last[0] != end:
		return o.checkError("it does not end with a line end")
	case !o.Lines && (first[0] != open || last[0] != end):
		return o.checkError("it does not begin with %c and end with %c", open, end)
	}
	return nil
}

func (o *Options) checkBeginning(r io.ReaderAt, size, rows int64, open byte) error {
	text, err := compressed.NewReader(io.NewSectionReader(r, 0, size), o.Compression)
	if err != nil {
		return o.checkError("its beginning cannot be read: %v", err)
	}
	defer text.Close()
	var first [1]byte
	if _, err := io.ReadFull(text, first[:]); err != nil && err != io.EOF {
		return o.checkError("its beginning cannot be read: %v", err)
	}
	if first[0] != open && (rows > 0 || !o.Lines) {
		return o.checkError("it does not begin with %c", open)
	}
	return nil
}

func (o *Options) checkError(reason string, args ...any) error {
	return &encode.CheckError{Format: o.Format(), Reason: fmt.Sprintf(reason, args...)}
}
