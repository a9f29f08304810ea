package excel

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/xuri/excelize/v2"

	"github.com/seojaeohcode/atio/core/encode"
)

// write encodes batches, in this many goroutines.
func write(t testing.TB, o *Options, workers int, batches ...arrow.RecordBatch) ([]byte, error) {
	t.Helper()
	var out bytes.Buffer
	e, err := o.NewEncoder(context.Background(), &out, batches[0].Schema(), encode.Env{Workers: workers})
	if err != nil {
		return nil, err
	}
	defer e.Discard()
	rows := int64(0)
	for _, b := range batches {
		if err := e.Write(b); err != nil {
			return nil, err
		}
		rows += b.NumRows()
	}
	if err := e.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), o.Check(bytes.NewReader(out.Bytes()), int64(out.Len()), rows)
}

// open opens a workbook by excelize.
func open(t testing.TB, b []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// raw returns the cells of a sheet as the file has them, formats left aside.
func raw(t testing.TB, f *excelize.File, sheet string) [][]string {
	t.Helper()
	rows, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func batchOf(names []string, columns ...arrow.Array) arrow.RecordBatch {
	var fields []arrow.Field
	for i, c := range columns {
		fields = append(fields, arrow.Field{Name: names[i], Type: c.DataType(), Nullable: true})
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, int64(columns[0].Len()))
}

func ints(v ...int64) arrow.Array {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	b.AppendValues(v, nil)
	return b.NewArray()
}

func floats(v ...float64) arrow.Array {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	b.AppendValues(v, nil)
	return b.NewArray()
}

// texts makes nulls of "null".
func texts(v ...string) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	for _, s := range v {
		if s == "null" {
			b.AppendNull()
			continue
		}
		b.Append(s)
	}
	return b.NewArray()
}

func days(moments ...string) arrow.Array {
	b := array.NewDate32Builder(memory.DefaultAllocator)
	for _, m := range moments {
		d, err := time.Parse(time.DateOnly, m)
		if err != nil {
			panic(err)
		}
		b.Append(arrow.Date32FromTime(d))
	}
	return b.NewArray()
}

func TestDefaults(t *testing.T) {
	stamps := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: arrow.Microsecond})
	stamps.AppendValues([]arrow.Timestamp{0, 86400e6 / 2, -1e6}, nil)
	decimals := array.NewDecimal128Builder(memory.DefaultAllocator, &arrow.Decimal128Type{Precision: 10, Scale: 2})
	decimals.AppendValues([]decimal128.Num{decimal128.FromI64(150), decimal128.FromI64(-5), decimal128.FromI64(300)}, nil)
	b, err := write(t, &Options{}, 2, batchOf(
		[]string{"i", "f", "s", "d", "t", "n"},
		ints(1, -2, 1<<60), floats(0.1, math.NaN(), 1e300), texts("a", "=1+1", " <&> "),
		days("1900-01-01", "1900-03-01", "9999-12-31"), stamps.NewArray(), decimals.NewArray(),
	))
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, b)
	want := [][]string{
		{"i", "f", "s", "d", "t", "n"},
		{"1", "0.1", "a", "1", "25569", "1.5"},
		{"-2", "#NUM!", "=1+1", "61", "25569.5", "-0.05"},
		{"1152921504606846976", "1E+300", " <&> ", "2958465", "25568.999988425927", "3"},
	}
	got := raw(t, f, "Sheet1")
	for i := range want { // excelize writes numbers its own way
		for j := range want[i] {
			if got[i][j] != want[i][j] && !strings.EqualFold(strings.TrimRight(got[i][j], "0."), strings.TrimRight(want[i][j], "0.")) {
				t.Errorf("row %d, column %d: %q, want %q", i, j, got[i][j], want[i][j])
			}
		}
	}
	for cell, format := range map[string]string{"D2": "yyyy-mm-dd", "E2": "yyyy-mm-dd hh:mm:ss", "A2": ""} {
		id, err := f.GetCellStyle("Sheet1", cell)
		if err != nil {
			t.Fatal(err)
		}
		style, err := f.GetStyle(id)
		if err != nil {
			t.Fatal(err)
		}
		if got := style.CustomNumFmt; got != nil && *got != format || got == nil && format != "" {
			t.Errorf("%s has the format %v, want %q", cell, got, format)
		}
	}
	if kind, err := f.GetCellType("Sheet1", "C3"); err != nil || kind != excelize.CellTypeInlineString {
		t.Errorf("=1+1 is a %v, %v", kind, err)
	}
	if formula, err := f.GetCellFormula("Sheet1", "C3"); err != nil || formula != "" {
		t.Errorf("=1+1 became the formula %q, %v", formula, err)
	}
}

func TestSheetsFormatsAndTables(t *testing.T) {
	two := 2
	o := &Options{
		Formats: []Format{{Number: "0.00", Vertical: "center"}, {Bold: true, Border: true, Horizontal: "center"}},
		Sheets: []Sheet{
			{
				Name: "first", NoHeader: true, Row: 2, Column: 1, Missing: "NA", NaNIsMissing: true, Infinity: "inf",
				Cells:   []Cell{{Row: 0, Column: 1, Text: "title", Format: 2}, {Row: 0, Column: 2, Format: 2}, {Row: 1, Column: 2, Text: "7.5", Kind: Number}},
				Merges:  []Range{{Row: 0, Column: 1, LastRow: 0, LastColumn: 2}},
				Columns: []Column{{}, {Span: true}, {Decimals: &two}, {}, {Else: true}},
				Freeze:  &Freeze{Rows: 2, Columns: 1},
				Filter:  &Range{Row: 1, Column: 1, LastRow: 1, LastColumn: 3},
				Widths:  []Width{{Column: 1, Width: 20.5}},
			},
			{Name: "it's <empty>", NoHeader: true, Row: 1, Cells: []Cell{{Text: "head"}}, HideGridlines: true, Zoom: 80},
			{
				Name: "table", NoHeader: true, Row: 1, Columns: []Column{{Format: 1, MissingFormat: 1}},
				Cells: []Cell{{Text: "x]"}},
				Table: &Table{Name: "T", Style: "TableStyleMedium9", Header: true, Filter: true, RowStripes: true, Columns: []TableColumn{{Name: "x]", Total: "sum", Format: 1}}},
			},
		},
	}
	spans := array.NewInt32Builder(memory.DefaultAllocator)
	spans.AppendValues([]int32{2, 0, 1}, nil)
	first := batchOf([]string{"k", "over", "x", "a", "b"},
		texts("g", "null", "h"), spans.NewArray(), floats(1.005, math.NaN(), math.Inf(-1)), texts("t", "null", "null"), ints(1, 2, 3))
	last := array.NewRecordBatch(
		arrow.NewSchema([]arrow.Field{{Name: "x]", Type: arrow.PrimitiveTypes.Float64, Nullable: true}}, metadata("table")),
		[]arrow.Array{floats(1.5, 2)}, 2)
	for _, workers := range []int{1, 3} {
		b, err := write(t, o, workers, first, last)
		if err != nil {
			t.Fatal(err)
		}
		f := open(t, b)
		if got := f.GetSheetList(); !slices.Equal(got, []string{"first", "it's <empty>", "table"}) {
			t.Errorf("sheets %q", got)
		}
		want := [][]string{{"", "title"}, {"", "", "7.5"}, {"", "g", "1", "t"}, {"", "", "NA", "2"}, {"", "h", "-inf", "3"}}
		if got := raw(t, f, "first"); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("first: %q, want %q", got, want)
		}
		merged, err := f.GetMergeCells("first")
		if err != nil || len(merged) != 2 || merged[0][0] != "B1:C1" || merged[1][0] != "B3:B4" {
			t.Errorf("merged %v, %v", merged, err)
		}
		panes, err := f.GetPanes("first")
		if err != nil || panes.TopLeftCell != "B3" || !panes.Freeze {
			t.Errorf("panes %+v, %v", panes, err)
		}
		if width, err := f.GetColWidth("first", "B"); err != nil || width != 20.5 {
			t.Errorf("width %v, %v", width, err)
		}
		if got := raw(t, f, "it's <empty>"); fmt.Sprint(got) != "[[head]]" {
			t.Errorf("second: %q", got)
		}
		tables, err := f.GetTables("table")
		if err != nil || len(tables) != 1 || tables[0].Range != "A1:A4" || tables[0].Name != "T" || tables[0].StyleName != "TableStyleMedium9" {
			t.Errorf("tables %+v, %v", tables, err)
		}
		if formula, err := f.GetCellFormula("table", "A4"); err != nil || formula != "SUBTOTAL(109,[x']])" {
			t.Errorf("total %q, %v", formula, err)
		}
		names := f.GetDefinedName()
		if len(names) != 1 || names[0].RefersTo != "'first'!$B$2:$D$5" {
			t.Errorf("names %+v", names)
		}
	}
}

func metadata(sheet string) *arrow.Metadata {
	m := arrow.NewMetadata([]string{SheetKey}, []string{sheet})
	return &m
}

// Whatever the number of goroutines and the size of batches, the sheet is the same, and
// so is the file for the same batches.
func TestRowsInOrder(t *testing.T) {
	const rows = 60_000
	v := make([]int64, rows)
	s := make([]string, rows)
	for i := range v {
		v[i], s[i] = int64(i), fmt.Sprintf("text %d", i*7919%rows)
	}
	whole := batchOf([]string{"i", "s"}, ints(v...), texts(s...))
	one, err := write(t, &Options{}, 1, whole)
	if err != nil {
		t.Fatal(err)
	}
	again, err := write(t, &Options{}, 4, whole)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one, again) {
		t.Error("with more goroutines the file is another")
	}
	parts, err := write(t, &Options{}, 4, whole.NewSlice(0, 7), whole.NewSlice(7, 40_000), whole.NewSlice(40_000, rows))
	if err != nil {
		t.Fatal(err)
	}
	if partOf(t, one, sheetPart(0)) != partOf(t, parts, sheetPart(0)) {
		t.Error("in slices the sheet is another")
	}
	got := raw(t, open(t, parts), "Sheet1")
	for i, row := range got[1:] {
		if row[0] != fmt.Sprint(i) || row[1] != s[i] {
			t.Fatalf("row %d: %q", i, row)
		}
	}
}

// partOf is the text of a part.
func partOf(t testing.TB, b []byte, name string) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRefused(t *testing.T) {
	long := strings.Repeat("x", MaxText+1)
	emoji := strings.Repeat("😀", MaxText/2+1)
	nested := array.NewListBuilder(memory.DefaultAllocator, arrow.PrimitiveTypes.Int64)
	nested.AppendNull()
	zoned := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: arrow.Second, TimeZone: "UTC"})
	zoned.AppendNull()
	sheet := func(s Sheet) *Options { return &Options{Sheets: []Sheet{s}} }
	plain := batchOf([]string{"x"}, ints(1))
	for name, c := range map[string]struct {
		o     *Options
		batch arrow.RecordBatch
		want  any
		text  string
	}{
		"long text":      {&Options{}, batchOf([]string{"x"}, texts("", long)), new(*encode.ValueError), `column "x", row 1: its text has 32768 characters`},
		"long emoji":     {&Options{}, batchOf([]string{"x"}, texts(emoji)), new(*encode.ValueError), "32768 characters"},
		"long heading":   {&Options{}, batchOf([]string{long}, ints(1)), new(*encode.OptionError), "32768 characters"},
		"not UTF-8":      {&Options{}, batchOf([]string{"x"}, texts("a\xff")), new(*encode.ValueError), "not valid UTF-8"},
		"before 1900":    {&Options{}, batchOf([]string{"x"}, days("1900-01-01", "1899-12-31")), new(*encode.ValueError), `row 1: 1899-12-31 is outside Excel's calendar`},
		"nested":         {&Options{}, batchOf([]string{"x"}, nested.NewArray()), new(*encode.UnsupportedError), "list"},
		"zone":           {&Options{}, batchOf([]string{"x"}, zoned.NewArray()), new(*encode.UnsupportedError), "time zones"},
		"name":           {sheet(Sheet{Name: "a/b"}), plain, new(*encode.OptionError), "cannot hold '/'"},
		"twice":          {&Options{Sheets: []Sheet{{Name: "a", NoHeader: true}, {Name: "A", NoHeader: true}}}, plain, new(*encode.OptionError), "no difference"},
		"too far down":   {sheet(Sheet{Name: "a", Row: MaxRows - 1}), plain, new(*encode.ValueError), "1048576 rows, of which 0 are left"},
		"too far right":  {sheet(Sheet{Name: "a", NoHeader: true, Column: MaxColumns}), plain, new(*encode.ValueError), "column 16385 of the sheet"},
		"format":         {sheet(Sheet{Name: "a", Columns: []Column{{Format: 1}}}), plain, new(*encode.OptionError), "no such format"},
		"columns":        {sheet(Sheet{Name: "a", Columns: []Column{{}, {}}}), plain, new(*encode.OptionError), "schema has 1 fields"},
		"cells":          {sheet(Sheet{Name: "a", Cells: []Cell{{Row: 1, Text: "x"}}}), plain, new(*encode.OptionError), "in order"},
		"number":         {sheet(Sheet{Name: "a", NoHeader: true, Row: 1, Cells: []Cell{{Text: "x", Kind: Number}}}), plain, new(*encode.OptionError), "no number"},
		"table's names":  {sheet(Sheet{Name: "a", Table: &Table{Name: "T", Columns: []TableColumn{{Name: "x"}, {Name: "X"}}}}), plain, new(*encode.OptionError), "no difference"},
		"unknown sheet":  {sheet(Sheet{Name: "a"}), array.NewRecordBatch(arrow.NewSchema(plain.Schema().Fields(), metadata("b")), plain.Columns(), 1), new(*encode.OptionError), "none of them"},
		"nothing before": {sheet(Sheet{Name: "a", Columns: []Column{{Else: true}}}), plain, new(*encode.OptionError), "field before"},
	} {
		_, err := write(t, c.o, 2, c.batch)
		if err == nil || !errors.As(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSheetNames(t *testing.T) {
	for _, name := range []string{"a", strings.Repeat("x", 31), "it's", "ü", "Sheet 1", strings.Repeat("😀", 15)} {
		if err := CheckSheetName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", strings.Repeat("x", 32), "'a", "a'", "a[", "]", ":", "*", "?", "/", `\`, "History", "a\nb", "\xff", strings.Repeat("😀", 16)} {
		if CheckSheetName(name) == nil {
			t.Errorf("%q is allowed", name)
		}
	}
}

func TestColumnNames(t *testing.T) {
	for column, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 701: "ZZ", 702: "AAA", 16383: "XFD"} {
		if got := columnName(column); got != want {
			t.Errorf("%d: %s, want %s", column, got, want)
		}
	}
}

// A disk that is full, and a write given up, leave no goroutine.
func TestFailures(t *testing.T) {
	batch := batchOf([]string{"i"}, ints(make([]int64, 200_000)...))
	for _, room := range []int{0, 5_000, 20_000} {
		e, err := new(Options).NewEncoder(context.Background(), &full{room}, batch.Schema(), encode.Env{Workers: 3})
		if err == nil {
			err = e.Write(batch)
			if err == nil {
				err = e.Close()
			}
			e.Discard()
		}
		if !errors.Is(err, errFull) {
			t.Errorf("room for %d: %v", room, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	e, err := new(Options).NewEncoder(ctx, io.Discard, batch.Schema(), encode.Env{Workers: 3})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for err == nil {
		err = e.Write(batch)
	}
	e.Discard()
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if e.Write(batch) == nil || e.Close() == nil {
		t.Error("a discarded encoder writes on")
	}
}

type full struct{ room int }

var errFull = errors.New("full")

func (w *full) Write(p []byte) (int, error) {
	if w.room -= len(p); w.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestCheck(t *testing.T) {
	b, err := write(t, &Options{}, 1, batchOf([]string{"i"}, ints(1, 2, 3)))
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string][]byte{"empty": nil, "cut": b[:len(b)-30], "beginning gone": b[400:]} {
		if err := new(Options).Check(bytes.NewReader(broken), int64(len(broken)), 3); err == nil {
			t.Errorf("%s: it is taken for whole", name)
		}
	}
	if err := new(Options).Check(bytes.NewReader(b), int64(len(b)), 1000); err == nil {
		t.Error("it is said to have 1000 rows")
	}
}
