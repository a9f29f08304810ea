package csv

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/civil"
	"github.com/seojaeohcode/atio/core/encode/internal/number"
)

// resolution is how finely timestamps are written.
type resolution struct {
	days     bool // the date alone
	decimals int  // of seconds: 0, 3, 6 or 9
}

func perSecond(u arrow.TimeUnit) (ticks int64, decimals int) {
	switch u {
	case arrow.Second:
		return 1, 0
	case arrow.Millisecond:
		return 1e3, 3
	case arrow.Microsecond:
		return 1e6, 6
	}
	return 1e9, 9
}

// resolutionOf returns the resolution that pandas writes rows lo to hi of a
// column of timestamps with: dates alone if all are midnights, else as many
// decimals as the finest one needs, in steps of three. It is that of
// pandas._libs.tslibs.vectorized's is_date_array_normalized and get_resolution.
func resolutionOf(c *column, lo, hi int) resolution {
	a, ok := c.array.(*array.Timestamp)
	if !ok {
		return resolution{}
	}
	second, finest := perSecond(a.DataType().(*arrow.TimestampType).Unit)
	res := resolution{days: true}
	// What divides all timestamps so far need not be looked at again.
	step := second * civil.SecondsPerDay
	v := a.Values()
	for i := lo; i < hi && (res.days || res.decimals < finest); i++ {
		t := int64(v[i])
		if t%step == 0 || c.nulls && !c.valid.At(i) {
			continue
		}
		if res.days {
			res.days, step = false, second
		}
		for ; t%step != 0; step /= 1000 {
			res.decimals += 3
		}
	}
	return res
}

func (s *style) dates(v []arrow.Date32) cell {
	day := math.MinInt
	var text []byte
	return func(b []byte, row int) []byte {
		if d := int(v[row]); d != day {
			day, text = d, civil.AppendDate(text[:0], int64(d), s.years)
		}
		return append(b, text...)
	}
}

// timestamps is the cell of a column of timestamps. In many columns neighbours
// fall on the same day, whose text is kept.
func (s *style) timestamps(a *array.Timestamp, res resolution) cell {
	unit := a.DataType().(*arrow.TimestampType).Unit
	_, finest := perSecond(unit)
	if !s.pandas {
		res = resolution{decimals: finest}
	}
	cut := int64(1) // ticks in the last decimal written
	for d := finest; d > res.decimals; d -= 3 {
		cut *= 1000
	}
	v := a.Values()
	day := int64(math.MinInt64) // no day that a timestamp can be in
	var text []byte
	return func(b []byte, row int) []byte {
		second, fraction := secondOf(int64(v[row]), unit)
		d := second / civil.SecondsPerDay
		clock := second - d*civil.SecondsPerDay
		if clock < 0 {
			d, clock = d-1, clock+civil.SecondsPerDay
		}
		if d != day {
			day, text = d, append(civil.AppendDate(text[:0], d, s.years), s.dateTime)
		}
		b = append(b, text...)
		if res.days {
			return b[:len(b)-1]
		}
		b = civil.AppendClock(b, int(clock))
		if res.decimals == 0 {
			return b
		}
		if cut > 1 {
			fraction /= cut
		}
		return number.AppendPadded(append(b, '.'), uint64(fraction), res.decimals)
	}
}

// secondOf returns the second that a timestamp is in, and the ticks since it
// began. The divisors are constants, which takes a fraction of the time.
func secondOf(t int64, unit arrow.TimeUnit) (second, fraction int64) {
	ticks := int64(1)
	switch unit {
	case arrow.Second:
		return t, 0
	case arrow.Millisecond:
		second, ticks = t/1e3, 1e3
	case arrow.Microsecond:
		second, ticks = t/1e6, 1e6
	default:
		second, ticks = t/1e9, 1e9
	}
	fraction = t - second*ticks
	if fraction < 0 {
		return second - 1, fraction + ticks
	}
	return second, fraction
}

// The calendar that polars writes dates in, Rust's chrono, ends at these days:
// -262143-01-01 and +262142-12-31.
const firstDay, lastDay = -96465292, 95026236

// checkCalendar returns an error if polars could not write one of rows lo to hi.
// base is the number of the batch's first row.
func checkCalendar(c *column, lo, hi int, base int64) error {
	var at func(i int) int64
	switch a := c.array.(type) {
	case *array.Date32:
		v := a.Date32Values()
		at = func(i int) int64 { return int64(v[i]) }
	case *array.Timestamp:
		second, _ := perSecond(a.DataType().(*arrow.TimestampType).Unit)
		if second == 1e9 {
			return nil // 1677 to 2262
		}
		v, ticks := a.Values(), second*civil.SecondsPerDay
		at = func(i int) int64 { return int64(v[i]) / ticks }
	case *array.Dictionary:
		return checkCalendar(c.dict.values, 0, c.dict.values.array.Len(), -1)
	default:
		return nil
	}
	for i := lo; i < hi; i++ {
		if d := at(i); (d <= firstDay || d >= lastDay) && (!c.nulls || c.valid.At(i)) {
			row := int64(-1)
			if base >= 0 {
				row = base + int64(i)
			}
			return &encode.ValueError{Format: format, Column: c.name, Row: row, Reason: "its year is beyond the calendar, which has 262142 years before and after 0"}
		}
	}
	return nil
}
