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
func (s *style) timestamps(a *array.Timestamp) value {
	t := a.DataType().(*arrow.TimestampType)
	years, middle, end := civil.Signed, byte(' '), `"`
	switch {
	case s.pandas:
		years, middle = civil.Padded, 'T'
		if t.TimeZone != "" {
			end = `Z"`
		}
	case t.TimeZone != "": // UTC
		middle, end = 'T', `+00:00"`
	}
	ticks, decimals := perSecond(t.Unit), s.decimals
	cut, scale := int64(1), int64(1) // ticks in the last decimal, or such decimals in a tick
	if decimals >= 0 {
		for d := decimals; d < decimalsOf(ticks); d += 3 {
			cut *= 1000
		}
		for d := decimalsOf(ticks); d < decimals; d += 3 {
			scale *= 1000
		}
	}
	v := a.Values()
	day := int64(math.MinInt64) // no day that a timestamp can be in
	var text []byte
	return func(b []byte, row int) []byte {
		second, fraction := secondOf(int64(v[row]), t.Unit)
		d, clock := floor(second, civil.SecondsPerDay)
		if d != day {
			day = d
			text = append(civil.AppendDate(append(text[:0], '"'), d, years), middle)
		}
		b = civil.AppendClock(append(b, text...), int(clock))
		switch {
		case decimals < 0:
			b = appendFraction(b, fraction, ticks)
		case decimals > 0:
			b = number.AppendPadded(append(b, '.'), uint64(fraction/cut*scale), decimals)
		}
		return append(b, end...)
	}
}

// durations is the value of a column of durations, as Rust's chrono writes them: with
// as few decimals of a second as they need.
func (s *style) durations(a *array.Duration) value {
	ticks := perSecond(a.DataType().(*arrow.DurationType).Unit)
	v := a.Values()
	if s.pandas {
		return func(b []byte, row int) []byte { return appendParts(b, int64(v[row]), ticks) }
	}
	return func(b []byte, row int) []byte {
		t := int64(v[row])
		if t == 0 {
			return append(b, `"P0D"`...)
		}
		b = append(b, '"')
		abs := uint64(t)
		if t < 0 {
			b, abs = append(b, '-'), -abs
		}
		seconds := abs / uint64(ticks)
		b = number.AppendUint(append(b, "PT"...), seconds)
		if fraction := abs - seconds*uint64(ticks); fraction > 0 {
			b = number.AppendPadded(append(b, '.'), fraction, decimalsOf(ticks))
			for b[len(b)-1] == '0' {
				b = b[:len(b)-1]
			}
		}
		return append(b, `S"`...)
	}
}

// appendParts appends a duration as pandas does: days, of which there may be less than
// none, and what is beyond them.
func appendParts(b []byte, t, ticks int64) []byte {
	second, fraction := floor(t, ticks)
	day, clock := floor(second, civil.SecondsPerDay)
	b = number.AppendInt(append(b, `"P`...), day)
	b = number.AppendUint(append(b, "DT"...), uint64(clock/3600))
	b = number.AppendUint(append(b, 'H'), uint64(clock/60%60))
	b = number.AppendUint(append(b, 'M'), uint64(clock%60))
	return append(appendFraction(b, fraction, ticks), `S"`...)
}

// appendFraction appends what is beyond the second, with as few decimals of 0, 3,
// 6 and 9 as it needs, as Rust's chrono does.
func appendFraction(b []byte, fraction, ticks int64) []byte {
	if fraction == 0 {
		return b
	}
	decimals := decimalsOf(ticks)
	for fraction%1000 == 0 {
		fraction /= 1000
		decimals -= 3
	}
	return number.AppendPadded(append(b, '.'), uint64(fraction), decimals)
}

// decimalsOf are those of a second that so many ticks make.
func decimalsOf(ticks int64) int {
	decimals := 0
	for ; ticks > 1; ticks /= 1000 {
		decimals += 3
	}
	return decimals
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

// secondOf returns the second that a timestamp is in, and the ticks since it
// began. The divisors are constants, which takes a fraction of the time.
func secondOf(t int64, unit arrow.TimeUnit) (second, fraction int64) {
	switch unit {
	case arrow.Second:
		return t, 0
	case arrow.Millisecond:
		return floor(t, 1e3)
	case arrow.Microsecond:
		return floor(t, 1e6)
	}
	return floor(t, 1e9)
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
		if ticks == 1e9 {
			return -1 // 1677 to 2262
		}
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
