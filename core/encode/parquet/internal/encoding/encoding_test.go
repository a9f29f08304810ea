package encoding

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// The decoders below follow Encodings.md word for word, value by value.

func readHybrid(t *testing.T, data []byte, width, n int) []uint32 {
	t.Helper()
	var out []uint32
	for len(out) < n {
		header, k := binary.Uvarint(data)
		if k <= 0 {
			t.Fatalf("no run after %d of %d numbers", len(out), n)
		}
		data = data[k:]
		if header&1 == 0 {
			var v uint32
			for i := range (width + 7) / 8 {
				v |= uint32(data[i]) << (8 * i)
			}
			data = data[(width+7)/8:]
			for range header >> 1 {
				out = append(out, v)
			}
			continue
		}
		count := int(header>>1) * 8
		for i := range count {
			out = append(out, uint32(readBits(data, i*width, width)))
		}
		data = data[count*width/8:]
	}
	if len(data) != 0 {
		t.Fatalf("%d bytes left", len(data))
	}
	return out[:n]
}

func readBits(data []byte, at, width int) uint64 {
	var v uint64
	for k := range width {
		v |= uint64(data[(at+k)>>3]>>((at+k)&7)&1) << k
	}
	return v
}

func readDelta(t *testing.T, data []byte) (values []int64, rest []byte) {
	t.Helper()
	next := func() uint64 {
		v, k := binary.Uvarint(data)
		if k <= 0 {
			t.Fatal("no number")
		}
		data = data[k:]
		return v
	}
	zigZag := func() int64 { v := next(); return int64(v>>1) ^ -int64(v&1) }
	block, minis, total := int(next()), int(next()), int(next())
	first := zigZag()
	if total == 0 {
		return nil, data
	}
	values = append(values, first)
	for len(values) < total {
		least := zigZag()
		widths := data[:minis]
		data = data[minis:]
		for _, width := range widths {
			if len(values) == total {
				if width != 0 {
					t.Fatalf("width %d of a miniblock that is not there", width)
				}
				continue
			}
			for i := range block / minis {
				if len(values) < total {
					values = append(values, values[len(values)-1]+least+int64(readBits(data, i*int(width), int(width))))
				}
			}
			data = data[block/minis*int(width)/8:]
		}
	}
	return values, data
}

func TestHybrid(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for width := 0; width <= 32; width++ {
		for _, n := range []int{1, 7, 8, 9, 31, 32, 33, 63, 64, 65, 100, 1000} {
			for _, run := range []int{1, 3, 32, 40, 200} {
				numbers := make([]uint32, n)
				for i := range numbers {
					if i%run == 0 || i == 0 {
						numbers[i] = uint32(random.Uint64() & (1<<width - 1))
					} else {
						numbers[i] = numbers[i-1]
					}
				}
				if got := readHybrid(t, AppendHybrid(nil, numbers, width), width, n); !slices.Equal(got, numbers) {
					t.Fatalf("width %d, %d numbers in runs of %d: read %v, wrote %v", width, n, run, got, numbers)
				}
				small := make([]uint8, n)
				for i, v := range numbers {
					small[i] = uint8(v)
				}
				if width <= 8 {
					if got := readHybrid(t, AppendHybrid(nil, small, width), width, n); !slices.Equal(got, numbers) {
						t.Fatalf("width %d, %d bytes in runs of %d", width, n, run)
					}
				}
			}
		}
	}
}

func TestDelta(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for width := range 65 {
		for _, n := range []int{0, 1, 2, 32, 33, 34, 127, 128, 129, 130, 257, 1000} {
			longs, ints := make([]uint64, n), make([]uint32, n)
			for i := range longs {
				v := random.Uint64()
				if width < 64 {
					v &= 1<<width - 1
				}
				longs[i], ints[i] = v, uint32(v)
			}
			got, rest := readDelta(t, AppendDelta(nil, longs))
			if len(rest) != 0 || len(got) != n {
				t.Fatalf("width %d: %d of %d values, %d bytes left", width, len(got), n, len(rest))
			}
			for i, v := range got {
				if uint64(v) != longs[i] {
					t.Fatalf("width %d, value %d of %d: read %d, wrote %d", width, i, n, v, longs[i])
				}
			}
			got, rest = readDelta(t, AppendDelta(nil, ints))
			for i, v := range got {
				if uint32(v) != ints[i] || len(rest) != 0 {
					t.Fatalf("width %d, int %d of %d: read %d, wrote %d", width, i, n, v, ints[i])
				}
			}
		}
	}
}

// Readers allow no miniblock of 32 bit integers more than 32 bits, however far
// apart they are.
func TestDeltaOfIntsIsNarrow(t *testing.T) {
	extremes := []uint32{0, math.MaxInt32, 1 << 31, math.MaxUint32, 1 << 31, math.MaxInt32, 0, 5}
	data := AppendDelta(nil, extremes)
	_, k := binary.Uvarint(data) // block
	at := k
	for range 4 { // miniblocks, count, first value, smallest difference
		_, k = binary.Uvarint(data[at:])
		at += k
	}
	if width := data[at]; width > 32 {
		t.Errorf("a miniblock has %d bits", width)
	}
}

func texts(random *rand.Rand, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = strings.Repeat("prefix", random.IntN(5)) + fmt.Sprint(random.IntN(50)) + strings.Repeat("é", random.IntN(12))
	}
	return out
}

func TestDeltaStrings(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{0, 1, 2, 33, 500} {
		values := texts(random, n)
		data, _ := AppendDeltaLength(nil, values, nil)
		lengths, rest := readDelta(t, data)
		for i, v := range values {
			if got := string(rest[:lengths[i]]); got != v {
				t.Fatalf("value %d: read %q, wrote %q", i, got, v)
			}
			rest = rest[lengths[i]:]
		}
		data, _, _ = AppendDeltaStrings(nil, values, nil, nil)
		prefixes, rest := readDelta(t, data)
		suffixes, rest := readDelta(t, rest)
		before := ""
		for i, v := range values {
			got := before[:prefixes[i]] + string(rest[:suffixes[i]])
			if got != v {
				t.Fatalf("value %d: read %q, wrote %q", i, got, v)
			}
			rest = rest[suffixes[i]:]
			before = got
		}
	}
}

func TestSplit(t *testing.T) {
	data := AppendSplit(nil, []uint32{0x04030201, 0x14131211})
	if want := "\x01\x11\x02\x12\x03\x13\x04\x14"; string(data) != want {
		t.Errorf("%x", data)
	}
	data = AppendSplitFixed(nil, []byte("abcABC"), 3)
	if string(data) != "aAbBcC" {
		t.Errorf("%s", data)
	}
}

func TestBitmaps(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	bitmap := make([]byte, 80)
	for i := range bitmap {
		bitmap[i] = byte(random.Uint32())
	}
	bit := func(b []byte, i int) byte { return b[i>>3] >> (i & 7) & 1 }
	for offset := range 70 {
		for _, n := range []int{0, 1, 7, 8, 9, 63, 64, 65, 128, 200, 500} {
			packed := AppendBits(nil, bitmap, offset, n)
			var numbers, want []int
			ones := 0
			values := make([]byte, 80)
			for i := range n {
				numbers = append(numbers, i)
				if bit(bitmap, offset+i) == 1 {
					want = append(want, i)
					ones++
				}
				if bit(packed, i) != bit(bitmap, offset+i) {
					t.Fatalf("offset %d, bit %d of %d", offset, i, n)
				}
				if i%3 == 0 {
					values[(offset+i)>>3] |= 1 << ((offset + i) & 7)
				}
			}
			if n > 0 && n&7 != 0 && packed[len(packed)-1]>>(n&7) != 0 {
				t.Fatalf("offset %d: bits after the last of %d", offset, n)
			}
			if got := CountBits(bitmap, offset, n); got != ones {
				t.Fatalf("offset %d: counted %d of %d", offset, got, ones)
			}
			if got := Compact(nil, numbers, bitmap, offset); !slices.Equal(got, want) {
				t.Fatalf("offset %d: %v, want %v", offset, got, want)
			}
			for _, before := range []int{0, 3, 8} {
				dst, count := CompactBits(make([]byte, (before+7)/8), before, values, bitmap, offset, n)
				if count != before+ones {
					t.Fatalf("%d bits, want %d", count, before+ones)
				}
				for k, i := range want {
					if bit(dst, before+k) != bit(values, offset+i) {
						t.Fatalf("offset %d: bit %d after %d", offset, k, before)
					}
				}
			}
		}
	}
}

func TestDictionaries(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	var words Dictionary[uint64]
	var strs Strings
	for _, distinct := range []int{1, 2, 500, 600, 5000, 70_000} {
		words.Reset()
		strs.Reset()
		values, names := make([]uint64, 3*distinct), make([]string, 3*distinct)
		for i := range values {
			values[i] = uint64(random.IntN(distinct)) << 40
			names[i] = fmt.Sprint("n", values[i])
			if i%2 == 0 {
				names[i] = names[i][:min(len(names[i]), 1+i%9)]
			}
		}
		half := len(values) / 2
		numbers, ok := words.Append(nil, values[:half], distinct)
		if ok {
			numbers, ok = words.Append(numbers, values[half:], distinct)
		}
		if !ok {
			t.Fatalf("%d distinct values were too many", distinct)
		}
		texts := strs.Append(strs.Append(nil, names[:half]), names[half:])
		for i := range values {
			if words.Values[numbers[i]] != values[i] || strs.Values[texts[i]] != names[i] {
				t.Fatalf("%d distinct: value %d has number %d", distinct, i, numbers[i])
			}
		}
		if slices.Sort(strs.Values); len(slices.Compact(strs.Values)) != len(strs.Values) {
			t.Fatal("a string has two numbers")
		}
		if distinct > 2 {
			if _, ok := words.Append(nil, []uint64{1, 3, 5}, len(words.Values)); ok {
				t.Error("no limit")
			}
		}
	}
}

// Strings of one hash must be one string: lengths that differ, zeros at the end.
func TestShortStrings(t *testing.T) {
	var d Strings
	seen := map[string]bool{}
	for n := range 10 {
		for b := range 4 {
			v := strings.Repeat(string(rune(b)), n)
			for _, w := range []string{v, v + "\x00", "\x00" + v, v + "a"} {
				seen[w] = true
				if number := d.Add(w); d.Values[number] != w {
					t.Fatalf("%q is %q", w, d.Values[number])
				}
			}
		}
	}
	if len(d.Values) != len(seen) {
		t.Errorf("%d values, %d distinct ones", len(d.Values), len(seen))
	}
}

func FuzzHybrid(f *testing.F) {
	f.Add([]byte("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		width := 8
		numbers := make([]uint32, len(data))
		for i, b := range data {
			numbers[i] = uint32(b)
		}
		if most := slices.Max(data); most > 0 {
			width = bits.Len8(most)
		}
		if got := readHybrid(t, AppendHybrid(nil, data, width), width, len(data)); !slices.Equal(got, numbers) {
			t.Errorf("read %v, wrote %v", got, numbers)
		}
	})
}

func FuzzDelta(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x80\xff\xff\xff\xff\xff\xff\xff\x7f"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var words []uint64
		for ; len(data) >= 8; data = data[8:] {
			words = append(words, binary.LittleEndian.Uint64(data))
		}
		got, _ := readDelta(t, AppendDelta(nil, words))
		for i, v := range got {
			if uint64(v) != words[i] {
				t.Fatalf("value %d: read %d, wrote %d", i, v, words[i])
			}
		}
	})
}
