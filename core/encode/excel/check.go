package excel

import (
	"archive/zip"
	"fmt"
	"io"

	"github.com/seojaeohcode/atio/core/encode"
)

// Check reads the archive's directory, which stands at its end: it has all parts of a
// workbook, and the sheets have room for so many rows.
func (o *Options) Check(r io.ReaderAt, size, rows int64) error {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return checkError("its directory cannot be read: %v", err)
	}
	sizes := map[string]uint64{}
	for _, f := range archive.File {
		sizes[f.Name] = f.UncompressedSize64
		// Where the entry's text begins; this reads its own header.
		at, err := f.DataOffset()
		if err != nil || at+int64(f.CompressedSize64) > size {
			return checkError("its part %s is not where its directory says", f.Name)
		}
	}
	names := []string{contentTypesPart, workbookPart, "xl/styles.xml"}
	for i := range max(1, len(o.Sheets)) {
		names = append(names, sheetPart(i))
	}
	room := uint64(0)
	for _, name := range names {
		n, ok := sizes[name]
		if !ok || n == 0 {
			return checkError("it has no part %s", name)
		}
		if name != contentTypesPart && name != workbookPart && name != "xl/styles.xml" {
			room += n
		}
	}
	if least := uint64(rows) * uint64(len(`<row r="1"></row>`)); room < least {
		return checkError("its sheets have %d bytes, too few for %d rows", room, rows)
	}
	return nil
}

func checkError(reason string, args ...any) error {
	return &encode.CheckError{Format: format, Reason: fmt.Sprintf(reason, args...)}
}
