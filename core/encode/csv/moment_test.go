package csv

import (
	"errors"
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/seojaeohcode/atio/core/encode"
)

func TestResolution(t *testing.T) {
	const times = `["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-03 01:02:03", "2024-01-03 01:02:03.004", "2024-01-03 01:02:03.000004", null]`
	b := batchOf(t, memory.DefaultAllocator, col{"t", micros, times})
	wantText(t, &Options{Dialect: Pandas, NoHeader: true, ChunkRows: 2}, `2024-01-01
2024-01-02
2024-01-03 00:00:00
2024-01-03 01:02:03
2024-01-03 01:02:03.004000
2024-01-03 01:02:03.000004
""
`, b)
	wantText(t, &Options{Dialect: Pandas, NoHeader: true}, `2024-01-01 00:00:00.000000
2024-01-02 00:00:00.000000
2024-01-03 00:00:00.000000
2024-01-03 01:02:03.000000
2024-01-03 01:02:03.004000
2024-01-03 01:02:03.000004
""
`, b)
	for _, c := range []struct {
		unit arrow.TimeUnit
		last string
		want string
	}{
		{arrow.Second, "2024-01-03", "2024-01-03"},
		{arrow.Second, "2024-01-03 00:00:01", "2024-01-03 00:00:01"},
		{arrow.Millisecond, "2024-01-03 00:00:01", "2024-01-03 00:00:01"},
		{arrow.Millisecond, "2024-01-03 00:00:00.001", "2024-01-03 00:00:00.001"},
		{arrow.Nanosecond, "2024-01-03", "2024-01-03"},
		{arrow.Nanosecond, "2024-01-03 00:00:00.001", "2024-01-03 00:00:00.001"},
		{arrow.Nanosecond, "2024-01-03 00:00:00.000001", "2024-01-03 00:00:00.000001"},
		{arrow.Nanosecond, "1969-12-31 23:59:59.999999999", "1969-12-31 23:59:59.999999999"},
	} {
		b := batchOf(t, memory.DefaultAllocator, col{"t", &arrow.TimestampType{Unit: c.unit}, `[null, "` + c.last + `"]`})
		wantText(t, &Options{Dialect: Pandas, NoHeader: true, Null: "-"}, "-\n"+c.want+"\n", b)
	}
}

func TestCalendarOfPolars(t *testing.T) {
	b := array.NewTimestampBuilder(memory.DefaultAllocator, micros)
	b.AppendValues([]arrow.Timestamp{0, math.MaxInt64}, nil)
	a := b.NewArray()
	batch := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "t", Type: micros}}, nil), []arrow.Array{a}, 2)
	_, err := write(&Options{}, batch)
	var bad *encode.ValueError
	if !errors.As(err, &bad) || bad.Column != "t" || bad.Row != 1 {
		t.Errorf("got %v", err)
	}
	wantText(t, &Options{Dialect: Pandas, NoHeader: true}, "1970-01-01 00:00:00.000000\n294247-01-10 04:00:54.775807\n", batch)
}
