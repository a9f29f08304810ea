package civil

import (
	"testing"
	"time"
)

func TestDate(t *testing.T) {
	day := time.Date(-3000, 1, 1, 0, 0, 0, 0, time.UTC)
	for ; day.Year() < 13000; day = day.AddDate(0, 0, 13) {
		days := day.Unix() / SecondsPerDay
		if y, m, d := Date(days); y != int64(day.Year()) || m != int(day.Month()) || d != day.Day() {
			t.Fatalf("%d: got %d-%d-%d, want %s", days, y, m, d, day)
		}
	}
	// The ends of datetime64[s]: https://numpy.org/doc/stable/reference/arrays.datetime.html
	if y, m, d := Date(9223372036854775807 / SecondsPerDay); y != 292277026596 || m != 12 || d != 4 {
		t.Errorf("got %d-%d-%d", y, m, d)
	}
}

func TestAppendDate(t *testing.T) {
	for _, c := range []struct {
		year                     int
		padded, unpadded, signed string
	}{
		{2024, "2024-03-09", "2024-03-09", "2024-03-09"},
		{1000, "1000-03-09", "1000-03-09", "1000-03-09"},
		{999, "0999-03-09", "999-03-09", "0999-03-09"},
		{10, "0010-03-09", "10-03-09", "0010-03-09"},
		{1, "0001-03-09", "1-03-09", "0001-03-09"},
		{0, "0000-03-09", "0-03-09", "0000-03-09"},
		{-1, "-001-03-09", "-1-03-09", "-0001-03-09"},
		{-44, "-044-03-09", "-44-03-09", "-0044-03-09"},
		{-4400, "-4400-03-09", "-4400-03-09", "-4400-03-09"},
		{9999, "9999-03-09", "9999-03-09", "9999-03-09"},
		{12024, "12024-03-09", "12024-03-09", "+12024-03-09"},
	} {
		seconds := time.Date(c.year, 3, 9, 0, 0, 0, 0, time.UTC).Unix()
		for years, want := range []string{c.padded, c.unpadded, c.signed} {
			if got := string(AppendDate(nil, seconds/SecondsPerDay, Years(years))); got != want {
				t.Errorf("style %d: got %s, want %s", years, got, want)
			}
		}
	}
}

func TestAppendClock(t *testing.T) {
	for s, want := range map[int]string{0: "00:00:00", 86399: "23:59:59", 3661: "01:01:01"} {
		if got := string(AppendClock(nil, s)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
