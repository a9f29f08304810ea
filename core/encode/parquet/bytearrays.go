package parquet

import (
	"fmt"
	"math/bits"
	"slices"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode/parquet/internal/encoding"
)

// byteArrays are the values of a BYTE_ARRAY column chunk, where they lie.
type byteArrays struct{ pieces []bytePiece }

// bytePiece are the selected values of one array of strings or binaries.
type bytePiece struct {
	selection
	small []int32 // offsets of 32 bits into data,
	large []int64 // or of 64 bits,
	views []arrow.ViewHeader
	data  []byte
	more  [][]byte // the data of views
	table []string // or the values of a dictionary
	long  bool     // there may be values that are too long
}

// add takes up those values of arr that s selects.
func (b *byteArrays) add(arr arrow.Array, s selection) error {
	p := bytePiece{selection: s}
	p.at = slices.Clone(s.at) // the shredder will use its memory again
	buffers := arr.Data().Buffers()
	switch a := arr.(type) {
	case *array.String:
		p.small = a.ValueOffsets()
	case *array.Binary:
		p.small = a.ValueOffsets()
	case *array.LargeString:
		p.large = a.ValueOffsets()
	case *array.LargeBinary:
		p.large = a.ValueOffsets()
	case *array.StringView, *array.BinaryView:
		p.views = viewsOf(arr)
		for _, m := range buffers[2:] {
			p.more = append(p.more, m.Bytes())
			p.long = p.long || m.Len() > maxValue
		}
		b.pieces = append(b.pieces, p)
		return nil
	default:
		return mismatch(arr)
	}
	if buffers[2] != nil {
		p.data = buffers[2].Bytes()
		p.long = len(p.data) > maxValue
	}
	b.pieces = append(b.pieces, p)
	return nil
}

// viewsOf returns the headers of the elements of an array of views. There are none
// if it has no memory.
func viewsOf(arr arrow.Array) []arrow.ViewHeader {
	b := arr.Data().Buffers()[1]
	if b == nil {
		return nil
	}
	from := arr.Data().Offset()
	return arrow.ViewHeaderTraits.CastFromBytes(b.Bytes())[from:][:arr.Len()]
}

// value returns element i.
func (p *bytePiece) value(i int) string {
	switch {
	case p.small != nil:
		return stringAt(p.data, int(p.small[i]), int(p.small[i+1]))
	case p.large != nil:
		return stringAt(p.data, int(p.large[i]), int(p.large[i+1]))
	case p.table != nil:
		return p.table[i]
	}
	return p.view(&p.views[i])
}

func stringAt(data []byte, from, to int) string {
	v := data[from:to]
	return unsafe.String(unsafe.SliceData(v), len(v))
}

// byteReader goes through byte arrays from the first one on.
type byteReader struct {
	pieces []bytePiece
	next   int // element of the first piece, counted from its lo or within at
}

func (b *byteArrays) read() byteReader { return byteReader{pieces: b.pieces} }

// fill appends values to dst until it is full. None are left if it is not.
func (r *byteReader) fill(dst []string) ([]string, error) {
	for len(dst) < cap(dst) && len(r.pieces) > 0 {
		p := &r.pieces[0]
		from := len(dst)
		dst, r.next = p.fill(dst, r.next)
		if p.long {
			for _, v := range dst[from:] {
				if len(v) > maxValue {
					return nil, fmt.Errorf("a value has %d bytes, and Parquet cannot hold more than %d", len(v), maxValue)
				}
			}
		}
		if r.next == p.len() {
			r.pieces, r.next = r.pieces[1:], 0
		}
	}
	return dst, nil
}

// middle appends values in a row to dst until it is full, of n in all.
func (b *byteArrays) middle(dst []string, n int) ([]string, error) {
	r := b.read()
	// Where nulls stand does not matter for a sample: elements are skipped.
	for skip := (n - cap(dst)) / 2; len(r.pieces) > 1 && skip >= r.pieces[0].len(); {
		skip -= r.pieces[0].len()
		r.pieces = r.pieces[1:]
	}
	if len(r.pieces) > 0 {
		r.next = max(0, (r.pieces[0].len()-cap(dst))/2)
	}
	dst, err := r.fill(dst)
	if err != nil || len(dst) > 0 {
		return dst, err
	}
	again := b.read() // nothing but nulls from there on
	return again.fill(dst)
}

// spread returns values from all over, of n in all.
func (b *byteArrays) spread(n int) []string {
	out := make([]string, 0, sampleSpread+len(b.pieces))
	step := max(1, n/sampleSpread)
	for k := range b.pieces {
		p := &b.pieces[k]
		for i := 0; i < p.len(); i += step {
			switch {
			case p.at != nil:
				out = append(out, p.value(p.at[i]))
			case p.bitmap == nil || p.bitmap[(p.offset+i)>>3]>>((p.offset+i)&7)&1 != 0:
				out = append(out, p.value(p.lo+i))
			}
		}
	}
	return out
}

func (p *bytePiece) len() int {
	if p.at != nil {
		return len(p.at)
	}
	return p.hi - p.lo
}

// fill appends elements from the given one on to dst until it is full, and
// returns where it stopped.
func (p *bytePiece) fill(dst []string, next int) ([]string, int) {
	room := cap(dst) - len(dst)
	switch {
	case p.at != nil:
		end := min(len(p.at), next+room)
		for _, i := range p.at[next:end] {
			dst = append(dst, p.value(i))
		}
		return dst, end
	case p.bitmap != nil:
		for end := p.hi - p.lo; next < end && len(dst) < cap(dst); {
			n := min(64, end-next, cap(dst)-len(dst))
			word := encoding.Load64(p.bitmap, p.offset+next)
			if n < 64 {
				word &= 1<<n - 1
			}
			if base := p.lo + next; p.views != nil {
				for ; word != 0; word &= word - 1 {
					dst = append(dst, p.view(&p.views[base+bits.TrailingZeros64(word)]))
				}
			} else {
				for ; word != 0; word &= word - 1 {
					dst = append(dst, p.value(base+bits.TrailingZeros64(word)))
				}
			}
			next += n
		}
		return dst, next
	}
	end := min(p.hi-p.lo, next+room)
	switch {
	case p.small != nil:
		dst = appendStrings(dst, p.data, p.small[p.lo+next:p.lo+end+1])
	case p.large != nil:
		dst = appendStrings(dst, p.data, p.large[p.lo+next:p.lo+end+1])
	case p.views != nil:
		dst = p.appendViews(dst, p.views[p.lo+next:p.lo+end])
	default:
		dst = append(dst, p.table[p.lo+next:p.lo+end]...)
	}
	return dst, end
}

// appendViews appends the strings that views stand for.
func (p *bytePiece) appendViews(dst []string, views []arrow.ViewHeader) []string {
	for i := range views {
		dst = append(dst, p.view(&views[i]))
	}
	return dst
}

// view returns the string that v stands for. Short ones lie in the header itself,
// after their length (https://arrow.apache.org/docs/format/Columnar.html, Variable-size Binary View Layout).
func (p *bytePiece) view(v *arrow.ViewHeader) string {
	words := (*[4]int32)(unsafe.Pointer(v))
	n := int(words[0])
	if n <= 12 {
		return unsafe.String((*byte)(unsafe.Pointer(&words[1])), n)
	}
	from := int(words[3])
	return stringAt(p.more[words[2]], from, from+n)
}

func appendStrings[O int32 | int64](dst []string, data []byte, offsets []O) []string {
	from := int(offsets[0])
	for _, o := range offsets[1:] {
		to := int(o)
		dst = append(dst, stringAt(data, from, to))
		from = to
	}
	return dst
}
