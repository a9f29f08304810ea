package compress

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	kpsnappy "github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// all returns every codec at some levels, with what reads its blocks.
func all(t *testing.T) map[string]struct {
	Encoder
	read func(block []byte, size int) ([]byte, error)
} {
	t.Helper()
	type codec = struct {
		Encoder
		read func(block []byte, size int) ([]byte, error)
	}
	must := func(e Encoder, err error) Encoder {
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	decoder, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(decoder.Close)
	readZstd := func(b []byte, _ int) ([]byte, error) { return decoder.DecodeAll(b, nil) }
	readGzip := func(b []byte, _ int) ([]byte, error) {
		r, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	}
	readBrotli := func(b []byte, _ int) ([]byte, error) { return io.ReadAll(brotli.NewReader(bytes.NewReader(b))) }
	codecs := map[string]codec{
		"none":          {None(), func(b []byte, _ int) ([]byte, error) { return b, nil }},
		"snappy":        {Snappy(), func(b []byte, _ int) ([]byte, error) { return kpsnappy.Decode(nil, b) }},
		"snappy better": {SnappyBetter(), func(b []byte, _ int) ([]byte, error) { return kpsnappy.Decode(nil, b) }},
		"lz4": {LZ4(), func(b []byte, size int) ([]byte, error) {
			out := make([]byte, size)
			n, err := lz4.UncompressBlock(b, out)
			return out[:n], err
		}},
	}
	for _, level := range []int{1, 3, 9, 19, 22} {
		codecs[fmt.Sprint("zstd ", level)] = codec{must(Zstd(level)), readZstd}
	}
	readDeflate := func(b []byte, _ int) ([]byte, error) { return io.ReadAll(flate.NewReader(bytes.NewReader(b))) }
	for _, level := range []int{0, 1, 6, 9} {
		codecs[fmt.Sprint("gzip ", level)] = codec{must(Gzip(level)), readGzip}
		codecs[fmt.Sprint("deflate ", level)] = codec{must(Deflate(level)), readDeflate}
	}
	for _, level := range []int{0, 1, 5, 11} {
		codecs[fmt.Sprint("brotli ", level)] = codec{Brotli(level), readBrotli}
	}
	return codecs
}

func TestRoundTrip(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 100_000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	blocks := [][]byte{nil, {7}, []byte("hello"), bytes.Repeat([]byte("abc"), 50_000), noise, noise[:1000]}
	for name, c := range all(t) {
		before := []byte("kept")
		for i, block := range blocks {
			out, err := c.Append(before, block)
			if err != nil {
				t.Fatalf("%s, block %d: %v", name, i, err)
			}
			if !bytes.HasPrefix(out, []byte("kept")) {
				t.Fatalf("%s, block %d: what was there before is gone", name, i)
			}
			got, err := c.read(out[4:], len(block))
			if err != nil || !bytes.Equal(got, block) {
				t.Errorf("%s, block %d of %d bytes: read %d bytes, %v", name, i, len(block), len(got), err)
			}
		}
		if name != "none" && name != "gzip 0" && name != "deflate 0" {
			out, err := c.Append(nil, blocks[3])
			if err != nil || len(out) > len(blocks[3])/10 {
				t.Errorf("%s makes %d bytes of %d, %v", name, len(out), len(blocks[3]), err)
			}
		}
	}
}

// A result belongs to the caller: the next block does not change it.
func TestResultsStay(t *testing.T) {
	for name, c := range all(t) {
		first, err := c.Append(nil, []byte("first first first"))
		if err != nil {
			t.Fatal(err)
		}
		kept := bytes.Clone(first)
		if _, err := c.Append(nil, []byte("second second second")); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, kept) {
			t.Errorf("%s wrote over an earlier result", name)
		}
	}
}

func TestWrongLevel(t *testing.T) {
	if _, err := Gzip(12); err == nil {
		t.Error("gzip has no level 12")
	}
}
