package parquet

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/apache/arrow-go/v18/parquet"

	"github.com/seojaeohcode/atio/core/encode/parquet/internal/encoding"
)

const (
	// fewestSampled and mostSampled bound the number of values, an eighth of all,
	// that are encoded to see how small they become.
	fewestSampled = 512
	mostSampled   = 2048

	// sampleSpread is how many values from all over the chunk are looked at to
	// guess how many distinct ones there are.
	sampleSpread = 2048

	// sampleBytes is how many bytes of texts are enough of them.
	sampleBytes = 256 << 10

	// maxDictionaryPage bounds the dictionary page of a column that was not a
	// dictionary before, maxCategories that of one that was.
	maxDictionaryPage = 1 << 20
	maxCategories     = 1 << 30
)

// chooseEncoding decides how the column's values are encoded, by trying what
// there is on a sample. If that is a dictionary, it has been built.
func (w *workspace) chooseEncoding(c *column, pages *pageWriter) error {
	l, info := c.leaf, pages.info
	set := l.settings
	info.encoding = parquet.Encodings.Plain
	t := l.column.PhysicalType()
	wanted := set.encoding
	if c.coded {
		keep := wanted == nil && set.dictionary || wanted != nil && *wanted == parquet.Encodings.RLEDict
		if keep && w.dictionary.pageSize(t) <= maxCategories {
			info.encoding = parquet.Encodings.RLEDict
			return nil
		}
		w.decode(c)
		if t == parquet.Types.ByteArray && wanted == nil {
			return nil // Arrow C++ reads categories from no other encodings than these two
		}
	}
	if wanted != nil {
		info.encoding = *wanted
		if info.encoding == parquet.Encodings.RLEDict {
			return w.numberAll(c)
		}
		return nil
	}
	try := trial{w: w, pages: pages, dictionary: set.dictionary}
	var err error
	switch t {
	case parquet.Types.Int32:
		info.encoding, err = chooseForWords(&try, &w.dictionary.ints, c.ints, true)
	case parquet.Types.Float:
		info.encoding, err = chooseForWords(&try, &w.dictionary.ints, c.ints, false)
	case parquet.Types.Int64:
		info.encoding, err = chooseForWords(&try, &w.dictionary.longs, c.longs, true)
	case parquet.Types.Double:
		info.encoding, err = chooseForWords(&try, &w.dictionary.longs, c.longs, false)
	case parquet.Types.ByteArray:
		info.encoding, err = try.chooseForStrings(c)
	case parquet.Types.FixedLenByteArray:
		info.encoding, err = try.chooseForFixed(c)
	}
	return err
}

// trial finds out how many bits a value takes.
type trial struct {
	w          *workspace
	pages      *pageWriter
	dictionary bool // may be used
}

// workPerBit is how many bits a file may be larger for each bit that need not be
// compressed.
const workPerBit = 0.015

// bits returns what n values that encode appends cost: the number of bits per
// value after compression, and a little for the work of compressing them.
func (t *trial) bits(n int, encode func(dst []byte) []byte) (float64, error) {
	t.w.sample = encode(t.w.sample[:0])
	if _, err := t.w.compressedSize(t.pages.info.codec.quick(), t.w.sample); err != nil {
		return 0, err
	}
	return 8 * (float64(len(t.w.compressed)) + workPerBit*float64(len(t.w.sample))) / float64(n), nil
}

// chooseForWords returns the encoding of words. If it is a dictionary, d and the
// workspace's codes are filled.
func chooseForWords[W encoding.Word](t *trial, d *encoding.Dictionary[W], words []W, integers bool) (parquet.Encoding, error) {
	best := parquet.Encodings.Plain
	n := len(words)
	if n < 8 {
		return best, nil
	}
	distinct, limit := math.Inf(1), min(maxDictionaryPage/len(plainOf(words[:1])), n/2)
	if t.dictionary {
		distinct = guessDistinct(d, spread(words), n, limit)
	}
	mayHelp := distinct <= 1.2*float64(limit)
	if !integers && !mayHelp {
		return best, nil
	}
	run := sampleOf(words)
	cost, err := t.bits(len(run), func(dst []byte) []byte { return encoding.AppendPlain(dst, run) })
	if err != nil {
		return best, err
	}
	each := cost // of a value in the dictionary
	if integers {
		delta, err := t.bits(len(run), func(dst []byte) []byte { return encoding.AppendDelta(dst, run) })
		if err != nil {
			return best, err
		}
		// Where there is no difference, less to compress is less work; but packing is
		// work too.
		most := 0.97 * cost
		if len(t.w.sample) < 7*len(run)*int(unsafe.Sizeof(run[0]))/8 {
			most = 1.02 * cost
		}
		if delta < most {
			best, cost = parquet.Encodings.DeltaBinaryPacked, delta
		}
	}
	if !mayHelp {
		return best, nil
	}
	d.Reset()
	width := encoding.Width(max(0, int(distinct)-1))
	t.w.codes, _ = d.Append(t.w.codes[:0], run, len(run))
	codes, err := t.bits(len(run), func(dst []byte) []byte {
		return encoding.AppendHybrid(dst, t.w.codes, max(width, encoding.Width(len(d.Values)-1)))
	})
	d.Reset()
	if err != nil || codes+distinct*each/float64(n) >= 0.97*cost {
		return best, err
	}
	// The guess may be too low: a dictionary that costs more than it saves ends.
	limit = min(limit, 1+int(max(distinct, (cost-codes)*float64(n)/each)))
	all, ok := d.Append(t.w.codes[:0], words, limit)
	if !ok {
		d.Reset()
		return best, nil
	}
	t.w.codes, t.w.column.codes = all, all
	return parquet.Encodings.RLEDict, nil
}

func plainOf[W encoding.Word](words []W) []byte { return encoding.AppendPlain(nil, words) }

// sampleSize returns how many of n values are tried.
func sampleSize(n int) int {
	return min(n, max(fewestSampled, min(mostSampled, n/8)))
}

// sampleOf returns some values in a row from two places.
func sampleOf[T any](values []T) []T {
	size := sampleSize(len(values))
	if size == len(values) {
		return values
	}
	run := size / 2
	third := (len(values) - run) / 3
	return append(append(make([]T, 0, size), values[third:third+run]...), values[2*third:2*third+run]...)
}

// spread returns values from all over.
func spread[T any](values []T) []T {
	if len(values) <= sampleSpread {
		return values
	}
	out := make([]T, sampleSpread)
	for i := range out {
		out[i] = values[i*len(values)/sampleSpread]
	}
	return out
}

// guessDistinct returns how many distinct values there may be in all if spread is
// a random part of them, or infinity if there seem to be far more than limit.
func guessDistinct[W encoding.Word](d *encoding.Dictionary[W], spread []W, all, limit int) float64 {
	d.Reset()
	// Of so few no two are the same, once in exp(8) times, if there are 1.2 times as
	// many distinct values as limit; if there are fewer, more seldom. (The birthday problem.)
	if few := int(math.Sqrt(2 * 8 * 1.2 * float64(limit))); few < len(spread)/2 {
		var some [sampleSpread / 2]W
		for i := range few {
			some[i] = spread[i*len(spread)/few]
		}
		d.Append(nil, some[:few], few)
		if len(d.Values) == few {
			return math.Inf(1)
		}
	}
	d.Append(nil, spread, len(spread))
	return population(len(d.Values), len(spread), all)
}

// population guesses how many distinct ones there are among n values, if drawing
// so many of them gave so many distinct ones and all are equally frequent:
// distinct = all·(1 - exp(-drawn/all)).
func population(distinct, drawn, n int) float64 {
	if drawn >= n {
		return float64(distinct)
	}
	if distinct >= drawn {
		return math.Inf(1)
	}
	low, high := float64(distinct), float64(n)
	for range 50 {
		middle := (low + high) / 2
		if middle*-math.Expm1(-float64(drawn)/middle) < float64(distinct) {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// chooseForStrings is chooseForWords for byte arrays.
func (t *trial) chooseForStrings(c *column) (parquet.Encoding, error) {
	best := parquet.Encodings.Plain
	w, n := t.w, c.values
	if n < 8 {
		return best, nil
	}
	run, err := c.bytes.middle(make([]string, 0, sampleSize(n)), n)
	if err != nil {
		return best, err
	}
	run = firstBytes(run, sampleBytes)
	cost, err := t.bits(len(run), func(dst []byte) []byte {
		return w.appendStrings(dst, run, parquet.Encodings.DeltaLengthByteArray)
	})
	if err != nil {
		return best, err
	}
	best = parquet.Encodings.DeltaLengthByteArray
	each := cost + 8
	prefixed, err := t.bits(len(run), func(dst []byte) []byte {
		return w.appendStrings(dst, run, parquet.Encodings.DeltaByteArray)
	})
	if err != nil {
		return best, err
	}
	if prefixed < 0.9*cost { // it takes readers longer
		best, cost = parquet.Encodings.DeltaByteArray, prefixed
	}
	if !t.dictionary {
		return best, nil
	}
	d := &w.dictionary.strings
	sample := c.bytes.spread(n)
	d.Reset()
	d.Append(nil, sample)
	distinct, size := population(len(d.Values), len(sample), n), float64(d.Bytes)/float64(max(1, len(d.Values)))+4
	d.Reset()
	if distinct*size > 1.2*maxDictionaryPage || distinct > float64(n)/1.5 {
		return best, nil
	}
	w.codes = d.Append(w.codes[:0], run)
	width := encoding.Width(max(0, int(distinct)-1, len(d.Values)-1))
	codes, err := t.bits(len(run), func(dst []byte) []byte { return encoding.AppendHybrid(dst, w.codes, width) })
	d.Reset()
	if err != nil || codes+distinct*each/float64(n) >= 0.97*cost {
		return best, err
	}
	limit := 1 + int(max(distinct, (cost-codes)*float64(n)/each))
	ok, err := w.numberStrings(c, limit)
	if err != nil || !ok {
		d.Reset()
		return best, err
	}
	return parquet.Encodings.RLEDict, nil
}

// firstBytes returns the first of some values, two or more of so many bytes.
func firstBytes(values []string, size int) []string {
	for i, v := range values {
		if size -= len(v); size < 0 && i >= 1 {
			return values[:i+1]
		}
	}
	return values
}

// numberAll makes a dictionary of whatever the column holds.
func (w *workspace) numberAll(c *column) error {
	d := &w.dictionary
	var err error
	switch c.leaf.column.PhysicalType() {
	case parquet.Types.Int32, parquet.Types.Float:
		w.codes, _ = d.ints.Append(w.codes[:0], c.ints, c.values)
	case parquet.Types.Int64, parquet.Types.Double:
		w.codes, _ = d.longs.Append(w.codes[:0], c.longs, c.values)
	case parquet.Types.FixedLenByteArray:
		w.codes = d.addFixed(w.codes[:0], c.fixed, c.leaf.column.TypeLength())
		c.coded = true
	case parquet.Types.ByteArray:
		w.codes, err = d.addStrings(w.codes[:0], c.bytes.read(), make([]string, 0, stringBlock))
		c.coded = true
	}
	c.codes = w.codes
	if size := d.pageSize(c.leaf.column.PhysicalType()); err == nil && size > maxCategories {
		return fmt.Errorf("its dictionary would take %d bytes, and the limit is %d; use another encoding or smaller row groups", size, maxCategories)
	}
	return err
}

// numberStrings fills the dictionary and the column's codes. It gives up, and
// returns false, when there are more distinct values than limit or their page
// becomes too large.
func (w *workspace) numberStrings(c *column, limit int) (bool, error) {
	d := &w.dictionary.strings
	w.codes = w.codes[:0]
	block := make([]string, 0, stringBlock)
	for r := c.bytes.read(); ; {
		values, err := r.fill(block[:0])
		if err != nil {
			return false, err
		}
		if len(values) == 0 {
			c.codes, c.coded = w.codes, true
			return true, nil
		}
		w.codes = d.Append(w.codes, values)
		if len(d.Values) > limit || d.Bytes+4*len(d.Values) > maxDictionaryPage {
			return false, nil
		}
	}
}

// chooseForFixed is chooseForWords for fixed length byte arrays.
func (t *trial) chooseForFixed(c *column) (parquet.Encoding, error) {
	w, n, width := t.w, c.values, c.leaf.column.TypeLength()
	best := parquet.Encodings.Plain
	if !t.dictionary || n < 8 {
		return best, nil
	}
	d := &w.dictionary
	d.strings.Reset()
	step := max(1, n/sampleSpread)
	drawn := 0
	for i := 0; i < n; i += step {
		d.strings.Add(stringAt(c.fixed, i*width, (i+1)*width))
		drawn++
	}
	distinct := population(len(d.strings.Values), drawn, n)
	d.strings.Reset()
	// A guess without compression: decimals and hashes compress little.
	if distinct*float64(8*width)/float64(n)+float64(encoding.Width(int(min(distinct, 1e9)))) > 0.75*float64(8*width) {
		return best, nil
	}
	w.codes = w.codes[:0]
	for i := 0; i < n; i++ {
		w.codes = append(w.codes, d.strings.Add(stringAt(c.fixed, i*width, (i+1)*width)))
		if d.strings.Bytes > maxDictionaryPage || len(d.strings.Values) > n/2+1 {
			d.strings.Reset()
			return best, nil
		}
	}
	c.codes, c.coded = w.codes, true
	return parquet.Encodings.RLEDict, nil
}

// decode turns codes into the values they stand for.
func (w *workspace) decode(c *column) {
	d := &w.dictionary
	switch c.leaf.column.PhysicalType() {
	case parquet.Types.Int32, parquet.Types.Float:
		c.ints = lookUp(c.ints[:0], d.ints.Values, c.codes)
		d.ints.Reset()
	case parquet.Types.Int64, parquet.Types.Double:
		c.longs = lookUp(c.longs[:0], d.longs.Values, c.codes)
		d.longs.Reset()
	case parquet.Types.FixedLenByteArray:
		for _, code := range c.codes {
			c.fixed = append(c.fixed, d.strings.Values[code]...)
		}
		d.strings.Reset()
	case parquet.Types.ByteArray:
		at := make([]int, len(c.codes))
		for i, code := range c.codes {
			at[i] = int(code)
		}
		c.bytes.pieces = append(c.bytes.pieces, bytePiece{
			selection: selection{at: at},
			table:     append([]string(nil), d.strings.Values...),
		})
		d.strings.Reset()
	}
	c.coded = false
	w.keep()
}

func lookUp[W encoding.Word](dst, values []W, codes []uint32) []W {
	for _, code := range codes {
		dst = append(dst, values[code])
	}
	return dst
}

const (
	// levelSample is how many bytes of the first page, at most an eighth of it but
	// leastSample, are compressed at two levels of zstd, fewestBytes the size from
	// which on that is worth it.
	levelSample = 32 << 10
	leastSample = 8 << 10
	fewestBytes = 16 << 10
)

// chooseLevel takes zstd's level 1 for the chunk where the level asked for does
// not make noticeably less of the first page: numbers without repetitions become
// smaller by level 1 than by 3, in two thirds of the time, and hexadecimal digits
// in a fifth.
func (w *workspace) chooseLevel(pages *pageWriter, p *page) error {
	c := pages.info.codec
	values := p.body[p.rep+p.def:]
	if c.id != zstd || c.level <= 1 && !c.auto || len(values) < fewestBytes {
		return nil
	}
	sample := values[:min(len(values), max(leastSample, min(levelSample, len(values)/8)))]
	fast := codec{id: zstd, level: 1}
	quick, err := w.compressedSize(fast, sample)
	if err != nil {
		return err
	}
	choice := fast
	if c.auto {
		choice, err = w.autoCodec(pages.info, p, sample, quick)
	} else if size, e := w.compressedSize(c, sample); e != nil || quick > size+size/200 {
		choice, err = c, e
	}
	if err != nil {
		return err
	}
	pages.info.codec = choice
	pages.codec, err = w.encoder(choice)
	return err
}

// autoCodec returns the codec for a chunk whose first page is p, of which zstd's
// level 1 makes quick bytes of sample.
func (w *workspace) autoCodec(info *chunkInfo, p *page, sample []byte, quick int) (codec, error) {
	best, size := codec{id: zstd, level: 1}, quick
	if quick >= len(sample)-len(sample)/200 && info.dictionary == none {
		return codec{id: uncompressed}, nil
	}
	// How many times less there is to compress than if the values were PLAIN.
	less := float64(w.plainSize(p)) / float64(len(p.body))
	for _, higher := range []struct {
		level int
		time  float64 // of level 1, at most, on indices and differences
	}{{3, 2.5}, {6, 6}} {
		if less < higher.time {
			break
		}
		c := codec{id: zstd, level: higher.level}
		n, err := w.compressedSize(c, sample)
		if err != nil {
			return best, err
		}
		if n < size-size/200 {
			best, size = c, n
		}
	}
	return best, nil
}

// plainSize returns about how many bytes the values of p would take as PLAIN.
func (w *workspace) plainSize(p *page) int {
	n := p.entries - p.nulls
	if width := w.column.leaf.width(); width > 0 {
		return n * width
	}
	if d := &w.dictionary; d.len() > 0 {
		return n * (4 + d.strings.Bytes/d.len())
	}
	return len(p.body)
}

func (w *workspace) compressedSize(c codec, sample []byte) (int, error) {
	e, err := w.encoder(c)
	if err != nil {
		return 0, err
	}
	w.compressed, err = e.Append(w.compressed[:0], sample)
	return len(w.compressed), err
}
