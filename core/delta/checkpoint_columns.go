package delta

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// Reading checkpoints from the columns of the file, since pqarrow, which would
// make record batches of them, brings gRPC along.

// rowGroup is what a checkpoint has in one row group: leaf columns by their paths.
type rowGroup struct {
	rows   int
	leaves map[string]*leaf
}

// leaf is a leaf column with at most one repeated level above it, which is that of
// a map or a list.
type leaf struct {
	path    []string
	max     int16   // definition level of a value
	element int16   // definition level from which on there is an element, in a map or list
	nullAt  []int16 // definition level of each struct on the way: less means null
	repeats bool

	defs   []int16
	starts []int // of the rows, among the levels
	values []int // index of the value of each level, -1 for none
	texts  []string
	longs  []int64
	flags  []bool
}

// readRowGroup reads the leaves that are wanted.
func readRowGroup(ctx context.Context, rd *file.Reader, i int, want func(parquet.ColumnPath) bool) (*rowGroup, error) {
	rg := rd.RowGroup(i)
	g := &rowGroup{rows: int(rg.NumRows()), leaves: map[string]*leaf{}}
	none := absent(rg)
	for c := range rg.NumColumns() {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		col := rd.MetaData().Schema.Column(c)
		if !want(col.ColumnPath()) || none[col.ColumnPath()[0]] {
			continue
		}
		cr, err := rg.Column(c)
		if err != nil {
			return nil, err
		}
		l, err := newLeaf(col)
		if err == nil {
			err = l.read(cr, g.rows)
		}
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", col.Path(), err)
		}
		g.leaves[col.Path()] = l
	}
	return g, nil
}

// always are the columns that each action of a kind has a value in.
var always = map[string]string{
	"add": "path", "remove": "path", "txn": "appId", "protocol": "minReaderVersion", "metaData": "id", "domainMetadata": "domain", "sidecar": "path",
}

// absent returns the kinds of actions of which the statistics of a row group say
// that it has none.
func absent(rg *file.RowGroupReader) map[string]bool {
	none := map[string]bool{}
	for c := range rg.NumColumns() {
		col := rg.MetaData().Schema.Column(c)
		path := col.ColumnPath()
		if len(path) != 2 || always[path[0]] != path[1] {
			continue
		}
		chunk, err := rg.MetaData().ColumnChunk(c)
		if err != nil {
			continue
		}
		stats, err := chunk.Statistics()
		if err == nil && stats != nil && stats.HasNullCount() && stats.NullCount() == rg.NumRows() {
			none[path[0]] = true
		}
	}
	return none
}

func newLeaf(col *schema.Column) (*leaf, error) {
	l := &leaf{path: col.ColumnPath(), max: col.MaxDefinitionLevel(), repeats: col.MaxRepetitionLevel() > 0}
	if col.MaxRepetitionLevel() > 1 {
		return nil, fmt.Errorf("it is nested too deeply")
	}
	def := int16(0)
	var way []schema.Node
	for n := col.SchemaNode(); n.Parent() != nil; n = n.Parent() {
		way = append([]schema.Node{n}, way...)
	}
	for _, n := range way {
		switch n.RepetitionType() {
		case parquet.Repetitions.Optional:
			def++
		case parquet.Repetitions.Repeated:
			def++
			l.element = def
		}
		l.nullAt = append(l.nullAt, def)
	}
	return l, nil
}

// read reads the levels and values of a column chunk.
func (l *leaf) read(cr file.ColumnChunkReader, rows int) error {
	batch := int64(min(max(rows, 1<<5), 1<<14)) // lists have more values than rows
	defs, reps := make([]int16, batch), make([]int16, batch)
	for cr.HasNext() {
		total, err := l.batch(cr, batch, defs, reps)
		if err != nil {
			return err
		}
		if total == 0 {
			break
		}
		for i := range int(total) {
			if !l.repeats || reps[i] == 0 {
				l.starts = append(l.starts, len(l.defs))
			}
			v := -1
			if l.max == 0 || defs[i] == l.max {
				v = 0 // set below
			}
			l.defs = append(l.defs, defs[i])
			l.values = append(l.values, v)
		}
	}
	if err := cr.Err(); err != nil {
		return err
	}
	n := 0
	for i, v := range l.values {
		if v == 0 {
			l.values[i] = n
			n++
		}
	}
	if have := max(len(l.texts), len(l.longs), len(l.flags)); n != have {
		return fmt.Errorf("%d values where there should be %d", have, n)
	}
	if len(l.starts) != rows {
		return fmt.Errorf("%d rows where there should be %d: %w", len(l.starts), rows, io.ErrUnexpectedEOF)
	}
	l.starts = append(l.starts, len(l.defs))
	return nil
}

func (l *leaf) batch(cr file.ColumnChunkReader, n int64, defs, reps []int16) (total int64, err error) {
	var got int
	switch cr := cr.(type) {
	case *file.ByteArrayColumnChunkReader:
		buf := make([]parquet.ByteArray, n)
		total, got, err = cr.ReadBatch(n, buf, defs, reps)
		for _, b := range buf[:got] {
			l.texts = append(l.texts, string(b))
		}
	case *file.Int64ColumnChunkReader:
		buf := make([]int64, n)
		total, got, err = cr.ReadBatch(n, buf, defs, reps)
		l.longs = append(l.longs, buf[:got]...)
	case *file.Int32ColumnChunkReader:
		buf := make([]int32, n)
		total, got, err = cr.ReadBatch(n, buf, defs, reps)
		for _, v := range buf[:got] {
			l.longs = append(l.longs, int64(v))
		}
	case *file.Int96ColumnChunkReader: // a timestamp of old: nanoseconds of the day, and the Julian day
		buf := make([]parquet.Int96, n)
		total, got, err = cr.ReadBatch(n, buf, defs, reps)
		for _, v := range buf[:got] {
			nanos, day := binary.LittleEndian.Uint64(v[:8]), binary.LittleEndian.Uint32(v[8:])
			l.longs = append(l.longs, (int64(day)-2440588)*86_400_000+int64(nanos)/1_000_000)
		}
	case *file.BooleanColumnChunkReader:
		buf := make([]bool, n)
		total, got, err = cr.ReadBatch(n, buf, defs, reps)
		l.flags = append(l.flags, buf[:got]...)
	default:
		err = fmt.Errorf("it is of a type that no checkpoint has")
	}
	return total, err
}

// at returns the index of the value in a row, -1 for null and for a column that
// is not there.
func (l *leaf) at(row int) int {
	if l == nil {
		return -1
	}
	return l.values[l.starts[row]]
}

// text returns the text in a row, "" for null.
func (l *leaf) text(row int) string {
	if v := l.at(row); v >= 0 && v < len(l.texts) {
		return l.texts[v]
	}
	return ""
}

// long returns the number in a row, 0 for null.
func (l *leaf) long(row int) int64 {
	if v := l.at(row); v >= 0 && v < len(l.longs) {
		return l.longs[v]
	}
	return 0
}

func (l *leaf) flag(row int) bool {
	v := l.at(row)
	return v >= 0 && v < len(l.flags) && l.flags[v]
}

// entries calls f with the index of each value, -1 for null, in the map or list of
// a row, and says whether that is there at all.
func (l *leaf) entries(row int, f func(v int)) bool {
	if l == nil {
		return false
	}
	from, to := l.starts[row], l.starts[row+1]
	if l.defs[from] < l.element-1 {
		return false
	}
	for i := from; i < to; i++ {
		if l.defs[i] >= l.element {
			f(l.values[i])
		}
	}
	return true
}

// list returns the list in a row, nil for null.
func (l *leaf) list(row int) []string {
	out := []string{}
	if !l.entries(row, func(v int) {
		if v >= 0 && v < len(l.texts) {
			out = append(out, l.texts[v])
		}
	}) {
		return nil
	}
	return out
}

// dict are the two leaves of a map of texts.
type dict struct{ keys, items *leaf }

// of returns the map in a row, nil for null.
func (d dict) of(row int) map[string]*string {
	var names []string
	if d.items == nil || !d.keys.entries(row, func(v int) {
		if v >= 0 && v < len(d.keys.texts) {
			names = append(names, d.keys.texts[v])
		}
	}) {
		return nil
	}
	out := make(map[string]*string, len(names))
	n := 0
	d.items.entries(row, func(v int) {
		if n < len(names) {
			out[names[n]] = nil
			if v >= 0 && v < len(d.items.texts) {
				out[names[n]] = &d.items.texts[v]
			}
		}
		n++
	})
	return out
}

// texts is [dict.of] with nulls left out.
func (d dict) texts(row int) map[string]string {
	m := d.of(row)
	if m == nil {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		if v != nil {
			out[k] = *v
		}
	}
	return out
}

// leaf returns the column at a path, nil if it is not there.
func (g *rowGroup) leaf(path string) *leaf { return g.leaves[path] }

// under returns the columns below a path.
func (g *rowGroup) under(path string) []*leaf {
	var out []*leaf
	for _, name := range slices.Sorted(maps.Keys(g.leaves)) {
		if strings.HasPrefix(name, path+".") {
			out = append(out, g.leaves[name])
		}
	}
	return out
}

// list returns the column of the elements of a list.
func (g *rowGroup) list(path string) *leaf {
	if all := g.under(path); len(all) == 1 {
		return all[0]
	}
	return nil
}

// dict returns the columns of a map.
func (g *rowGroup) dict(path string) dict {
	var d dict
	for _, l := range g.under(path) {
		switch l.path[len(l.path)-1] {
		case "key":
			d.keys = l
		case "value":
			d.items = l
		}
	}
	return d
}

// present returns a test in which rows the struct at a path is not null.
func (g *rowGroup) present(path string) func(row int) bool {
	all := g.under(path)
	if len(all) == 0 {
		return func(int) bool { return false }
	}
	l := all[0]
	level := l.nullAt[strings.Count(path, ".")]
	return func(row int) bool { return l.defs[l.starts[row]] >= level }
}
