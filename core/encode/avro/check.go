package avro

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/twmb/avro/ocf"

	"github.com/seojaeohcode/atio/core/encode"
)

// Check reads the header, and of all blocks how many records and bytes they have and
// the marker with which they end.
func (o *Options) Check(r io.ReaderAt, size, rows int64) error {
	if err := check(r, size, rows); err != nil {
		return &encode.CheckError{Format: o.Format(), Reason: err.Error()}
	}
	return nil
}

func check(r io.ReaderAt, size, rows int64) error {
	file, err := ocf.NewReader(io.NewSectionReader(r, 0, size), ocf.WithSchemaOpts(anyNames))
	if err != nil {
		return fmt.Errorf("the header cannot be read: %w", err)
	}
	defer file.Close()
	at := headerSize(file.Metadata())
	// The marker that ends the header or a block, and the numbers that begin the next.
	var window [markerSize + 2*binary.MaxVarintLen64]byte
	var marker [markerSize]byte
	left := rows
	for first := true; ; first = false {
		n, err := r.ReadAt(window[:], at-markerSize)
		if n < markerSize {
			return fmt.Errorf("it ends within the block before byte %d: %w", at, errors.Join(err, io.ErrUnexpectedEOF))
		}
		if first {
			copy(marker[:], window[:])
		} else if marker != [markerSize]byte(window[:]) {
			return fmt.Errorf("the block before byte %d does not end with the marker", at)
		}
		if at == size {
			break
		}
		records, a := binary.Varint(window[markerSize:n])
		if a <= 0 {
			return fmt.Errorf("there is no block at byte %d", at)
		}
		length, b := binary.Varint(window[markerSize+a : n])
		if b <= 0 || records < 0 || length < 0 || length > size-at {
			return fmt.Errorf("there is no block at byte %d", at)
		}
		at += int64(a+b) + length + markerSize
		left -= records
	}
	if left != 0 {
		return fmt.Errorf("it has %d records, but %d rows were written", rows-left, rows)
	}
	return nil
}

// headerSize is how many bytes a header has: the magic, a map in one piece, the marker.
func headerSize(metadata map[string][]byte) int64 {
	n := 4 + lengthOfLong(int64(len(metadata))) + 1 + markerSize
	for key, value := range metadata {
		n += lengthOfLong(int64(len(key))) + len(key) + lengthOfLong(int64(len(value))) + len(value)
	}
	return int64(n)
}
