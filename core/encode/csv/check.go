package csv

import (
	"bytes"
	"fmt"
	"io"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/compressed"
)

// Check reads the beginning and the end of a file: it begins with the header, if
// Header says which, ends with a line end, and has room for so many lines. Of a
// compressed file it reads the beginning.
func (o *Options) Check(r io.ReaderAt, size, rows int64) error {
	if o.Dialect == NumPy {
		return o.Matrix.check(r, size)
	}
	lines := rows
	if !o.NoHeader {
		lines++
	}
	if o.Compression == "" && size < lines {
		return checkError("it has %d bytes, too few for %d lines", size, lines)
	}
	if !o.NoHeader && o.Header != nil || o.NoHeader && o.Preamble != "" {
		s, err := o.style(len(o.Header))
		if err != nil {
			return err
		}
		want := []byte(o.Preamble)
		if o.BOM {
			want = append([]byte(bom), want...)
		}
		if !o.NoHeader {
			want = s.appendHeader(want, o.Header)
		}
		got := make([]byte, len(want))
		text, err := compressed.NewReader(io.NewSectionReader(r, 0, size), o.Compression)
		if err != nil {
			return checkError("its beginning cannot be read: %v", err)
		}
		defer text.Close()
		if _, err := io.ReadFull(text, got); err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
			return err
		}
		if !bytes.Equal(got, want) {
			return checkError("it does not begin with its header")
		}
	}
	if size > 0 && o.Compression == "" {
		var last [1]byte
		if n, err := r.ReadAt(last[:], size-1); n == 0 {
			return err
		}
		if end := o.LineEnd; end == "" && last[0] != '\n' || end != "" && last[0] != end[len(end)-1] {
			return checkError("it does not end with a line end")
		}
	}
	return nil
}

func checkError(reason string, args ...any) error {
	return &encode.CheckError{Format: format, Reason: fmt.Sprintf(reason, args...)}
}
