package compressed

import (
	"context"
	"fmt"
	"io"
	"runtime"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/seojaeohcode/atio/core/encode"
)

// The codecs. An empty string stands for none.
const (
	Gzip = "gzip" // RFC 1952, levels 0 to 9
	Zstd = "zstd" // RFC 8878, levels 1 to 22
)

const (
	defaultGzip = 6
	defaultZstd = 3
)

// Writer compresses what is written to it. It is used by one goroutine at a time,
// and ended by Close or Discard.
type Writer interface {
	io.Writer
	// Close writes what is pending and the end of the file, but does not close
	// the writer below.
	Close() error
	// Discard stops and releases all. After Close it does nothing.
	Discard()
}

// Check returns an error, an [encode.OptionError] of the given format, if there is
// no such codec or level. A nil level is the codec's default.
func Check(format, codec string, level *int) error {
	least, most := 0, 0
	switch codec {
	case "":
		if level != nil {
			return &encode.OptionError{Format: format, Option: "compression_level", Value: *level, Reason: "there is no compression"}
		}
		return nil
	case Gzip:
		most = 9
	case Zstd:
		least, most = 1, 22
	default:
		return &encode.OptionError{Format: format, Option: "compression", Value: fmt.Sprintf("%q", codec), Reason: `it is "gzip" or "zstd"`}
	}
	if level != nil && (*level < least || *level > most) {
		return &encode.OptionError{Format: format, Option: "compression_level", Value: *level, Reason: fmt.Sprintf("%s has levels %d to %d", codec, least, most)}
	}
	return nil
}

// NewWriter returns a writer that compresses onto w. codec and level have passed
// [Check]; codec is not empty. workers is on how many goroutines or threads; 0
// stands for one for each processor.
func NewWriter(ctx context.Context, w io.Writer, codec string, level *int, workers int) (Writer, error) {
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if codec == Gzip {
		return newGzip(ctx, w, orDefault(level, defaultGzip), workers)
	}
	return newZstd(w, orDefault(level, defaultZstd), workers)
}

// NewReader returns a reader of what a codec compressed; codec may be empty.
func NewReader(r io.Reader, codec string) (io.ReadCloser, error) {
	switch codec {
	case Gzip:
		return gzip.NewReader(r)
	case Zstd:
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(1<<31))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return io.NopCloser(r), nil
}

func orDefault(level *int, otherwise int) int {
	if level == nil {
		return otherwise
	}
	return *level
}
