package zipped

import (
	"bytes"
	standard "compress/flate"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// Deflate appends text to buf, deflated into blocks that end at a byte and are not
// the last. It may be called by many goroutines at once.
type Deflate func(buf, text []byte) ([]byte, error)

// Level deflates at a level of github.com/klauspost/compress/flate, 1 to 9.
func Level(level int) Deflate {
	return with(func() (deflater, error) { return flate.NewWriter(nil, level) })
}

// Standard deflates at a level of the standard library's compress/flate, 1 to 9,
// which searches as zlib does at the same level.
func Standard(level int) Deflate {
	return with(func() (deflater, error) { return standard.NewWriter(nil, level) })
}

// deflater is what both libraries have.
type deflater interface {
	io.Writer
	Reset(io.Writer)
	Flush() error
}

func with(begin func() (deflater, error)) Deflate {
	var idle sync.Pool
	return func(buf, text []byte) ([]byte, error) {
		d, ok := idle.Get().(deflater)
		if !ok {
			var err error
			if d, err = begin(); err != nil {
				return nil, err
			}
		}
		defer idle.Put(d)
		out := bytes.NewBuffer(buf)
		d.Reset(out)
		if _, err := d.Write(text); err != nil {
			return nil, err
		}
		if err := d.Flush(); err != nil {
			return nil, err
		}
		return out.Bytes(), nil
	}
}
