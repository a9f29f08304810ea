package excel

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The limits of a sheet
// (https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3).
const (
	MaxRows    = 1 << 20
	MaxColumns = 1 << 14
	MaxText    = 32767 // UTF-16 units in a cell
	maxName    = 31    // of a sheet
)

// CheckSheetName says what is wrong with the name of a sheet, if anything is.
func CheckSheetName(name string) error {
	switch n := utf16Length(name); {
	case n == 0:
		return errors.New("a sheet needs a name")
	case n > maxName:
		return fmt.Errorf("the name of a sheet has at most %d characters, and this has %d", maxName, n)
	}
	if i := strings.IndexAny(name, `[]:*?/\`); i >= 0 {
		return fmt.Errorf("the name of a sheet cannot hold %q", name[i])
	}
	for _, c := range name {
		if c < ' ' || c == utf8.RuneError || c == 0xfffe || c == 0xffff {
			return fmt.Errorf("the name of a sheet cannot hold %q", c)
		}
	}
	if name[0] == '\'' || name[len(name)-1] == '\'' {
		return errors.New("the name of a sheet cannot begin or end with an apostrophe")
	}
	if strings.EqualFold(name, "history") {
		return errors.New("the name of a sheet cannot be History, which Excel keeps for itself")
	}
	return nil
}

func checkPlace(row, column int) error {
	switch {
	case row < 0 || row >= MaxRows:
		return fmt.Errorf("row %d is outside the sheet, which has %d", row+1, MaxRows)
	case column < 0 || column >= MaxColumns:
		return fmt.Errorf("column %d is outside the sheet, which has %d", column+1, MaxColumns)
	}
	return nil
}

// utf16Length is how many UTF-16 units a text has, in which Excel counts.
func utf16Length(s string) int {
	n := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 0xf0:
			n += 2 // beyond the basic plane
		case c < 0x80 || c >= 0xc0:
			n++
		}
	}
	return n
}

// columnName is A, B, ... Z, AA, AB, ...
func columnName(column int) string {
	var b [4]byte
	at := len(b)
	for column++; column > 0; column = (column - 1) / 26 {
		at--
		b[at] = byte('A' + (column-1)%26)
	}
	return string(b[at:])
}

func cellName(row, column int) string { return columnName(column) + strconv.Itoa(row+1) }

// String is the range as Excel writes it, such as A1:B2.
func (r Range) String() string {
	return cellName(r.Row, r.Column) + ":" + cellName(r.LastRow, r.LastColumn)
}

// short is the same, but for a single cell just its name, such as A1.
func (r Range) short() string {
	if r.Row == r.LastRow && r.Column == r.LastColumn {
		return cellName(r.Row, r.Column)
	}
	return r.String()
}

// absolute is the range as names refer to it, such as $A$1:$B$2.
func (r Range) absolute() string {
	return fmt.Sprintf("$%s$%d:$%s$%d", columnName(r.Column), r.Row+1, columnName(r.LastColumn), r.LastRow+1)
}
