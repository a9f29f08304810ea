// Package civil turns counts of days and seconds into calendar dates and clock
// times of the proleptic Gregorian calendar, and appends them to byte slices.
package civil

import "github.com/seojaeohcode/atio/core/encode/internal/number"

// SecondsPerDay is the length of a day; there are no leap seconds.
const SecondsPerDay = 86400

// FloorDiv is a/b rounded down, as the day or second is of a time before 1970.
func FloorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Years says how years are written that do not have four digits.
type Years int

// The ways to write years.
const (
	Padded   Years = iota // at least four characters with the sign: 0044, -044, 12024
	Unpadded              // no leading zeros: 44, -44, 12024
	Signed                // four digits, else a sign and at least four: 0044, -0044, +12024
)

// Date returns the date that lies days after 1970-01-01. Any count within a
// quarter of the int64 range is right.
//
// The method is Howard Hinnant's days_from_civil, inverted
// (https://howardhinnant.github.io/date_algorithms.html): years begin in March,
// so that the leap day is the last of a year, and 400 of them make an era.
func Date(days int64) (year int64, month, day int) {
	const era = 146097
	days += 719468 // from 0000-03-01
	n := days / era
	if days%era < 0 {
		n--
	}
	ofEra := uint32(days - n*era)
	yearOfEra := (ofEra - ofEra/1460 + ofEra/36524 - ofEra/146096) / 365
	ofYear := ofEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	m := (5*ofYear + 2) / 153 // months since March
	day = int(ofYear - (153*m+2)/5 + 1)
	year = int64(yearOfEra) + n*400
	if m < 10 {
		return year, int(m) + 3, day
	}
	return year + 1, int(m) - 9, day
}

// AppendDate appends the date that lies days after 1970-01-01, as 2006-01-02.
func AppendDate(b []byte, days int64, years Years) []byte {
	year, month, day := Date(days)
	b = appendYear(b, year, years)
	b = number.AppendPadded(append(b, '-'), uint64(month), 2)
	return number.AppendPadded(append(b, '-'), uint64(day), 2)
}

func appendYear(b []byte, year int64, years Years) []byte {
	if year >= 1000 && year <= 9999 {
		return number.AppendPadded(b, uint64(year), 4)
	}
	magnitude, width := uint64(year), 4
	switch {
	case year < 0:
		b = append(b, '-')
		magnitude = -magnitude
		if years == Padded {
			width = 3
		}
	case year > 9999 && years == Signed:
		b = append(b, '+')
	}
	for limit := uint64(10); years != Unpadded && width > 1; limit *= 10 {
		if width--; magnitude < limit {
			b = append(b, '0')
		}
	}
	return number.AppendUint(b, magnitude)
}

// AppendClock appends a time of day in seconds, as 15:04:05.
func AppendClock(b []byte, seconds int) []byte {
	s := uint32(seconds)
	h, m := s/3600, s/60%60
	s %= 60
	return append(b, tens(h), ones(h), ':', tens(m), ones(m), ':', tens(s), ones(s))
}

func tens(v uint32) byte { return byte('0' + v/10) }
func ones(v uint32) byte { return byte('0' + v%10) }
