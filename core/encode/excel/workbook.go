package excel

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

// workbook is everything of a workbook but the rows of its sheets, which excelize
// makes.
//
// It holds excelize's file in closures only. A type that is a field of something that is
// made an interface of has all its methods kept in the program: here, those that compute
// formulas, 7 MB.
type workbook struct {
	styles []int // of formats, as cells have them
	dxfs   []int // of formats, as tables have them
	parts  *parts
	// filter tells of the range that a sheet is filtered by, and render writes the parts.
	filter func(sheet string, r Range) error
	render func() error
}

// parts are what excelize has written.
type parts struct {
	names []string
	text  map[string][]byte
}

// Names of parts.
const (
	workbookPart     = "xl/workbook.xml"
	contentTypesPart = "[Content_Types].xml"
)

func sheetPart(i int) string      { return "xl/worksheets/sheet" + strconv.Itoa(i+1) + ".xml" }
func tablePart(number int) string { return "xl/tables/table" + strconv.Itoa(number) + ".xml" }

// newWorkbook makes a workbook of sheets without rows.
func newWorkbook(formats []Format, sheets []Sheet) (*workbook, error) {
	f := excelize.NewFile()
	b := &workbook{dxfs: make([]int, len(formats)), parts: &parts{}}
	b.filter = func(sheet string, r Range) error { return addFilter(f, sheet, r) }
	written := b.parts
	f.ZipWriter = func(io.Writer) excelize.ZipWriter { return written }
	b.render = func() error {
		written.text, written.names = map[string][]byte{}, nil
		_, err := f.WriteToBuffer()
		return err
	}
	for i := range formats {
		id, err := formats[i].addTo(f)
		if err != nil {
			return nil, err
		}
		b.styles = append(b.styles, id)
	}
	tables, totals := 0, false
	for i := range sheets {
		if err := addSheet(f, i, &sheets[i]); err != nil {
			return nil, err
		}
		t := sheets[i].Table
		if t == nil {
			continue
		}
		if err := t.check(); err != nil {
			return nil, err
		}
		totals = totals || t.hasTotals()
		tables++
		addTable(f, tables)
		for _, c := range t.Columns {
			if c.Format == 0 {
				continue
			}
			id, err := formats[c.Format-1].addToTable(f)
			if err != nil {
				return nil, optionError("formats", formats[c.Format-1].Number, "%v", err)
			}
			b.dxfs[c.Format-1] = id
		}
	}
	polishStyles(f)
	if totals { // which nobody has computed yet
		if err := f.SetCalcProps(&excelize.CalcPropsOptions{FullCalcOnLoad: &totals}); err != nil {
			return nil, err
		}
	}
	if err := f.SetDocProps(&excelize.DocProperties{Creator: "atio"}); err != nil {
		return nil, err
	}
	return b, b.render()
}

func addSheet(f *excelize.File, i int, s *Sheet) error {
	var err error
	if i == 0 {
		err = f.SetSheetName("Sheet1", s.Name)
	} else {
		_, err = f.NewSheet(s.Name)
	}
	if err != nil {
		return optionError("sheets", s.Name, "%v", err)
	}
	for _, w := range s.Widths {
		name := columnName(w.Column)
		if err := f.SetColWidth(s.Name, name, name, w.Width); err != nil {
			return optionError("widths", w.Width, "%v", err)
		}
	}
	if s.Freeze != nil && (s.Freeze.Rows > 0 || s.Freeze.Columns > 0) {
		if err := f.SetPanes(s.Name, s.Freeze.panes()); err != nil {
			return optionError("freeze", *s.Freeze, "%v", err)
		}
	}
	view := &excelize.ViewOptions{}
	if s.HideGridlines {
		shown := false
		view.ShowGridLines = &shown
	}
	if s.Zoom != 0 {
		percent := float64(s.Zoom)
		view.ZoomScale = &percent
	}
	if err := f.SetSheetView(s.Name, 0, view); err != nil {
		return optionError("zoom", s.Zoom, "%v", err)
	}
	return nil
}

// addTable has the content types tell of a table. File.AddTable reads cells for it, and
// may compute formulas.
func addTable(f *excelize.File, number int) {
	types := f.ContentTypes
	types.Overrides = append(types.Overrides, types.Overrides[0])
	added := &types.Overrides[len(types.Overrides)-1]
	added.PartName, added.ContentType = "/"+tablePart(number), excelize.ContentTypeSpreadSheetMLTable
}

func (z *Freeze) panes() *excelize.Panes {
	p := &excelize.Panes{Freeze: true, XSplit: z.Columns, YSplit: z.Rows, ActivePane: "bottomRight"}
	p.TopLeftCell = cellName(max(z.Top, z.Rows), max(z.Left, z.Columns))
	switch {
	case z.Columns == 0:
		p.ActivePane = "bottomLeft"
	case z.Rows == 0:
		p.ActivePane = "topRight"
	}
	p.Selection = []excelize.Selection{{Pane: p.ActivePane}}
	return p
}

// frameOf returns what stands before and behind the rows of a sheet.
func (b *workbook) frameOf(i int) (head, tail string, err error) {
	part := string(b.parts.text[sheetPart(i)])
	head, tail, ok := strings.Cut(part, "<sheetData></sheetData>")
	if !ok {
		return "", "", fmt.Errorf("excel: the sheet made by excelize has no place for rows: %.200q", part)
	}
	// Its size is not known yet, and nobody needs to be told.
	head = strings.Replace(head, `<dimension ref="A1"></dimension>`, "", 1)
	// What refers to other parts, such as a table, needs the name space of relationships.
	if !strings.Contains(head, "xmlns:r=") {
		head = strings.Replace(head, "<worksheet ", `<worksheet xmlns:r="`+relationshipSpace+`" `, 1)
	}
	return head + "<sheetData>", tail, nil
}

// addFilter has the workbook name the range that a sheet is filtered by, as Excel does.
func addFilter(f *excelize.File, sheet string, r Range) error {
	quoted := "'" + strings.ReplaceAll(sheet, "'", "''") + "'!" + r.absolute()
	const name = "_xlnm._FilterDatabase"
	if err := f.SetDefinedName(&excelize.DefinedName{Name: name, RefersTo: quoted, Scope: sheet}); err != nil {
		return err
	}
	names := f.WorkBook.DefinedNames.DefinedName
	for i := range names {
		if names[i].Name == name {
			names[i].Hidden = true
		}
	}
	return nil
}

// Create begins a part, as a zip archive does.
func (p *parts) Create(name string) (io.Writer, error) {
	p.names = append(p.names, name)
	return &part{p, name}, nil
}

type part struct {
	all  *parts
	name string
}

func (p *part) Write(b []byte) (int, error) {
	p.all.text[p.name] = append(p.all.text[p.name], b...)
	return len(b), nil
}

var errNoFiles = errors.New("excel: excelize has files of its own to add, which it has no reason for")

func (p *parts) AddFS(fs.FS) error { return errNoFiles }

func (p *parts) Close() error { return nil }
