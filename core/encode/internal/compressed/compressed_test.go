package compressed

import (
	"bytes"
	stdgzip "compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/seojaeohcode/atio/core/encode"
)

// texts returns texts of all sizes around those of blocks.
func texts() [][]byte {
	var long bytes.Buffer
	r := rand.New(rand.NewPCG(1, 2))
	for long.Len() < 5*gzipBlock/2 {
		fmt.Fprintf(&long, "%d,%.3f,name %d\n", long.Len(), r.NormFloat64(), r.IntN(100))
	}
	all := long.Bytes()
	var out [][]byte
	for _, n := range []int{0, 1, 100, gzipWindow, gzipBlock - 1, gzipBlock, gzipBlock + 1, 2 * gzipBlock, len(all)} {
		out = append(out, all[:n])
	}
	return out
}

func write(t *testing.T, codec string, level *int, workers int, text []byte, step int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(context.Background(), &out, codec, level, workers)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(text); at += step {
		if n, err := w.Write(text[at:min(at+step, len(text))]); err != nil || n == 0 {
			t.Fatal(n, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w.Discard() // does nothing any more
	return out.Bytes()
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	levels := map[string][]int{Gzip: {0, 1, 6, 9}, Zstd: {1, 3, 19}}
	for codec, levels := range levels {
		for _, level := range levels {
			for _, workers := range []int{1, 3} {
				for _, text := range texts() {
					out := write(t, codec, &level, workers, text, 100_000)
					r, err := NewReader(bytes.NewReader(out), codec)
					if err != nil {
						t.Fatal(err)
					}
					got, err := io.ReadAll(r)
					if err != nil || !bytes.Equal(got, text) {
						t.Errorf("%s %d, %d workers, %d bytes: read %d bytes, %v", codec, level, workers, len(text), len(got), err)
					}
				}
			}
		}
	}
}

// Readers that stop after the first member get all.
func TestGzipIsOneMember(t *testing.T) {
	for _, text := range texts() {
		in := bytes.NewReader(write(t, Gzip, nil, 2, text, 1<<20))
		r, err := stdgzip.NewReader(in)
		if err != nil {
			t.Fatal(err)
		}
		r.Multistream(false)
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, text) || in.Len() != 0 {
			t.Errorf("%d bytes: read %d, %v, %d are left", len(text), len(got), err, in.Len())
		}
	}
}

// The dictionary makes up for the cuts.
func TestBlocksCostLittle(t *testing.T) {
	all := texts()
	text := all[len(all)-1]
	var whole bytes.Buffer
	w, _ := stdgzip.NewWriterLevel(&whole, 9)
	_, _ = w.Write(text)
	_ = w.Close()
	nine := 9
	if got := len(write(t, Gzip, &nine, 2, text, 1<<20)); got > whole.Len()*102/100 {
		t.Errorf("%d bytes, and %d in one piece", got, whole.Len())
	}
}

type broken struct{}

var errBroken = errors.New("broken")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestFailuresAreTold(t *testing.T) {
	all := texts()
	for _, codec := range []string{Gzip, Zstd} {
		w, err := NewWriter(context.Background(), broken{}, codec, nil, 2)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Write(all[len(all)-1])
		if err == nil {
			err = w.Close()
		}
		if !errors.Is(err, errBroken) {
			t.Errorf("%s: %v", codec, err)
		}
		w.Discard()
	}
}

func TestDiscardWritesNothingMore(t *testing.T) {
	all := texts()
	for _, codec := range []string{Gzip, Zstd} {
		var out bytes.Buffer
		w, err := NewWriter(context.Background(), &out, codec, nil, 2)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(all[2]); err != nil {
			t.Fatal(err)
		}
		w.Discard()
		if out.Len() != 0 {
			t.Errorf("%s wrote %d bytes", codec, out.Len())
		}
	}
}

func TestCheck(t *testing.T) {
	level := func(n int) *int { return &n }
	for _, c := range []struct {
		codec string
		level *int
		fine  bool
	}{
		{"", nil, true}, {"", level(1), false}, {"lzma", nil, false},
		{Gzip, nil, true}, {Gzip, level(0), true}, {Gzip, level(9), true}, {Gzip, level(10), false}, {Gzip, level(-1), false},
		{Zstd, nil, true}, {Zstd, level(0), false}, {Zstd, level(22), true}, {Zstd, level(23), false},
	} {
		err := Check("csv", c.codec, c.level)
		var o *encode.OptionError
		if (err == nil) != c.fine || err != nil && !errors.As(err, &o) {
			t.Errorf("%q %v: %v", c.codec, c.level, err)
		}
	}
}
