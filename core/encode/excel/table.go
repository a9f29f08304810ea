package excel

import (
	"strconv"
	"strings"
)

// Table makes of a sheet's frame a table of Excel's, with a name, a style and
// perhaps a row of totals (ECMA-376 part 1, section 18.5).
type Table struct {
	Name string `json:"name"`
	// Style is the name of one of Excel's, such as "TableStyleMedium9"; none if
	// empty.
	Style string `json:"style"`
	// Header says that the row above the first row of data holds the names of the
	// columns, and Filter that they have buttons to filter by.
	Header bool `json:"header"`
	Filter bool `json:"filter"`
	// Columns are those of the table.
	Columns []TableColumn `json:"columns"`
	// What the style sets off.
	FirstColumn   bool `json:"first_column"`
	LastColumn    bool `json:"last_column"`
	RowStripes    bool `json:"row_stripes"`
	ColumnStripes bool `json:"column_stripes"`
}

// TableColumn is a column of a table.
type TableColumn struct {
	Name string `json:"name"`
	// Total is what the row of totals has of it: "sum", "average", "count",
	// "countNums", "max", "min", "stdDev" or "var"; nothing if empty.
	Total string `json:"total"`
	// Format is that of new rows and of the total.
	Format int `json:"format"`
}

// subtotals are the numbers of the functions that SUBTOTAL takes (ECMA-376 part 1,
// section 18.17.7.322), which pass over hidden rows.
var subtotals = map[string]int{
	"average": 101, "countNums": 102, "count": 103, "max": 104, "min": 105, "stdDev": 107, "sum": 109, "var": 110,
}

func (t *Table) check() error {
	names := map[string]string{}
	for _, c := range t.Columns {
		folded := strings.ToLower(c.Name)
		if other, ok := names[folded]; ok {
			return optionError("table", c.Name, "a column has the name %q, and Excel sees no difference", other)
		}
		names[folded] = c.Name
		if c.Name == "" {
			return optionError("table", c.Name, "the columns of a table need names")
		}
		if _, ok := subtotals[c.Total]; !ok && c.Total != "" {
			return optionError("table", c.Total, "there is no such total")
		}
	}
	return nil
}

func (t *Table) hasTotals() bool {
	for _, c := range t.Columns {
		if c.Total != "" {
			return true
		}
	}
	return false
}

// part is the table's part of the workbook. data are its rows; number is that of the
// table.
func (t *Table) part(number int, data Range, dxfs []int) []byte {
	filter := data
	if t.Header {
		filter.Row--
	}
	ref := filter
	if t.hasTotals() {
		ref.LastRow++
	}
	b := []byte(xmlHeader + `<table xmlns="` + mainSpace + `" id="`)
	b = strconv.AppendInt(b, int64(number), 10)
	name := func(key, value string) { b = append(appendAttribute(append(b, ' '), key, value), '"') }
	b = append(b, '"')
	name("name", t.Name)
	name("displayName", t.Name)
	name("ref", ref.short())
	if !t.Header {
		b = append(b, ` headerRowCount="0"`...)
	}
	if t.hasTotals() {
		b = append(b, ` totalsRowCount="1">`...)
	} else {
		b = append(b, ` totalsRowShown="0">`...)
	}
	if t.Filter && t.Header {
		b = append(b, `<autoFilter ref="`+filter.short()+`"/>`...)
	}
	b = append(b, `<tableColumns count="`+strconv.Itoa(len(t.Columns))+`">`...)
	for i, c := range t.Columns {
		b = append(b, `<tableColumn id="`+strconv.Itoa(i+1)+`"`...)
		name("name", c.Name)
		if c.Total != "" {
			name("totalsRowFunction", c.Total)
		}
		if c.Format > 0 {
			b = append(b, ` dataDxfId="`+strconv.Itoa(dxfs[c.Format-1])+`"`...)
		}
		b = append(b, "/>"...)
	}
	b = append(b, `</tableColumns><tableStyleInfo`...)
	if t.Style != "" {
		name("name", t.Style)
	}
	flag := func(key string, on bool) {
		digit := byte('0')
		if on {
			digit = '1'
		}
		b = append(append(append(b, ' '), key...), '=', '"', digit, '"')
	}
	flag("showFirstColumn", t.FirstColumn)
	flag("showLastColumn", t.LastColumn)
	flag("showRowStripes", t.RowStripes)
	flag("showColumnStripes", t.ColumnStripes)
	return append(b, `/></table>`...)
}

// relationsPart is the part that says which parts a sheet refers to, and relations is what
// is in it if that is a table, which the sheet knows as tableRelation.
func relationsPart(sheet int) string {
	return "xl/worksheets/_rels/sheet" + strconv.Itoa(sheet+1) + ".xml.rels"
}

const tableRelation = `<tableParts count="1"><tablePart r:id="rId1"/></tableParts>`

func relations(table int) []byte {
	return []byte(xmlHeader + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="` + relationshipSpace + `/table" Target="../tables/table` + strconv.Itoa(table) + `.xml"/></Relationships>`)
}

// appendTotals appends the row of totals, whose number is row: formulas, whose
// values Excel computes when it opens the workbook.
func (t *Table) appendTotals(b []byte, row, column int, styles []int) []byte {
	b = append(b, `<row r="`+strconv.Itoa(row+1)+`">`...)
	for i, c := range t.Columns {
		if c.Total == "" {
			continue
		}
		b = append(b, `<c r="`+cellName(row, column+i)...)
		if c.Format > 0 {
			b = append(b, `" s="`+strconv.Itoa(styles[c.Format-1])...)
		}
		b = append(b, `"><f>SUBTOTAL(`+strconv.Itoa(subtotals[c.Total])+`,[`...)
		b, _ = appendText(b, columnReference.Replace(c.Name)) // of a name that check has passed
		b = append(b, `])</f><v>0</v></c>`...)
	}
	return append(b, `</row>`...)
}

// columnReference escapes what has a meaning in a reference to a table's column.
var columnReference = strings.NewReplacer("'", "''", "#", "'#", "]", "']", "[", "'[")
