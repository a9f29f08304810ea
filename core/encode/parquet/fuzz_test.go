package parquet

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
)

// FuzzRoundTrip writes random rows of some random types with random options and
// reads them back.
func FuzzRoundTrip(f *testing.F) {
	f.Add(uint64(1), uint16(10), uint8(50), uint16(3), uint16(100), uint8(0))
	f.Add(uint64(2), uint16(9000), uint8(0), uint16(0), uint16(0), uint8(255))
	f.Add(uint64(3), uint16(0), uint8(255), uint16(1), uint16(1), uint8(7))
	all := allTypes().Fields()
	names := []string{"", "none", "zstd", "gzip", "lz4"}
	f.Fuzz(func(t *testing.T, seed uint64, rows uint16, nulls uint8, group, page uint16, flags uint8) {
		r := rand.New(rand.NewPCG(seed, 0))
		var fields []arrow.Field
		for range 1 + r.IntN(4) {
			fields = append(fields, all[r.IntN(len(all))])
		}
		schema := arrow.NewSchema(fields, nil)
		on, dictionary := flags&1 == 0, flags&2 == 0
		o := Options{
			Compression: names[int(flags>>5)%len(names)], RowGroupSize: int64(group), DataPageSize: int64(page),
			Statistics: &on, Dictionary: &dictionary, DecimalAsInteger: flags&4 == 0, LargeForViews: flags&8 == 0,
			DataPageV2: flags&16 != 0, PageChecksums: flags&16 != 0,
		}
		if group > 0 && int(rows)/int(group) > 200 {
			t.Skip("too many row groups to be quick")
		}
		whole := randomBatch(r, schema, int(rows), float64(nulls)/255)
		var pieces []arrow.RecordBatch
		for from := int64(0); from < whole.NumRows(); {
			n := min(1+r.Int64N(int64(rows)), whole.NumRows()-from)
			pieces = append(pieces, whole.NewSlice(from, from+n))
			from += n
		}
		checkRead(t, encodeAll(t, o, schema, pieces...), whole)
	})
}

// FuzzCheck has Check look at files that are not whole.
func FuzzCheck(f *testing.F) {
	schema := allTypes()
	batch := randomBatch(rand.New(rand.NewPCG(1, 1)), schema, 5, 0.2)
	f.Add(encodeAll(f, Options{}, schema, batch), int64(5))
	f.Add([]byte("PAR1\x00\x00\x00\x00PAR1"), int64(0))
	f.Fuzz(func(_ *testing.T, data []byte, rows int64) {
		_ = Options{}.Check(bytes.NewReader(data), int64(len(data)), rows)
	})
}
