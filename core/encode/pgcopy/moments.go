package pgcopy

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode/internal/civil"
)

// The server counts from the year 2000.
const (
	epochDays    = 10957
	daySeconds   = 86400
	dayMicros    = daySeconds * 1_000_000
	epochMicros  = epochDays * dayMicros
	minTimestamp = -211813488000000000 // 4714-11-24 BC
	maxTimestamp = 9223371331200000000 // 294277-01-01
	minDate      = -2451545
	maxDate      = 2145031949 // 5874898-01-01
)

// momentField takes dates, times, timestamps and durations. What would depend on
// the session's time zone is not taken.
func momentField(t arrow.DataType, to Type) maker {
	switch t := t.(type) {
	case *arrow.Date32Type:
		return days(to, func(a arrow.Array) func(int) int64 {
			v := a.(*array.Date32).Date32Values()
			return func(i int) int64 { return int64(v[i]) }
		})
	case *arrow.Date64Type:
		return days(to, func(a arrow.Array) func(int) int64 {
			v := a.(*array.Date64).Date64Values()
			return func(i int) int64 { return civil.FloorDiv(int64(v[i]), daySeconds*1000) }
		})
	case *arrow.Time32Type:
		if to != Time {
			return nil
		}
		unit := perUnit(t.Unit)
		return func(a arrow.Array) field {
			v := a.(*array.Time32).Time32Values()
			return func(b []byte, i int) ([]byte, error) { return appendInt8(b, int64(v[i])*unit), nil }
		}
	case *arrow.Time64Type:
		if to != Time {
			return nil
		}
		return func(a arrow.Array) field {
			v := a.(*array.Time64).Time64Values()
			return func(b []byte, i int) ([]byte, error) {
				if t.Unit == arrow.Nanosecond {
					return appendInt8(b, int64(v[i])/1000), nil
				}
				return appendInt8(b, int64(v[i])), nil
			}
		}
	case *arrow.TimestampType:
		return timestamps(t, to)
	case *arrow.DurationType:
		if to != Interval {
			return nil
		}
		return func(a arrow.Array) field {
			v := a.(*array.Duration).DurationValues()
			return func(b []byte, i int) ([]byte, error) {
				us, ok := micros(int64(v[i]), t.Unit)
				if !ok {
					return nil, errRange
				}
				// Microseconds, days, months: a difference has whole days, as in Python.
				d := us / dayMicros
				b = binary.BigEndian.AppendUint64(append(b, 0, 0, 0, 16), uint64(us-d*dayMicros))
				b = binary.BigEndian.AppendUint32(b, uint32(int32(d)))
				return append(b, 0, 0, 0, 0), nil
			}
		}
	}
	return nil
}

func days(to Type, read func(arrow.Array) func(int) int64) maker {
	switch to {
	case Date:
		return func(a arrow.Array) field {
			get := read(a)
			return func(b []byte, i int) ([]byte, error) { return appendDate(b, get(i)) }
		}
	case Timestamp:
		return func(a arrow.Array) field {
			get := read(a)
			return func(b []byte, i int) ([]byte, error) {
				d := get(i)
				if d > math.MaxInt64/dayMicros || d < math.MinInt64/dayMicros {
					return nil, errRange
				}
				return appendTimestamp(b, d*dayMicros)
			}
		}
	}
	return nil
}

func appendDate(b []byte, d int64) ([]byte, error) {
	if d -= epochDays; d < minDate || d >= maxDate {
		return nil, errRange
	}
	return appendInt4(b, d), nil
}

func appendTimestamp(b []byte, us int64) ([]byte, error) {
	if us < minTimestamp+epochMicros || us-epochMicros >= maxTimestamp {
		return nil, errRange
	}
	return appendInt8(b, us-epochMicros), nil
}

func timestamps(t *arrow.TimestampType, to Type) maker {
	aware := t.TimeZone != ""
	if to == Timestamp && aware || to == TimestampTZ && !aware || to == Date && aware {
		return nil
	}
	if to != Timestamp && to != TimestampTZ && to != Date {
		return nil
	}
	return func(a arrow.Array) field {
		v := a.(*array.Timestamp).TimestampValues()
		return func(b []byte, i int) ([]byte, error) {
			us, ok := micros(int64(v[i]), t.Unit)
			if !ok {
				return nil, errRange
			}
			if to == Date {
				return appendDate(b, civil.FloorDiv(us, dayMicros))
			}
			return appendTimestamp(b, us)
		}
	}
}

// perUnit is how many microseconds a unit has, 0 for nanoseconds.
func perUnit(u arrow.TimeUnit) int64 {
	switch u {
	case arrow.Second:
		return 1_000_000
	case arrow.Millisecond:
		return 1000
	case arrow.Microsecond:
		return 1
	}
	return 0
}

// micros is v in microseconds, nanoseconds cut off, if that fits.
func micros(v int64, u arrow.TimeUnit) (int64, bool) {
	per := perUnit(u)
	if per == 0 {
		return civil.FloorDiv(v, 1000), true
	}
	us := v * per
	return us, us/per == v
}
