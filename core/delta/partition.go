package delta

import (
	"context"
	"fmt"
	"hash/crc32"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/seojaeohcode/atio/core/encode"
)

// hivePartition stands for null in the names of directories.
const hivePartition = "__HIVE_DEFAULT_PARTITION__"

// checkPartition says why a table of schema s cannot be partitioned by columns.
func checkPartition(s *Schema, columns []string) error {
	seen := map[string]bool{}
	for _, name := range columns {
		i, ok := s.field(name)
		if !ok || s.Fields[i].Name != name {
			return fmt.Errorf("there is no column %q", name)
		}
		if seen[name] {
			return fmt.Errorf("column %q is named twice", name)
		}
		seen[name] = true
		p, ok := s.Fields[i].Type.(Primitive)
		if !ok || p == Binary || p == Void {
			return fmt.Errorf("column %q has type %s, and the values of a partition must be texts, numbers, booleans, dates or timestamps", name, s.Fields[i].Type)
		}
	}
	if len(columns) > 0 && len(columns) == len(s.Fields) {
		return fmt.Errorf("at least one column must not be in partition_by: else the files would have none")
	}
	return nil
}

// partition is one combination of partition values.
type partition struct {
	values map[string]*string
	dir    string // with a slash behind it, "" if the table is not partitioned
}

// partitionOf returns the partition of some values, in the layout of Hive.
func partitionOf(columns []string, values []*string) partition {
	p := partition{values: make(map[string]*string, len(columns))}
	for i, name := range columns {
		p.values[name] = values[i]
		value := hivePartition
		if values[i] != nil {
			value = escapeName(*values[i])
		}
		dir := escapeName(name) + "=" + value
		if len(dir) > 200 { // file systems take 255 bytes
			dir = fmt.Sprintf("%s~%08x", strings.TrimRight(dir[:180], "%0123456789ABCDEF"), crc32.ChecksumIEEE([]byte(dir)))
		}
		p.dir += dir + "/"
	}
	return p
}

// escapeName escapes what may not stand in the name of a directory, as Hive does.
func escapeName(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c < 0x20 || c == 0x7F || strings.IndexByte("\"#%'*/:=?\\{[]^<>|", c) >= 0 || c == '.' && (i == 0 || i == len(s)-1) || c == ' ' && i == len(s)-1 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// coder numbers the values of a partition column.
type coder struct {
	name   string
	typ    Primitive
	codes  map[string]int32
	values []*string
	null   int32 // its number, -1 if there was none
}

func newCoder(name string, typ Primitive) *coder {
	return &coder{name: name, typ: typ, codes: map[string]int32{}, null: -1}
}

func (c *coder) code(text string) int32 {
	code, ok := c.codes[text]
	if !ok {
		text = strings.Clone(text)
		code = int32(len(c.values))
		c.codes[text] = code
		c.values = append(c.values, &text)
	}
	return code
}

func (c *coder) nullCode() int32 {
	if c.null < 0 {
		c.null = int32(len(c.values))
		c.values = append(c.values, nil)
	}
	return c.null
}

// number returns the numbers of an array's values. base is the row its first one
// is in all.
func (c *coder) number(a arrow.Array, base int64) ([]int32, error) {
	out := make([]int32, a.Len())
	if d, ok := a.(*array.Dictionary); ok {
		dict := make([]int32, d.Dictionary().Len())
		for i := range dict {
			dict[i] = -1
		}
		for i := range out {
			if d.IsNull(i) {
				out[i] = c.nullCode()
				continue
			}
			k := d.GetValueIndex(i)
			if dict[k] < 0 {
				code, err := c.one(d.Dictionary(), k, base+int64(i))
				if err != nil {
					return nil, err
				}
				dict[k] = code
			}
			out[i] = dict[k]
		}
		return out, nil
	}
	same := sameAsBefore(a)
	for i := range out {
		if i > 0 && same(i) {
			out[i] = out[i-1]
			continue
		}
		code, err := c.one(a, i, base+int64(i))
		if err != nil {
			return nil, err
		}
		out[i] = code
	}
	return out, nil
}

func (c *coder) one(a arrow.Array, i int, row int64) (int32, error) {
	if a.IsNull(i) {
		return c.nullCode(), nil
	}
	text, err := partitionText(a, i, c.typ)
	if err != nil {
		return 0, &encode.ValueError{Format: format, Column: c.name, Row: row, Reason: err.Error()}
	}
	return c.code(text), nil
}

// sameAsBefore returns a quick test whether a value is that of the row before.
func sameAsBefore(a arrow.Array) func(int) bool {
	if a.NullN() > 0 {
		return func(int) bool { return false }
	}
	switch a := a.(type) {
	case *array.Int8, *array.Uint8:
		v := valuesOf[int8](a)
		return func(i int) bool { return v[i] == v[i-1] }
	case *array.Int16:
		v := a.Int16Values()
		return func(i int) bool { return v[i] == v[i-1] }
	case *array.Int32, *array.Date32:
		v := valuesOf[int32](a)
		return func(i int) bool { return v[i] == v[i-1] }
	case *array.Int64, *array.Timestamp:
		v := valuesOf[int64](a)
		return func(i int) bool { return v[i] == v[i-1] }
	case interface{ Value(int) string }:
		return func(i int) bool { return a.Value(i) == a.Value(i-1) }
	}
	return func(int) bool { return false }
}

// partitionText writes a value ("Partition Value Serialization").
func partitionText(a arrow.Array, i int, t Primitive) (string, error) {
	switch a := a.(type) {
	case interface{ Value(int) string }:
		v := a.Value(i)
		if v == "" {
			return "", fmt.Errorf("an empty text cannot be the value of a partition, since Delta takes it for null: replace it, or do not partition by this column")
		}
		return v, nil
	case *array.Boolean:
		return strconv.FormatBool(a.Value(i)), nil
	case *array.Int8:
		return strconv.Itoa(int(a.Value(i))), nil
	case *array.Int16:
		return strconv.Itoa(int(a.Value(i))), nil
	case *array.Int32:
		return strconv.Itoa(int(a.Value(i))), nil
	case *array.Int64:
		return strconv.FormatInt(a.Value(i), 10), nil
	case *array.Float32:
		return floatText(float64(a.Value(i)), 32)
	case *array.Float64:
		return floatText(a.Value(i), 64)
	case *array.Date32:
		return timeText(time.Unix(int64(a.Value(i))*24*60*60, 0), "2006-01-02")
	case *array.Timestamp:
		if t == Timestamp {
			return timeText(time.UnixMicro(int64(a.Value(i))), "2006-01-02T15:04:05.000000Z")
		}
		return timeText(time.UnixMicro(int64(a.Value(i))), "2006-01-02 15:04:05.000000")
	case *array.Decimal128:
		return decimalText(a.Value(i).BigInt(), a.DataType().(*arrow.Decimal128Type).Scale), nil
	}
	return "", fmt.Errorf("a value of type %s cannot be that of a partition", a.DataType())
}

func floatText(v float64, bits int) (string, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "", fmt.Errorf("%v cannot be the value of a partition: replace it, or do not partition by this column", v)
	}
	return strconv.FormatFloat(v, 'g', -1, bits), nil
}

func timeText(t time.Time, layout string) (string, error) {
	t = t.UTC()
	if t.Year() < 1 || t.Year() > 9999 {
		return "", fmt.Errorf("%v cannot be the value of a partition: years go from 1 to 9999 there", t)
	}
	return t.Format(layout), nil
}

// splitter tells the rows of batches apart by their partitions.
type splitter struct {
	columns []string
	coders  []*coder
	groups  map[string]int
	parts   []partition
}

func newSplitter(columns []string, s *Schema) *splitter {
	p := &splitter{columns: columns, groups: map[string]int{}}
	for _, name := range columns {
		i, _ := s.field(name)
		p.coders = append(p.coders, newCoder(name, s.Fields[i].Type.(Primitive)))
	}
	return p
}

// split calls f with the rows of each partition in a batch, whose values of the
// partition columns are keys. base is the row its first one is in all.
func (p *splitter) split(ctx context.Context, rec arrow.RecordBatch, keys []arrow.Array, base int64, f func(partition, arrow.RecordBatch) error) error {
	n := int(rec.NumRows())
	codes := make([][]int32, len(p.columns))
	for i, c := range p.coders {
		var err error
		if codes[i], err = c.number(keys[i], base); err != nil {
			return err
		}
	}
	group := make([]int, n)
	runs := 0
	key := make([]byte, 4*len(codes))
	for row := range n {
		same := row > 0
		for i, c := range codes {
			same = same && c[row] == c[row-1]
			for b := range 4 {
				key[4*i+b] = byte(c[row] >> (8 * b))
			}
		}
		if same {
			group[row] = group[row-1]
			continue
		}
		runs++
		g, ok := p.groups[string(key)]
		if !ok {
			values := make([]*string, len(codes))
			for i, c := range codes {
				values[i] = p.coders[i].values[c[row]]
			}
			g = len(p.parts)
			p.groups[string(key)] = g
			p.parts = append(p.parts, partitionOf(p.columns, values))
		}
		group[row] = g
	}
	if runs <= 1 || n/runs >= 256 { // long runs are cut out without copying
		for from := 0; from < n; {
			to := from + 1
			for to < n && group[to] == group[from] {
				to++
			}
			part := rec.NewSlice(int64(from), int64(to))
			err := f(p.parts[group[from]], part)
			part.Release()
			if err != nil {
				return err
			}
			from = to
		}
		return nil
	}
	return p.gather(ctx, rec, group, f)
}

// gather copies the rows of each partition together.
func (p *splitter) gather(ctx context.Context, rec arrow.RecordBatch, group []int, f func(partition, arrow.RecordBatch) error) error {
	counts := map[int]int{}
	var order []int
	for _, g := range group {
		if counts[g] == 0 {
			order = append(order, g)
		}
		counts[g]++
	}
	rows := make(map[int][]int32, len(order))
	for _, g := range order {
		rows[g] = make([]int32, 0, counts[g])
	}
	for i, g := range group {
		rows[g] = append(rows[g], int32(i))
	}
	for _, g := range order {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		part, err := take(ctx, rec, rows[g])
		if err != nil {
			return err
		}
		err = f(p.parts[g], part)
		part.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

func take(ctx context.Context, rec arrow.RecordBatch, rows []int32) (arrow.RecordBatch, error) {
	b := array.NewInt32Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(rows, nil)
	index := b.NewArray()
	defer index.Release()
	columns := make([]arrow.Array, rec.NumCols())
	defer func() {
		for _, c := range columns {
			if c != nil {
				c.Release()
			}
		}
	}()
	for i := range columns {
		var err error
		columns[i], err = takeColumn(ctx, rec.Column(i), index)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", rec.ColumnName(i), err)
		}
	}
	return array.NewRecordBatch(rec.Schema(), columns, int64(len(rows))), nil
}

// takeColumn returns the elements of a column at some places. Of a dictionary only
// the codes are taken here: what [compute] makes of one does not hold the values,
// which are gone when the batch is.
func takeColumn(ctx context.Context, column, index arrow.Array) (arrow.Array, error) {
	d, ok := column.(*array.Dictionary)
	if !ok {
		return compute.TakeArrayOpts(ctx, column, index, compute.TakeOptions{BoundsCheck: false})
	}
	codes, err := compute.TakeArrayOpts(ctx, d.Indices(), index, compute.TakeOptions{BoundsCheck: false})
	if err != nil {
		return nil, err
	}
	defer codes.Release()
	data := codes.Data()
	values := d.Dictionary().Data().(*array.Data)
	taken := array.NewDataWithDictionary(d.DataType(), data.Len(), data.Buffers(), data.NullN(), data.Offset(), values)
	defer taken.Release()
	return array.MakeFromData(taken), nil
}

// takeable returns a batch whose columns [compute] can take rows of: views are not
// among them. All batches go through it, so that all files of a write are alike.
func takeable(rec arrow.RecordBatch) arrow.RecordBatch {
	columns := make([]arrow.Array, rec.NumCols())
	fields := rec.Schema().Fields()
	defer func() {
		for _, c := range columns {
			c.Release()
		}
	}()
	for i := range columns {
		columns[i] = withoutViews(rec.Column(i))
		fields[i].Type = columns[i].DataType()
	}
	meta := rec.Schema().Metadata()
	return array.NewRecordBatch(arrow.NewSchema(fields, &meta), columns, rec.NumRows())
}

func withoutViews(a arrow.Array) arrow.Array {
	switch v := a.(type) {
	case *array.StringView:
		b := array.NewLargeStringBuilder(memory.DefaultAllocator)
		defer b.Release()
		b.Reserve(v.Len())
		for i := range v.Len() {
			if v.IsNull(i) {
				b.AppendNull()
			} else {
				b.Append(v.Value(i))
			}
		}
		return b.NewArray()
	case *array.BinaryView:
		b := array.NewBinaryBuilder(memory.DefaultAllocator, arrow.BinaryTypes.LargeBinary)
		defer b.Release()
		b.Reserve(v.Len())
		for i := range v.Len() {
			if v.IsNull(i) {
				b.AppendNull()
			} else {
				b.Append(v.Value(i))
			}
		}
		return b.NewArray()
	}
	a.Retain()
	return a
}
