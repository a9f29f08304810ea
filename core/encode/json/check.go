package json

import (
	"fmt"
	"io"

	"github.com/seojaeohcode/atio/core/encode"
)

// Check reads the ends of a file: an array begins and ends with its brackets, and
// lines end with a line end. It has room for so many objects.
func (o *Options) Check(r io.ReaderAt, size, rows int64) error {
	if least := 3 * rows; size < least { // {} and what is between two
		return o.checkError("it has %d bytes, too few for %d objects", size, rows)
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
	case o.Lines && last[0] != '\n':
		return o.checkError("it does not end with a line end")
	case !o.Lines && (first[0] != '[' || last[0] != ']'):
		return o.checkError("it does not begin and end as an array")
	}
	return nil
}

func (o *Options) checkError(reason string, args ...any) error {
	return &encode.CheckError{Format: o.Format(), Reason: fmt.Sprintf(reason, args...)}
}
