package crc

import (
	"hash/crc32"
	"math/rand/v2"
	"testing"
)

func TestCombine(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		b := make([]byte, r.IntN(5000))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		cut := r.IntN(len(b) + 1)
		got := Combine(crc32.ChecksumIEEE(b[:cut]), crc32.ChecksumIEEE(b[cut:]), len(b)-cut)
		if want := crc32.ChecksumIEEE(b); got != want {
			t.Fatalf("%d+%d bytes: %08x, not %08x", cut, len(b)-cut, got, want)
		}
	}
}
