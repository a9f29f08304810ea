package delta

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/seojaeohcode/atio/core/store"
)

// Verification is what Verify has looked at.
type Verification struct {
	Version     int64
	Files       int   // data files of the version
	Rows, Bytes int64 // in them
	Checksums   int   // how many files could be compared with a checksum
	Problems    []Problem
}

// Problem is a data file that is not what the log says.
type Problem struct {
	Path   string // slash path below the table
	Reason string
}

// Verify reads all data files of a version and compares them with the log: each
// is there, of the right size and number of rows, and has the checksum that it was
// written with, if it is one of ours. Problems are in the answer; an error says
// that something could not be looked at.
func (t *Table) Verify(ctx context.Context, at At) (Verification, error) {
	s, release, err := t.Hold(ctx, at)
	if err != nil {
		return Verification{}, err
	}
	defer release()
	files, err := s.Files(nil)
	if err != nil {
		return Verification{}, err
	}
	v := Verification{Version: s.Version, Files: len(files)}
	for _, f := range files {
		reason, rows, err := t.verifyFile(ctx, f)
		if err != nil {
			return Verification{}, err
		}
		v.Rows += rows
		v.Bytes += f.Size
		if reason != "" {
			v.Problems = append(v.Problems, Problem{f.Path, reason})
		} else if f.checksum() != "" {
			v.Checksums++
		}
		if t.o.Progress != nil {
			t.o.Progress.AddRows(rows)
			t.o.Progress.AddBytes(f.Size)
		}
	}
	return v, nil
}

// checksum is what the file was written with, "" if that is not known.
func (f *File) checksum() string {
	if text := f.Tags[checksumTag]; text != nil && strings.HasPrefix(*text, "xxh3-128:") {
		return *text
	}
	return ""
}

// verifyFile returns what is wrong with a file, and its number of rows.
func (t *Table) verifyFile(ctx context.Context, f File) (reason string, rows int64, err error) {
	r, err := t.objects.Open(ctx, f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return "it is missing", 0, nil
	}
	if err != nil {
		return "", 0, t.wrap("open", err)
	}
	defer r.Close()
	if r.Size() != f.Size {
		return fmt.Sprintf("it has %d bytes, and the log says %d", r.Size(), f.Size), 0, nil
	}
	if want := f.checksum(); want != "" {
		have, err := checksumOf(ctx, r)
		if err != nil {
			return "", 0, t.wrap("read", err)
		}
		if have != want {
			return fmt.Sprintf("its checksum is %s, and it was written with %s", have, want), 0, nil
		}
	}
	footer, err := readFooter(r, r.Size())
	if err != nil {
		return err.Error(), 0, nil
	}
	if f.Rows >= 0 && footer.NumRows != f.Rows {
		return fmt.Sprintf("it has %d rows, and the log says %d", footer.NumRows, f.Rows), footer.NumRows, nil
	}
	return "", footer.NumRows, nil
}

func checksumOf(ctx context.Context, r store.ObjectReader) (string, error) {
	h := xxh3.New()
	buf := make([]byte, 1<<20)
	for off := int64(0); off < r.Size(); {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		n, err := r.ReadAt(buf[:min(int64(len(buf)), r.Size()-off)], off)
		if err != nil && !(errors.Is(err, io.EOF) && n > 0) {
			return "", err
		}
		h.Write(buf[:n])
		off += int64(n)
	}
	sum := h.Sum128().Bytes()
	return "xxh3-128:" + hex.EncodeToString(sum[:]), nil
}
