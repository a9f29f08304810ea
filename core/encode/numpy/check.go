package numpy

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/seojaeohcode/atio/core/encode"
)

// Check compares sizes and headers with what they have to be; those of an archive as
// another reader finds them.
func (o *Options) Check(r io.ReaderAt, size, _ int64) error {
	if o.isArchive() {
		return o.checkArchive(r, size)
	}
	var header []byte
	if o.Layout == Npy {
		header = o.Arrays[0].header()
	}
	if want := int64(len(header)) + o.size(); size != want {
		return o.checkError("it has %d bytes, not %d", size, want)
	}
	return o.checkHeader(io.NewSectionReader(r, 0, size), header)
}

func (o *Options) checkArchive(r io.ReaderAt, size int64) error {
	archive, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // any name is good for an array
		return o.checkError("it cannot be read as a zip archive: %v", err)
	}
	if len(archive.File) != len(o.Arrays) {
		return o.checkError("it has %d members, not %d", len(archive.File), len(o.Arrays))
	}
	for i, f := range archive.File {
		a := &o.Arrays[i]
		header := a.header()
		if want := uint64(len(header)) + uint64(a.Bytes); f.Name != member(a) || f.UncompressedSize64 != want {
			return o.checkError("member %d is %q with %d bytes, not %q with %d", i, f.Name, f.UncompressedSize64, member(a), want)
		}
		in, err := f.Open()
		if err != nil {
			return o.checkError("member %q cannot be read: %v", f.Name, err)
		}
		err = o.checkHeader(in, header)
		in.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *Options) checkHeader(r io.Reader, header []byte) error {
	found := make([]byte, len(header))
	if _, err := io.ReadFull(r, found); err != nil {
		return o.checkError("the header cannot be read: %v", err)
	}
	if !bytes.Equal(found, header) {
		return o.checkError("the header is not the one that was written")
	}
	return nil
}

func (o *Options) checkError(reason string, args ...any) error {
	return &encode.CheckError{Format: o.Format(), Reason: fmt.Sprintf(reason, args...)}
}
