package encoding

import (
	"math/bits"
	"math/rand/v2"
	"unsafe"
)

const (
	firstSlots = 10 // log2 of the size of a new dictionary's hash table
	fibonacci  = 0x9E3779B97F4A7C15
)

// Dictionary numbers distinct words in the order in which they come. The zero
// value is an empty one.
type Dictionary[W Word] struct {
	Values []W // by number
	slots  []uint32
	log    uint
}

// Reset empties the dictionary; its memory stays.
func (d *Dictionary[W]) Reset() {
	if len(d.Values) == 0 {
		return
	}
	d.Values = d.Values[:0]
	d.resize(firstSlots)
}

func (d *Dictionary[W]) resize(log uint) {
	d.log = log
	d.slots = emptySlots(d.slots, log)
	mask := uint32(1)<<log - 1
	for i, v := range d.Values {
		at := hashWord(v, log)
		for d.slots[at] != 0 {
			at = (at + 1) & mask
		}
		d.slots[at] = uint32(i) + 1
	}
}

// emptySlots returns a table of 2^log zeros.
func emptySlots[S uint32 | uint64](slots []S, log uint) []S {
	if n := 1 << log; cap(slots) < n {
		return make([]S, n)
	}
	slots = slots[:1<<log]
	clear(slots)
	return slots
}

func hashWord[W Word](w W, log uint) uint32 {
	x := uint64(w)
	return uint32((x ^ x>>29) * fibonacci >> (64 - log))
}

// Append appends the numbers of words to dst. It gives up, and returns false, when
// there are more than limit distinct ones.
func (d *Dictionary[W]) Append(dst []uint32, words []W, limit int) ([]uint32, bool) {
	if d.slots == nil {
		d.resize(firstSlots)
	}
	if len(words) == 0 {
		return dst, true
	}
	at := len(dst)
	dst, out := extend32(dst, len(words))
	last, number := ^words[0], uint32(0)
	for i := 0; i < len(words); {
		full := len(d.slots) / 2
		slots, values, mask, log := d.slots, d.Values, uint32(len(d.slots)-1), d.log
		for ; i < len(words) && len(values) <= full; i++ {
			w := words[i]
			if w != last {
				last = w
				h := hashWord(w, log) & mask
				for {
					s := slots[h]
					if s == 0 {
						values = append(values, w)
						s = uint32(len(values))
						slots[h] = s
						number = s - 1
						break
					}
					if values[s-1] == w {
						number = s - 1
						break
					}
					h = (h + 1) & mask
				}
			}
			out[i] = number
		}
		d.Values = values
		if len(values) > limit {
			return dst[:at], false
		}
		if len(values) > full {
			d.resize(d.log + 1)
		}
	}
	return dst, true
}

// extend32 is extend for numbers.
func extend32(b []uint32, n int) (whole, room []uint32) {
	at := len(b)
	if cap(b) < at+n {
		grown := make([]uint32, at, at+n)
		copy(grown, b)
		b = grown
	}
	whole = b[:at+n]
	return whole, whole[at:]
}

// Strings is [Dictionary] for byte arrays. Its values are those that were added:
// memory they lie in must stay as it is.
type Strings struct {
	Values []string
	Bytes  int // of all values together
	hashes []uint64
	slots  []uint64 // the lower halves of a hash and of a number, from 1 on; 0 if free
}

// Reset empties the dictionary; its memory stays, but not that of the values.
func (d *Strings) Reset() {
	if len(d.Values) == 0 {
		return
	}
	clear(d.Values)
	d.Values, d.hashes, d.Bytes = d.Values[:0], d.hashes[:0], 0
	d.slots = emptySlots(d.slots, firstSlots)
}

// roomy is the number of slots up to which only a quarter of them is used: those
// that are looked at in vain cost more than the memory, as long as it is near.
const roomy = 1 << 14

func (d *Strings) isFull() bool {
	n := len(d.slots)
	if n <= roomy {
		return len(d.Values) >= n/4
	}
	return len(d.Values) >= n/2
}

// Add returns the number of v.
func (d *Strings) Add(v string) uint32 {
	if d.isFull() {
		d.grow()
	}
	return d.find(v, hashString(v))
}

// find returns the number of v, whose hash is given.
func (d *Strings) find(v string, hash uint64) uint32 {
	slots := d.slots
	mask := uint32(len(slots) - 1)
	at := uint32(hash>>32) & mask
	for {
		slot := slots[at]
		if slot == 0 {
			return d.add(v, hash, at)
		}
		if uint32(slot>>32) == uint32(hash) {
			number := uint32(slot) - 1
			if known := d.Values[number]; len(known) == len(v) {
				// The hash of a short string tells all of it but its length.
				if len(v) <= 8 && d.hashes[number] == hash || len(v) > 8 && sameLong(known, v) {
					return number
				}
			}
		}
		at = (at + 1) & mask
	}
}

// add puts v, which is not there, into a slot.
func (d *Strings) add(v string, hash uint64, at uint32) uint32 {
	d.Values = append(d.Values, v)
	d.hashes = append(d.hashes, hash)
	d.Bytes += len(v)
	d.slots[at] = hash<<32 | uint64(len(d.Values))
	return uint32(len(d.Values) - 1)
}

// sameLong reports whether two strings of the same length, over 8 bytes, are the
// same. Up to 32 bytes that takes less than a call of what == calls.
func sameLong(a, b string) bool {
	n := len(a)
	p, q := unsafe.Pointer(unsafe.StringData(a)), unsafe.Pointer(unsafe.StringData(b))
	switch {
	case n <= 16:
		return (loadAt(p, 0)^loadAt(q, 0))|(loadAt(p, n-8)^loadAt(q, n-8)) == 0
	case n <= 32:
		return (loadAt(p, 0)^loadAt(q, 0))|(loadAt(p, 8)^loadAt(q, 8))|
			(loadAt(p, n-16)^loadAt(q, n-16))|(loadAt(p, n-8)^loadAt(q, n-8)) == 0
	}
	return a == b
}

func loadAt(p unsafe.Pointer, at int) uint64 { return *(*uint64)(unsafe.Add(p, at)) }

// Append appends the numbers of values to dst.
func (d *Strings) Append(dst []uint32, values []string) []uint32 {
	last, number := "", uint32(0)
	for i, v := range values {
		if i > 0 && len(v) == len(last) && unsafe.StringData(v) == unsafe.StringData(last) {
			dst = append(dst, number)
			continue
		}
		if d.isFull() {
			d.grow()
		}
		last, number = v, d.find(v, hashString(v))
		dst = append(dst, number)
	}
	return dst
}

func (d *Strings) grow() {
	log := uint(bits.Len(uint(len(d.slots))))
	if d.slots == nil {
		log = firstSlots
	}
	d.slots = emptySlots(d.slots, log)
	mask := uint32(len(d.slots) - 1)
	for i, hash := range d.hashes {
		at := uint32(hash>>32) & mask
		for d.slots[at] != 0 {
			at = (at + 1) & mask
		}
		d.slots[at] = hash<<32 | uint64(i+1)
	}
}

var seed = rand.Uint64()

// hashString mixes eight bytes at a time by multiplication, as wyhash does
// (https://github.com/wangyi-fudan/wyhash). Each process does it in another way,
// so that nobody can choose values that collide. Strings of up to eight bytes have
// the same hash only if they are the same but for their length: each step can be
// undone.
func hashString(s string) uint64 {
	p, n := unsafe.Pointer(unsafe.StringData(s)), len(s)
	if n <= 8 {
		var a uint64
		switch {
		case n >= 4:
			a = uint64(*(*uint32)(p)) | uint64(*(*uint32)(unsafe.Add(p, n-4)))<<32
		case n > 0:
			a = uint64(*(*byte)(p)) | uint64(*(*byte)(unsafe.Add(p, n/2)))<<8 | uint64(*(*byte)(unsafe.Add(p, n-1)))<<16
		}
		a = (a ^ seed) * fibonacci
		return (a ^ a>>32) * 0xC2B2AE3D27D4EB4F
	}
	h := uint64(n)*fibonacci ^ seed
	for n > 16 {
		hi, lo := bits.Mul64(h^*(*uint64)(p), 0xFF51AFD7ED558CCD)
		h = hi ^ lo
		p = unsafe.Add(p, 8)
		n -= 8
	}
	hi, lo := bits.Mul64(*(*uint64)(p)^h^fibonacci, *(*uint64)(unsafe.Add(p, n-8))^0xC2B2AE3D27D4EB4F)
	return hi ^ lo
}
