package excel

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

const secondsPerDay = 86400

// In the 1900 date system day 1 is 1900-01-01, and day 60 a 29 February that there
// was not, so that days up to then count from another day than those after it (ECMA-376
// part 1, section 18.17.4.1). The last one is 9999-12-31.
const (
	epoch    = 25569 // what to add to days since 1970-01-01, from 1900-03-01 on
	leapDay  = 60
	firstDay = 1 + 1 - epoch
	lastDay  = 2958465 - epoch
)

// serialOf is the number of a day that lies days after 1970-01-01.
func serialOf(days int64) int64 {
	if n := days + epoch; n > leapDay {
		return n
	}
	return days + epoch - 1
}

// ticksPerSecond of a unit.
func ticksPerSecond(u arrow.TimeUnit) int64 {
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

// fractionOf is a time of day in days, with microseconds as Python has them.
func fractionOf(ticks, perSecond int64) float64 {
	second := ticks / perSecond
	rest := ticks - second*perSecond
	if perSecond > 1e6 {
		rest, perSecond = rest/(perSecond/1e6), 1e6
	}
	return (float64(second) + float64(rest)/float64(perSecond)) / secondsPerDay
}

// split divides a moment into a day, counted down to minus infinity, and the ticks
// since it began.
func split(t, perDay int64) (day, ticks int64) {
	day = t / perDay
	ticks = t - day*perDay
	if ticks < 0 {
		return day - 1, ticks + perDay
	}
	return day, ticks
}

// timestampOf is the number of a moment, in days.
func timestampOf(t, perSecond int64) float64 {
	day, ticks := split(t, perSecond*secondsPerDay)
	return float64(serialOf(day)) + fractionOf(ticks, perSecond)
}

// durationOf is a length of time in days.
func durationOf(t, perSecond int64) float64 {
	day, ticks := split(t, perSecond*secondsPerDay)
	return float64(day) + fractionOf(ticks, perSecond)
}

// beyondCalendar returns the first of rows lo to hi whose moment Excel has no number
// for, -1 if there is none.
func beyondCalendar(a arrow.Array, lo, hi int) int {
	var dayAt func(i int) int64
	switch a := a.(type) {
	case *array.Date32:
		v := a.Date32Values()
		dayAt = func(i int) int64 { return int64(v[i]) }
	case *array.Timestamp:
		v, perDay := a.Values(), ticksPerSecond(a.DataType().(*arrow.TimestampType).Unit)*secondsPerDay
		dayAt = func(i int) int64 {
			day, _ := split(int64(v[i]), perDay)
			return day
		}
	default:
		return -1
	}
	for i := lo; i < hi; i++ {
		if d := dayAt(i); (d < firstDay || d > lastDay) && a.IsValid(i) {
			return i
		}
	}
	return -1
}
