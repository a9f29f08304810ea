package excel

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
)

const format = "excel"

// SheetKey is the key in the metadata of a schema that says which sheet the rows of
// its batches are for, by its name. Without it they are for the sheet at hand, at
// first the first one.
const SheetKey = "atio.sheet"

// Options chooses this format. The zero value is one sheet, "Sheet1", with the
// columns' names above them.
type Options struct {
	// Sheets come in this order, and so do their rows.
	Sheets []Sheet `json:"sheets"`
	// Formats are those that cells name by their numbers, from 1 on.
	Formats []Format `json:"formats"`
}

// Sheet is one sheet of a workbook. Rows and columns are counted from 0.
type Sheet struct {
	// Name has 1 to 31 UTF-16 units, none of []:*?/\ and no ' at its ends.
	Name string `json:"name"`
	// Row and Column are where the frame begins: its header, or its first row of
	// data if NoHeader is set.
	Row    int `json:"row"`
	Column int `json:"column"`
	// NoHeader leaves out the columns' names.
	NoHeader bool `json:"no_header"`
	// Cells are more cells, all above the first row of data, in order.
	Cells []Cell `json:"cells"`
	// Merges are ranges of cells, of which the first one's content is shown.
	Merges []Range `json:"merges"`
	// Columns say how each field of the schema is written; nil for the defaults.
	Columns []Column `json:"columns"`
	// Missing is the text of nulls; none if empty.
	Missing string `json:"missing"`
	// NaNIsMissing has NaN written as Missing, not as the error #NUM!.
	NaNIsMissing bool `json:"nan_is_missing"`
	// Infinity is the text of infinities, which have a minus if they are negative.
	// If empty, they are the error #DIV/0!.
	Infinity string `json:"infinity"`

	Freeze *Freeze `json:"freeze"`
	// Filter, if not nil, is a range whose first row has buttons to filter it. The
	// rows of data are added to its height.
	Filter        *Range  `json:"filter"`
	Widths        []Width `json:"widths"`
	Table         *Table  `json:"table"`
	HideGridlines bool    `json:"hide_gridlines"`
	Zoom          int     `json:"zoom"` // in percent; 0 for 100
}

// Cell is a cell that is not one of the rows of data.
type Cell struct {
	Row    int `json:"row"`
	Column int `json:"column"`
	// Text is a string, or the digits of a number, or 0 or 1 of a boolean.
	Text   string `json:"text"`
	Kind   Kind   `json:"kind"`
	Format int    `json:"format"`
}

// Kind says what the text of a [Cell] is.
type Kind string

// The kinds.
const (
	Text    Kind = ""
	Number  Kind = "number"
	Boolean Kind = "boolean"
)

// Range is a rectangle of cells, its ends included.
type Range struct {
	Row        int `json:"row"`
	Column     int `json:"column"`
	LastRow    int `json:"last_row"`
	LastColumn int `json:"last_column"`
}

// Column says how one field of the schema is written.
type Column struct {
	// Format is that of cells with a value, MissingFormat that of the others.
	Format        int `json:"format"`
	MissingFormat int `json:"missing_format"`
	// Decimals, if not nil, is to how many decimals floats are rounded.
	Decimals *int `json:"decimals"`
	// Else has the values of this field stand in the column of the field before,
	// where that has none. So a column can hold values of many types.
	Else bool `json:"else"`
	// Span says that this field, an int32, is no column: it says over how many rows, from
	// this one on, the cell of the field before is merged, and is 0 in those that it
	// covers. A merged cell cannot go on in the next batch.
	Span bool `json:"span"`
}

// Freeze keeps the first rows and columns in view.
type Freeze struct {
	Rows    int `json:"rows"`
	Columns int `json:"columns"`
	// Top and Left are the first row and column that are seen beside them.
	Top  int `json:"top"`
	Left int `json:"left"`
}

// Width is the width of a column in characters of the standard font.
type Width struct {
	Column int     `json:"column"`
	Width  float64 `json:"width"`
}

// Format returns "excel".
func (*Options) Format() string { return format }

// NewEncoder returns an encoder of schema onto w.
func (o *Options) NewEncoder(ctx context.Context, w io.Writer, schema *arrow.Schema, env encode.Env) (encode.Encoder, error) {
	sheets, err := o.sheets(schema)
	if err != nil {
		return nil, err
	}
	return newEncoder(ctx, w, o, sheets, env)
}

// sheets returns the sheets with their defaults filled in, if they can be written.
func (o *Options) sheets(schema *arrow.Schema) ([]Sheet, error) {
	sheets := append([]Sheet(nil), o.Sheets...)
	if len(sheets) == 0 {
		sheets = []Sheet{{Name: "Sheet1"}}
	}
	if len(sheets) == 1 && !sheets[0].NoHeader {
		sheets[0].header(schema.Fields())
	}
	seen := map[string]string{}
	for i := range sheets {
		s := &sheets[i]
		if err := CheckSheetName(s.Name); err != nil {
			return nil, optionError("sheets", s.Name, "%v", err)
		}
		folded := strings.ToLower(s.Name)
		if other, ok := seen[folded]; ok {
			return nil, optionError("sheets", s.Name, "there is %q already, and Excel sees no difference", other)
		}
		seen[folded] = s.Name
		if !s.NoHeader && len(sheets) > 1 {
			return nil, optionError("no_header", false, "with more than one sheet, headers are given as cells")
		}
		if err := o.checkNumbers(s); err != nil {
			return nil, err
		}
		if err := checkCells(s); err != nil {
			return nil, err
		}
	}
	first := &sheets[0]
	if name, ok := schema.Metadata().GetValue(SheetKey); ok {
		if first = sheetNamed(sheets, name); first == nil {
			return nil, optionError("sheets", name, "the schema names a sheet that is none of them")
		}
	}
	return sheets, first.checkSchema(schema)
}

func sheetNamed(sheets []Sheet, name string) *Sheet {
	for i := range sheets {
		if sheets[i].Name == name {
			return &sheets[i]
		}
	}
	return nil
}

// header adds the names of the fields that are columns above the rows.
func (s *Sheet) header(fields []arrow.Field) {
	column := s.Column
	for i, f := range fields {
		if i < len(s.Columns) && (s.Columns[i].Else || s.Columns[i].Span) {
			continue
		}
		s.Cells = append(s.Cells[:len(s.Cells):len(s.Cells)], Cell{Row: s.Row, Column: column, Text: f.Name})
		column++
	}
	s.Row++
}

// checkNumbers looks at the numbers of formats.
func (o *Options) checkNumbers(s *Sheet) error {
	ok := func(n int) bool { return n >= 0 && n <= len(o.Formats) }
	for _, c := range s.Cells {
		if !ok(c.Format) {
			return optionError("cells", c.Format, "there is no such format")
		}
	}
	for _, c := range s.Columns {
		if !ok(c.Format) || !ok(c.MissingFormat) {
			return optionError("columns", c.Format, "there is no such format")
		}
		if c.Decimals != nil && (*c.Decimals < 0 || *c.Decimals > 99) {
			return optionError("decimals", *c.Decimals, "it is from 0 to 99")
		}
	}
	if s.Table != nil {
		for _, c := range s.Table.Columns {
			if !ok(c.Format) {
				return optionError("table", c.Format, "there is no such format")
			}
		}
	}
	return nil
}

func checkCells(s *Sheet) error {
	if s.Row < 0 || s.Column < 0 {
		return optionError("row", s.Row, "rows and columns are counted from 0")
	}
	at := [2]int{0, -1}
	for _, c := range s.Cells {
		if c.Row < at[0] || c.Row == at[0] && c.Column <= at[1] || c.Row >= s.Row {
			return optionError("cells", cellName(c.Row, c.Column), "cells come in order, above the rows of data")
		}
		at = [2]int{c.Row, c.Column}
		if err := checkPlace(c.Row, c.Column); err != nil {
			return optionError("cells", c.Text, "%v", err)
		}
		if n := utf16Length(c.Text); n > MaxText {
			return optionError("cells", cellName(c.Row, c.Column), "its text has %d characters, and a cell holds %d", n, MaxText)
		}
	}
	return nil
}

// checkSchema says whether all fields can be written.
func (s *Sheet) checkSchema(schema *arrow.Schema) error {
	if s.Columns != nil && len(s.Columns) != schema.NumFields() {
		return optionError("columns", len(s.Columns), "the schema has %d fields", schema.NumFields())
	}
	column := s.Column - 1
	for i, f := range schema.Fields() {
		var how Column
		if s.Columns != nil {
			how = s.Columns[i]
		}
		if err := checkType(f.Name, f.Type); err != nil {
			return err
		}
		switch {
		case (how.Span || how.Else) && i == 0:
			return optionError("columns", i, "it refers to the field before, and there is none")
		case how.Span:
			if f.Type.ID() != arrow.INT32 {
				return optionError("columns", f.Name, "a span is an int32")
			}
			continue
		case how.Else:
			continue
		}
		column++
		if column >= MaxColumns {
			return &encode.ValueError{Format: format, Column: f.Name, Row: -1,
				Reason: fmt.Sprintf("it would be column %d of the sheet, which has %d", column+1, MaxColumns)}
		}
	}
	return nil
}

func optionError(option string, value any, reason string, args ...any) error {
	return &encode.OptionError{Format: format, Option: option, Value: value, Reason: fmt.Sprintf(reason, args...)}
}
