package parquet

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/seojaeohcode/atio/core/encode"
)

// Check reads the footer back and returns an [*encode.CheckError] unless it is
// that of a whole file: magic numbers at both ends, the number of rows that was
// written, and column chunks that lie one after another up to the footer.
func (Options) Check(r io.ReaderAt, size, rows int64) (err error) {
	defer func() {
		if p := recover(); p != nil { // arrow-go on a broken footer
			err = broken("the footer cannot be read: %v", p)
		}
	}()
	var head [len(magic)]byte
	if _, err := r.ReadAt(head[:], 0); err != nil || string(head[:]) != magic {
		return broken("the file does not begin with %s", magic)
	}
	var tail [4 + len(magic)]byte
	if _, err := r.ReadAt(tail[:], size-int64(len(tail))); err != nil || string(tail[4:]) != magic {
		return broken("the file does not end with %s", magic)
	}
	length := int64(binary.LittleEndian.Uint32(tail[:]))
	start := size - int64(len(tail)) - length
	if start < int64(len(magic)) {
		return broken("the footer claims %d bytes of a file of %d", length, size)
	}
	buf := make([]byte, length)
	if _, err := r.ReadAt(buf, start); err != nil {
		return broken("the footer cannot be read: %v", err)
	}
	meta, err := metadata.NewFileMetaData(buf, nil)
	if err != nil {
		return broken("the footer cannot be read: %v", err)
	}
	if meta.NumRows != rows {
		return broken("the footer counts %d rows, %d were written", meta.NumRows, rows)
	}
	return checkChunks(meta, start, rows)
}

func checkChunks(f *metadata.FileMetaData, footer, rows int64) error {
	end := int64(len(magic))
	total := int64(0)
	index := footer // where the page index begins
	for i := range f.NumRowGroups() {
		rg := f.RowGroup(i)
		total += rg.NumRows()
		for k := range rg.NumColumns() {
			md, err := rg.ColumnChunk(k)
			if err != nil {
				return broken("row group %d, column %d: %v", i, k, err)
			}
			start := md.DataPageOffset()
			if md.HasDictionaryPage() {
				start = min(start, md.DictionaryPageOffset())
			}
			if start != end {
				return broken("row group %d, column %d begins at byte %d, the chunk before it ends at %d", i, k, start, end)
			}
			end = start + md.TotalCompressedSize()
			for _, at := range []*metadata.IndexLocation{md.GetColumnIndexLocation(), md.GetOffsetIndexLocation()} {
				if at == nil {
					continue
				}
				if at.Offset < end || at.Offset+int64(at.Length) > footer {
					return broken("row group %d, column %d has its page index at byte %d, outside of the file's", i, k, at.Offset)
				}
				index = min(index, at.Offset)
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
