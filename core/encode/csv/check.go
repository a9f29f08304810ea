package csv

import (
	"bytes"
	"fmt"
	"io"

	"github.com/seojaeohcode/atio/core/encode"
)

// Check reads the beginning and the end of a file: it begins with the header, if
// Header says which, ends with a line end, and has room for so many lines.
func (o *Options) Check(r io.ReaderAt, size, rows int64) error {
	lines := rows
	if !o.NoHeader {
		lines++
	}
	if size < lines {
		return checkError("it has %d bytes, too few for %d lines", size, lines)
	}
	if !o.NoHeader && o.Header != nil {
		s, err := o.style(len(o.Header))
		if err != nil {
			return err
		}
		want := s.appendHeader(nil, o.Header)
		got := make([]byte, len(want))
		if n, err := r.ReadAt(got, 0); n < len(got) && err != io.EOF {
			return err
		}
		if !bytes.Equal(got, want) {
			return checkError("it does not begin with its header")
		}
	}
	if size > 0 {
		var last [1]byte
		if n, err := r.ReadAt(last[:], size-1); n == 0 {
			return err
		}
		if last[0] != '\n' {
			return checkError("it does not end with a line end")
		}
	}
	return nil
}

func checkError(reason string, args ...any) error {
	return &encode.CheckError{Format: format, Reason: fmt.Sprintf(reason, args...)}
}
