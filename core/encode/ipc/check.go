package ipc

import (
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/seojaeohcode/atio/core/encode"
)

// Check reads the footer, with which the file ends, and the schema that it has.
func (o *Options) Check(r io.ReaderAt, size, rows int64) error {
	f, err := ipc.NewFileReader(io.NewSectionReader(r, 0, size))
	if err != nil {
		return &encode.CheckError{Format: o.Format(), Reason: fmt.Sprintf("the footer cannot be read: %v", err)}
	}
	defer f.Close()
	if n := f.NumRecords(); rows > 0 && n == 0 {
		return &encode.CheckError{Format: o.Format(), Reason: fmt.Sprintf("it has no batch, but %d rows were written", rows)}
	}
	return nil
}
