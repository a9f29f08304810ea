package json

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode/internal/civil"
	"github.com/seojaeohcode/atio/core/encode/internal/number"
)

func dates(v []arrow.Date32) value {
	day := math.MinInt
	var text []byte
	return func(b []byte, row int) []byte {
		if d := int(v[row]); d != day {
			day = d
			text = append(civil.AppendDate(append(text[:0], '"'), int64(d), civil.Signed), '"')
		}
		return append(b, text...)
	}
}

// times is the value of a column of times of day.
func times(a *array.Time64) value {
	ticks := perSecond(a.DataType().(*arrow.Time64Type).Unit)
	return func(b []byte, row int) []byte {
		t := int64(a.Value(row))
		b = civil.AppendClock(append(b, '"'), int(t/ticks))
		return append(appendFraction(b, t%ticks, ticks), '"')
	}
}

// timestamps is the value of a column of timestamps. In many columns neighbours
// fall on the same day, whose text is kept.
func timestamps(a *array.Timestamp) value {
	ticks := perSecond(a.DataType().(*arrow.TimestampType).Unit)
	v := a.Values()
	day := int64(math.MinInt64) // no day that a timestamp can be in
	var text []byte
	return func(b []byte, row int) []byte {
		second, fraction := floor(int64(v[row]), ticks)
		d, clock := floor(second, civil.SecondsPerDay)
		if d != day {
			day = d
			text = append(civil.AppendDate(append(text[:0], '"'), d, civil.Signed), ' ')
		}
		b = civil.AppendClock(append(b, text...), int(clock))
		return append(appendFraction(b, fraction, ticks), '"')
	}
}

// appendFraction appends what is beyond the second, with as few decimals of 0, 3,
// 6 and 9 as it needs, as Rust's chrono does.
func appendFraction(b []byte, fraction, ticks int64) []byte {
	if fraction == 0 {
		return b
	}
	decimals := 0
	for t := ticks; t > 1; t /= 1000 {
		decimals += 3
	}
	for fraction%1000 == 0 {
		fraction /= 1000
		decimals -= 3
	}
	return number.AppendPadded(append(b, '.'), uint64(fraction), decimals)
}

func perSecond(u arrow.TimeUnit) int64 {
	switch u {
	case arrow.Second:
		return 1
	case arrow.Millisecond:
		return 1e3
	case arrow.Microsecond:
		return 1e6
	}
	return 1e9
}

// floor divides, rounding down, and returns what remains.
func floor(t, by int64) (quotient, rest int64) {
	quotient = t / by
	if rest = t - quotient*by; rest < 0 {
		return quotient - 1, rest + by
	}
	return quotient, rest
}

// The calendar of Rust's chrono ends at these days: -262143-01-01 and
// +262142-12-31.
const firstDay, lastDay = -96465292, 95026236

// beyondCalendar returns the first of rows lo to hi whose date polars could not
// write, or -1. Those in lists and structs are written all the same.
func beyondCalendar(a arrow.Array, lo, hi int) int {
	var dayOf func(row int) int64
	switch a := a.(type) {
	case *array.Date32:
		dayOf = func(row int) int64 { return int64(a.Value(row)) }
	case *array.Timestamp:
		ticks := perSecond(a.DataType().(*arrow.TimestampType).Unit)
		dayOf = func(row int) int64 { return int64(a.Value(row)) / ticks / civil.SecondsPerDay }
	default:
		return -1
	}
	for row := lo; row < hi; row++ {
		if d := dayOf(row); (d <= firstDay || d >= lastDay) && a.IsValid(row) {
			return row
		}
	}
	return -1
}
