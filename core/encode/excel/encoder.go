package excel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/held"
	"github.com/seojaeohcode/atio/core/encode/internal/number"
	"github.com/seojaeohcode/atio/core/encode/internal/zipped"
)

const (
	// A task formats about so many cells, which are about half a megabyte: enough for
	// deflate to know the text, and little enough for all that are under way to take
	// little memory.
	taskCells = 1 << 14
	// level of compression: of those of package flate the one from which on more time
	// brings next to nothing for sheets.
	level = 3
)

var errClosed = errors.New("excel: the encoder is closed")

type encoder struct {
	formats  []Format
	sheets   []Sheet
	temporal [3]int // formats of dates, timestamps and times nobody gave one
	env      encode.Env
	book     *workbook
	archive  *zipped.Archive
	batches  held.Batches
	tables   int
	closed   bool

	at     int // number of the sheet at hand
	entry  *zipped.Entry
	tail   string
	rows   int64   // of the sheet at hand
	merges []Range // in its rows
}

// temporalFormats are those of dates, timestamps and times.
var temporalFormats = []Format{{Number: "yyyy-mm-dd"}, {Number: "yyyy-mm-dd hh:mm:ss"}, {Number: "hh:mm:ss"}}

func newEncoder(ctx context.Context, w io.Writer, o *Options, sheets []Sheet, env encode.Env) (*encoder, error) {
	e := &encoder{formats: append([]Format(nil), o.Formats...), sheets: sheets, env: env, at: -1}
	for i, f := range temporalFormats {
		e.formats = append(e.formats, f)
		e.temporal[i] = len(o.Formats) + i + 1
	}
	formats := e.formats
	if !e.hasDefaults() {
		formats = e.formats[:len(o.Formats)]
	}
	var err error
	if e.book, err = newWorkbook(formats, sheets); err != nil {
		return nil, err
	}
	e.archive = zipped.New(ctx, w, zipped.Level(level), env.Workers)
	// Content types first, by which programs such as file(1) know a workbook.
	if err := e.add(contentTypesPart); err != nil {
		return nil, err
	}
	for _, name := range e.book.parts.names {
		if e.isLate(name) {
			continue
		}
		if err := e.add(name); err != nil {
			return nil, err
		}
	}
	return e, e.begin(0)
}

// hasDefaults tells whether there is a sheet whose columns have formats by default.
func (e *encoder) hasDefaults() bool {
	for i := range e.sheets {
		if e.sheets[i].Columns == nil {
			return true
		}
	}
	return false
}

// isLate tells whether a part is written elsewhere: the first, sheets with their rows, and
// what is not known before the rows are.
func (e *encoder) isLate(name string) bool {
	if name == workbookPart || name == contentTypesPart {
		return true
	}
	for i := range e.sheets {
		if name == sheetPart(i) || name == tablePart(i+1) {
			return true
		}
	}
	return false
}

func (e *encoder) add(name string) error { return e.archive.Add(name, e.book.parts.text[name]) }

// begin begins a sheet, with its cells above the rows.
func (e *encoder) begin(i int) error {
	s := &e.sheets[i]
	head, tail, err := e.book.frameOf(i)
	if err != nil {
		return err
	}
	text := []byte(head)
	if text, err = appendCells(text, s.Cells, &task{styles: e.book.styles}); err != nil {
		return err
	}
	e.at, e.tail, e.rows, e.merges = i, tail, 0, append([]Range(nil), s.Merges...)
	if e.entry, err = e.archive.Begin(sheetPart(i)); err != nil {
		return err
	}
	return e.entry.Go(func(b []byte) ([]byte, error) { return append(b, text...), nil }, nil)
}

// appendCells appends cells that stand in order.
func appendCells(b []byte, cells []Cell, t *task) ([]byte, error) {
	for i, c := range cells {
		digits := strconv.Itoa(c.Row + 1)
		if i == 0 || cells[i-1].Row != c.Row {
			if i > 0 {
				b = append(b, "</row>"...)
			}
			b = append(b, `<row r="`+digits+`">`...)
		}
		b = append(b, `<c r="`+columnName(c.Column)+digits...)
		style := t.style(c.Format)
		switch {
		case c.Kind == Number:
			if _, err := strconv.ParseFloat(c.Text, 64); err != nil {
				return nil, optionError("cells", c.Text, "it is no number")
			}
			b = append(b, style+"><v>"+c.Text+endValue...)
		case c.Kind == Boolean:
			if c.Text != "0" && c.Text != "1" {
				return nil, optionError("cells", c.Text, "a boolean is 0 or 1")
			}
			b = append(b, style+` t="b"><v>`+c.Text+endValue...)
		case c.Text == "":
			b = append(b, style+"/>"...)
		default:
			var err error
			if b, err = appendInline(b, style, c.Text); err != nil {
				return nil, optionError("cells", strconv.Quote(c.Text), "%v", err)
			}
		}
	}
	if len(cells) > 0 {
		b = append(b, "</row>"...)
	}
	return b, nil
}

// Write formats a batch.
func (e *encoder) Write(batch arrow.RecordBatch) error {
	if e.closed {
		return errClosed
	}
	if name, ok := batch.Schema().Metadata().GetValue(SheetKey); ok && name != e.sheets[e.at].Name {
		if err := e.advance(name); err != nil {
			return err
		}
	}
	s := &e.sheets[e.at]
	columns, err := s.columnsOf(batch, e.rows, e.temporal)
	if err != nil {
		return err
	}
	rows := int(batch.NumRows())
	if rows == 0 {
		return nil
	}
	base := e.rows
	e.rows += int64(rows)
	if err := e.checkRows(batch.ColumnName(0)); err != nil {
		return err
	}
	first := s.Row + int(base) // in the sheet
	for i, c := range columns {
		merged, err := c.merges(first, s.Column+i)
		if err != nil {
			return err
		}
		e.merges = append(e.merges, merged...)
	}
	h := e.batches.Hold(batch)
	defer e.batches.Done(h)
	step := max(1, taskCells/max(1, len(columns)))
	for lo := 0; lo < rows; lo += step {
		hi := min(lo+step, rows)
		h.AddTask()
		err := e.entry.Go(func(b []byte) ([]byte, error) {
			defer e.batches.Done(h)
			t := &task{sheet: s, styles: e.book.styles, base: base}
			return t.rows(b, columns, lo, hi, first)
		}, func() { e.env.Progress.AddRows(int64(hi - lo)) })
		if err != nil {
			e.batches.Done(h)
			return err
		}
	}
	return nil
}

// checkRows says whether the sheet at hand still holds all rows.
func (e *encoder) checkRows(column string) error {
	s := &e.sheets[e.at]
	room := int64(MaxRows - s.Row)
	if s.Table != nil && s.Table.hasTotals() {
		room--
	}
	if e.rows <= room {
		return nil
	}
	return &encode.ValueError{Format: format, Column: column, Row: room,
		Reason: fmt.Sprintf("a sheet has %d rows, of which %d are left for the data; write more sheets or another format", MaxRows, room)}
}

// rows appends rows lo to hi of a batch, whose first is at row first of the sheet.
func (t *task) rows(b []byte, columns []*column, lo, hi, first int) ([]byte, error) {
	cells := make([]cell, len(columns))
	for i, c := range columns {
		cells[i] = t.cell(c)
	}
	var digits [20]byte
	for row := lo; row < hi; row++ {
		n := number.AppendUint(digits[:0], uint64(first+row+1))
		b = append(append(append(b, `<row r="`...), n...), '"', '>')
		for _, write := range cells {
			b = write(b, row, n)
		}
		b = append(b, "</row>"...)
		if t.err != nil {
			return nil, t.err
		}
	}
	return b, nil
}

// advance ends the sheet at hand, and begins those up to the one with this name.
func (e *encoder) advance(name string) error {
	for e.at < len(e.sheets)-1 {
		if err := e.finish(); err != nil {
			return err
		}
		if err := e.begin(e.at + 1); err != nil {
			return err
		}
		if e.sheets[e.at].Name == name {
			return nil
		}
	}
	return optionError("sheets", name, "rows come for this sheet, which is none of the sheets left; they come in the order of the sheets")
}

// finish ends the sheet at hand.
func (e *encoder) finish() error {
	s := &e.sheets[e.at]
	data := Range{Row: s.Row, Column: s.Column, LastRow: s.Row + int(e.rows) - 1, LastColumn: s.Column}
	var text []byte
	if t := s.Table; t != nil {
		data.LastColumn += len(t.Columns) - 1
		if e.rows == 0 {
			data.LastRow++ // a table has at least one
		}
		if t.hasTotals() {
			text = t.appendTotals(text, data.LastRow+1, s.Column, e.book.styles)
		}
	}
	text = append(text, "</sheetData>"...)
	if s.Filter != nil {
		r := *s.Filter
		r.LastRow += int(e.rows)
		text = append(text, `<autoFilter ref="`+r.String()+`"/>`...)
		if err := e.book.filter(s.Name, r); err != nil {
			return err
		}
	}
	text = appendMerges(text, e.merges)
	tail := e.tail
	if s.Table != nil {
		tail = strings.Replace(tail, "</worksheet>", tableRelation+"</worksheet>", 1)
	}
	text = append(text, tail...)
	if err := e.entry.Go(func(b []byte) ([]byte, error) { return append(b, text...), nil }, nil); err != nil {
		return err
	}
	if err := e.entry.Close(); err != nil {
		return err
	}
	if s.Table == nil {
		return nil
	}
	e.tables++
	if err := e.archive.Add(relationsPart(e.at), relations(e.tables)); err != nil {
		return err
	}
	return e.archive.Add(tablePart(e.tables), s.Table.part(e.tables, data, e.book.dxfs))
}

func appendMerges(b []byte, merges []Range) []byte {
	if len(merges) == 0 {
		return b
	}
	b = append(b, `<mergeCells count="`+strconv.Itoa(len(merges))+`">`...)
	for _, r := range merges {
		b = append(b, `<mergeCell ref="`+r.String()+`"/>`...)
	}
	return append(b, `</mergeCells>`...)
}

// Close writes what is pending, and the parts that depend on it.
func (e *encoder) Close() error {
	if e.closed {
		return errClosed
	}
	err := e.end()
	if err != nil {
		e.Discard()
		return err
	}
	e.closed = true
	e.batches.Release()
	return nil
}

func (e *encoder) end() error {
	for {
		if err := e.finish(); err != nil {
			return err
		}
		if e.at == len(e.sheets)-1 {
			break
		}
		if err := e.begin(e.at + 1); err != nil {
			return err
		}
	}
	if err := e.book.render(); err != nil {
		return err
	}
	if err := e.add(workbookPart); err != nil {
		return err
	}
	return e.archive.Close()
}

// Discard stops.
func (e *encoder) Discard() {
	e.closed = true
	e.archive.Discard()
	e.batches.Release()
}
