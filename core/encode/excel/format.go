package excel

import (
	"github.com/xuri/excelize/v2"
)

// Format is how a cell looks. The zero value is as all cells look.
type Format struct {
	// Number is a format of numbers, such as "0.00" or "yyyy-mm-dd".
	Number string `json:"number"`
	Bold   bool   `json:"bold"`
	Italic bool   `json:"italic"`
	// BareFont says of a bold or italic font nothing else: neither its name nor its size.
	BareFont bool `json:"bare_font"`
	// Colors are such as "FF0000".
	Color      string `json:"color"`
	Background string `json:"background"`
	// Horizontal is "left", "center" or "right" ..., Vertical "top", "center" or
	// "bottom" ...
	Horizontal string `json:"horizontal"`
	Vertical   string `json:"vertical"`
	Wrap       bool   `json:"wrap"`
	// Border is a thin line on all four sides.
	Border bool `json:"border"`
}

// addTo adds a format to a workbook and returns the number that cells have it by.
func (f *Format) addTo(book *excelize.File) (int, error) {
	style := &excelize.Style{}
	if f.Number != "" {
		style.CustomNumFmt = &f.Number
	}
	if f.Bold || f.Italic || f.Color != "" {
		// Otherwise as the workbook's own font.
		style.Font = &excelize.Font{Bold: f.Bold, Italic: f.Italic, Family: "Calibri", Size: 11, Color: f.Color}
		if f.BareFont {
			style.Font.Family, style.Font.Size = "", 0
		} else if f.Color == "" {
			text := 1
			style.Font.ColorTheme = &text
		}
	}
	if f.Background != "" {
		style.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{f.Background}}
	}
	if f.Horizontal != "" || f.Vertical != "" || f.Wrap {
		style.Alignment = &excelize.Alignment{Horizontal: f.Horizontal, Vertical: f.Vertical, WrapText: f.Wrap}
	}
	if f.Border {
		for _, side := range []string{"left", "right", "top", "bottom"} {
			style.Border = append(style.Border, excelize.Border{Type: side, Style: 1, Color: black})
		}
	}
	id, err := book.NewStyle(style)
	if err != nil {
		return 0, optionError("formats", f.Number, "%v", err)
	}
	return id, nil
}

// black stands for no color of a border until [polishStyles] removes it, as excelize
// makes a color of none that no reader takes.
const black = "000000"

// addToTable adds what a table needs to know of a format for its new rows.
func (f *Format) addToTable(book *excelize.File) (int, error) {
	style := &excelize.Style{}
	if f.Number != "" {
		style.CustomNumFmt = &f.Number
	}
	return book.NewConditionalStyle(style)
}

// polishStyles makes of excelize's styles what others write: fonts that follow the
// theme, and borders in the color of the text.
func polishStyles(book *excelize.File) {
	styles := book.Styles
	for _, font := range styles.Fonts.Font {
		if font.Name == nil {
			font.Family, font.Color = nil, nil
		} else if font.Scheme == nil {
			allocate(&font.Scheme)
			minor := "minor"
			font.Scheme.Val = &minor
		}
	}
	for _, border := range styles.Borders.Border {
		if border.Left != nil {
			border.Left.Color = nil
		}
		if border.Right != nil {
			border.Right.Color = nil
		}
		if border.Top != nil {
			border.Top.Color = nil
		}
		if border.Bottom != nil {
			border.Bottom.Color = nil
		}
	}
}

// allocate makes a value of a type that has no name here.
func allocate[T any](p **T) { *p = new(T) }
