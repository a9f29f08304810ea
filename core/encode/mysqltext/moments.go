package mysqltext

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode/internal/civil"
	"github.com/seojaeohcode/atio/core/encode/internal/number"
)

const (
	daySeconds = 86400
	minDay     = -719162 // 0001-01-01
	maxDay     = 2932896 // 9999-12-31
)

var errYear = errors.New("its year is not in 1 to 9999")

// moments are written as by Python's clients: microseconds only if there are some,
// and what is finer cut off; the local time of a time zone, without it.
func (o *Options) moments(t arrow.DataType, to kind) maker {
	switch t := t.(type) {
	case *arrow.Date32Type:
		return o.days(to, func(a arrow.Array) func(int) int64 {
			v := a.(*array.Date32).Date32Values()
			return func(i int) int64 { return int64(v[i]) }
		})
	case *arrow.Date64Type:
		return o.days(to, func(a arrow.Array) func(int) int64 {
			v := a.(*array.Date64).Date64Values()
			return func(i int) int64 { return civil.FloorDiv(int64(v[i]), daySeconds*1000) }
		})
	case *arrow.TimestampType:
		return o.timestamps(t, to)
	case *arrow.Time32Type:
		return o.times(to, t.Unit, func(a arrow.Array) func(int) int64 {
			v := a.(*array.Time32).Time32Values()
			return func(i int) int64 { return int64(v[i]) }
		})
	case *arrow.Time64Type:
		return o.times(to, t.Unit, func(a arrow.Array) func(int) int64 {
			v := a.(*array.Time64).Time64Values()
			return func(i int) int64 { return int64(v[i]) }
		})
	case *arrow.DurationType:
		if to != integerKind {
			return nil
		}
		return durations(int64(t.Unit.Multiplier()))
	}
	return nil
}

func (o *Options) days(to kind, read func(arrow.Array) func(int) int64) maker {
	if to != dateKind && to != datetimeKind && to != textKind {
		return nil
	}
	return func(a arrow.Array) field {
		get := read(a)
		return o.quoted(func(b []byte, i int) ([]byte, error) {
			d := get(i)
			if d < minDay || d > maxDay {
				return b, errYear
			}
			return civil.AppendDate(b, d, civil.Padded), nil
		})
	}
}

func (o *Options) timestamps(t *arrow.TimestampType, to kind) maker {
	if to != datetimeKind && to != dateKind && to != textKind {
		return nil
	}
	offset, ok := offsets(t.TimeZone)
	if !ok {
		return nil
	}
	second := int64(time.Second / t.Unit.Multiplier())
	return func(a arrow.Array) field {
		v := a.(*array.Timestamp).TimestampValues()
		return o.quoted(func(b []byte, i int) ([]byte, error) {
			x := int64(v[i])
			s := civil.FloorDiv(x, second)
			micros := (x - s*second) * int64(t.Unit.Multiplier()) / 1000
			if offset != nil {
				s += offset(s)
			}
			d := civil.FloorDiv(s, daySeconds)
			if d < minDay || d > maxDay {
				return b, errYear
			}
			b = append(civil.AppendDate(b, d, civil.Padded), ' ')
			return appendClock(b, s-d*daySeconds, micros), nil
		})
	}
}

func appendClock(b []byte, seconds, micros int64) []byte {
	b = civil.AppendClock(b, int(seconds))
	if micros != 0 {
		b = number.AppendPadded(append(b, '.'), uint64(micros), 6)
	}
	return b
}

func (o *Options) times(to kind, unit arrow.TimeUnit, read func(arrow.Array) func(int) int64) maker {
	if to != timeKind && to != textKind {
		return nil
	}
	second := int64(time.Second / unit.Multiplier())
	return func(a arrow.Array) field {
		get := read(a)
		return o.quoted(func(b []byte, i int) ([]byte, error) {
			x := get(i)
			s := civil.FloorDiv(x, second)
			return appendClock(b, s, (x-s*second)*int64(unit.Multiplier())/1000), nil
		})
	}
}

// durations are nanoseconds, as by pandas.
func durations(unit int64) maker {
	return func(a arrow.Array) field {
		v := a.(*array.Duration).DurationValues()
		return func(b []byte, i int) ([]byte, error) {
			x := int64(v[i])
			if x > math.MaxInt64/unit || x < math.MinInt64/unit {
				return b, errors.New("out of range")
			}
			return number.AppendInt(b, x*unit), nil
		}
	}
}

// offsets returns how many seconds a time zone is before UTC at a time, nil if it
// is UTC or local time; not ok if the zone is not known.
func offsets(zone string) (offset func(seconds int64) int64, ok bool) {
	switch strings.ToUpper(zone) {
	case "", "UTC", "Z", "ETC/UTC", "GMT", "+00:00", "-00:00":
		return nil, true
	}
	var sign byte
	var h, m int
	if n, err := fmt.Sscanf(zone, "%c%02d:%02d", &sign, &h, &m); err == nil && n == 3 && (sign == '+' || sign == '-') && len(zone) == 6 {
		fixed := int64(h*3600 + m*60)
		if sign == '-' {
			fixed = -fixed
		}
		return func(int64) int64 { return fixed }, true
	}
	location, err := time.LoadLocation(zone)
	if err != nil {
		return nil, false
	}
	return func(seconds int64) int64 {
		_, offset := time.Unix(seconds, 0).In(location).Zone()
		return int64(offset)
	}, true
}
