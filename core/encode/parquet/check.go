package parquet

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/parquet/internal/thrift"
)

// tailSize is how many bytes are read from the end of a file at first.
const tailSize = 64 << 10

// Check reads the footer back and returns an [*encode.CheckError] unless it is
// that of a whole file: magic numbers at both ends, the number of rows that was
// written, and column chunks that lie one after another up to the footer.
func (Options) Check(r io.ReaderAt, size, rows int64) error {
	buf, err := tailOf(r, size, min(size, tailSize))
	if err != nil {
		return err
	}
	if int64(len(buf)) < int64(2*len(magic)+4) || string(buf[len(buf)-len(magic):]) != magic {
		return broken("the file does not end with %s", magic)
	}
	head := buf[:len(magic)]
	if int64(len(buf)) < size {
		head = make([]byte, len(magic))
		if _, err := r.ReadAt(head, 0); err != nil {
			return broken("its beginning cannot be read: %v", err)
		}
	}
	if string(head) != magic {
		return broken("the file does not begin with %s", magic)
	}
	end := len(buf) - len(magic) - 4
	length := int64(binary.LittleEndian.Uint32(buf[end:]))
	start := size - int64(len(buf)-end) - length
	if start < int64(len(magic)) {
		return broken("the footer claims %d bytes of a file of %d", length, size)
	}
	if length > int64(end) {
		if buf, err = tailOf(r, size, size-start); err != nil {
			return err
		}
		end = int(length)
	}
	meta, err := readFooter(buf[int64(end)-length : end])
	if err != nil {
		return broken("the footer cannot be read: %v", err)
	}
	if meta.rows != rows {
		return broken("the footer counts %d rows, %d were written", meta.rows, rows)
	}
	return meta.check(start, rows)
}

// tailOf returns the last n bytes of a file.
func tailOf(r io.ReaderAt, size, n int64) ([]byte, error) {
	buf := make([]byte, n)
	if _, err := r.ReadAt(buf, size-n); err != nil {
		return nil, broken("its end cannot be read: %v", err)
	}
	return buf, nil
}

// readFileMeta is what a footer says of where things are.
type readFileMeta struct {
	rows   int64
	groups []readGroup
}

type readGroup struct {
	rows   int64
	chunks []readChunk
}

type readChunk struct {
	start, size int64
	indexes     [2]readIndex // offset index, column index
}

// readIndex is where an index stands; its length is 0 if there is none.
type readIndex struct{ offset, length int64 }

// readFooter reads a FileMetaData of parquet.thrift.
func readFooter(b []byte) (meta readFileMeta, err error) {
	r := thrift.Reader{Bytes: b}
	r.Struct(func(id int16, typ byte) {
		switch {
		case id == 3 && typ == thrift.I64:
			meta.rows = r.Int()
		case id == 4:
			meta.groups = make([]readGroup, r.List(thrift.Struct))
			for i := range meta.groups {
				readRowGroup(&r, &meta.groups[i])
			}
		default:
			r.Skip(typ)
		}
	})
	if r.Err == nil && len(r.Bytes) > 0 {
		return meta, fmt.Errorf("%d bytes behind it", len(r.Bytes))
	}
	return meta, r.Err
}

func readRowGroup(r *thrift.Reader, g *readGroup) {
	r.Struct(func(id int16, typ byte) {
		switch {
		case id == 1:
			g.chunks = make([]readChunk, r.List(thrift.Struct))
			for i := range g.chunks {
				readColumnChunk(r, &g.chunks[i])
			}
		case id == 3 && typ == thrift.I64:
			g.rows = r.Int()
		default:
			r.Skip(typ)
		}
	})
}

func readColumnChunk(r *thrift.Reader, c *readChunk) {
	r.Struct(func(id int16, typ byte) {
		switch {
		case id == 3 && typ == thrift.Struct:
			readColumnMetaData(r, c)
		case (id == 4 || id == 6) && typ == thrift.I64:
			c.indexes[(id-4)/2].offset = r.Int()
		case (id == 5 || id == 7) && typ == thrift.I32:
			c.indexes[(id-5)/2].length = r.Int()
		default:
			r.Skip(typ)
		}
	})
}

func readColumnMetaData(r *thrift.Reader, c *readChunk) {
	r.Struct(func(id int16, typ byte) {
		switch {
		case id == 7 && typ == thrift.I64:
			c.size = r.Int()
		case id == 9 && typ == thrift.I64:
			c.start = r.Int()
		case id == 11 && typ == thrift.I64:
			c.start = min(c.start, r.Int()) // the dictionary, which comes later here
		default:
			r.Skip(typ)
		}
	})
}

// check looks at the places of everything in a file whose footer begins at the
// given byte.
func (meta *readFileMeta) check(footer, rows int64) error {
	end := int64(len(magic))
	total := int64(0)
	index := footer // where the page index begins
	for i := range meta.groups {
		g := &meta.groups[i]
		total += g.rows
		for k := range g.chunks {
			c := &g.chunks[k]
			if c.start != end {
				return broken("row group %d, column %d begins at byte %d, the chunk before it ends at %d", i, k, c.start, end)
			}
			end = c.start + c.size
			for _, at := range c.indexes {
				if at.length == 0 {
					continue
				}
				if at.offset < end || at.offset+at.length > footer {
					return broken("row group %d, column %d has its page index at byte %d, outside of the file's", i, k, at.offset)
				}
				index = min(index, at.offset)
			}
		}
	}
	switch {
	case end != index:
		return broken("column chunks end at byte %d, page index or footer begin at byte %d", end, index)
	case total != rows:
		return broken("the row groups hold %d rows, %d were written", total, rows)
	}
	return nil
}

func broken(format string, args ...any) error {
	return &encode.CheckError{Format: Name, Reason: fmt.Sprintf(format, args...)}
}
