package delta

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// Statistics of a file ("Per-file Statistics"). Bounds and null counts are those
// that the encoder has put into the file's footer; only what a footer does not
// tell is looked for in the batches.

// indexedColumns is how many leaf columns have statistics, as in Spark.
const indexedColumns = 32

// longestText is the number of characters of a bound, as in Spark.
const longestText = 32

// seen is what the batches of a file tell and its footer does not.
type seen struct {
	nan   map[string]bool  // paths of columns in which there is NaN
	nulls map[string]int64 // null counts of lists and maps, by name
}

func newSeen() *seen { return &seen{nan: map[string]bool{}, nulls: map[string]int64{}} }

func (s *seen) add(rec arrow.RecordBatch) {
	for i, f := range rec.Schema().Fields() {
		s.column(f.Name, rec.Column(i), true)
	}
}

func (s *seen) column(path string, a arrow.Array, top bool) {
	switch a := a.(type) {
	case *array.Float32:
		if !s.nan[path] {
			s.nan[path] = hasNaN(a.Values())
		}
	case *array.Float64:
		if !s.nan[path] {
			s.nan[path] = hasNaN(a.Values())
		}
	case *array.Dictionary:
		s.column(path, a.Dictionary(), false)
	case *array.Struct:
		for i, f := range a.DataType().(*arrow.StructType).Fields() {
			s.column(path+"."+f.Name, a.Field(i), false)
		}
	case array.ListLike:
		if top {
			s.nulls[path] += int64(a.NullN())
		}
	}
}

func hasNaN[T float32 | float64](values []T) bool {
	// Only NaN differs from itself. Without a branch, so that it takes no time.
	n := 0
	for _, v := range values {
		if v != v {
			n++
		}
	}
	return n > 0
}

// bound is the smallest or largest value of a column, to compare and to write.
type bound struct {
	number int64
	float  float64
	big    *big.Int
	text   string
}

func (b bound) less(o bound) bool {
	switch {
	case b.big != nil:
		return b.big.Cmp(o.big) < 0
	case b.float != o.float:
		return b.float < o.float
	case b.number != o.number:
		return b.number < o.number
	}
	return b.text < o.text
}

// leafStats are those of a leaf over all row groups.
type leafStats struct {
	nulls    int64
	min, max bound
	known    bool // min and max are
	lost     bool // a row group has values and no bounds
}

// statistics returns the statistics of a file as the log has them, from its
// footer. columns is how many leaves get them, -1 for all.
func statistics(footer *metadata.FileMetaData, types map[string]Type, s *seen, columns int) (string, error) {
	minValues, maxValues, nullCount := map[string]any{}, map[string]any{}, map[string]any{}
	n := footer.Schema.NumColumns()
	if columns >= 0 {
		n = min(n, columns)
	}
	for i := range n {
		col := footer.Schema.Column(i)
		path := col.ColumnPath()
		if col.MaxRepetitionLevel() > 0 {
			if nulls, ok := s.nulls[path[0]]; ok {
				nullCount[path[0]] = nulls
			}
			continue
		}
		leaf, err := leafOf(footer, i, col)
		if err != nil {
			return "", err
		}
		put(nullCount, path, leaf.nulls)
		typ := types[strings.Join(path, ".")]
		if leaf.lost || !leaf.known || typ == nil {
			continue
		}
		if v, ok := boundJSON(typ, leaf.min, false); ok {
			put(minValues, path, v)
		}
		// Engines that take NaN for the largest number must not skip it.
		if v, ok := boundJSON(typ, leaf.max, true); ok && !s.nan[strings.Join(path, ".")] {
			put(maxValues, path, v)
		}
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(struct {
		NumRecords int64          `json:"numRecords"`
		MinValues  map[string]any `json:"minValues"`
		MaxValues  map[string]any `json:"maxValues"`
		NullCount  map[string]any `json:"nullCount"`
	}{footer.NumRows, minValues, maxValues, nullCount})
	return strings.TrimSpace(buf.String()), err
}

// put sets a value at a path of nested objects.
func put(m map[string]any, path []string, v any) {
	for _, name := range path[:len(path)-1] {
		inner, ok := m[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			m[name] = inner
		}
		m = inner
	}
	m[path[len(path)-1]] = v
}

func leafOf(footer *metadata.FileMetaData, i int, col *schema.Column) (leafStats, error) {
	var out leafStats
	for g := range footer.NumRowGroups() {
		chunk, err := footer.RowGroup(g).ColumnChunk(i)
		if err != nil {
			return out, err
		}
		stats, err := chunk.Statistics()
		if err != nil {
			return out, err
		}
		if stats == nil {
			out.lost = true
			continue
		}
		out.nulls += stats.NullCount()
		if !stats.HasMinMax() {
			out.lost = out.lost || stats.NullCount() < chunk.NumValues()
			continue
		}
		low, high := decodeBound(col, stats.EncodeMin()), decodeBound(col, stats.EncodeMax())
		if !out.known || low.less(out.min) {
			out.min = low
		}
		if !out.known || out.max.less(high) {
			out.max = high
		}
		out.known = true
	}
	return out, nil
}

// decodeBound reads a value in PLAIN encoding.
func decodeBound(col *schema.Column, b []byte) bound {
	switch col.PhysicalType().String() {
	case "BOOLEAN":
		if len(b) > 0 {
			return bound{number: int64(b[0])}
		}
	case "INT32":
		if len(b) == 4 {
			return bound{number: int64(int32(binary.LittleEndian.Uint32(b)))}
		}
	case "INT64":
		if len(b) == 8 {
			return bound{number: int64(binary.LittleEndian.Uint64(b))}
		}
	case "FLOAT":
		if len(b) == 4 {
			return bound{float: float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))}
		}
	case "DOUBLE":
		if len(b) == 8 {
			return bound{float: math.Float64frombits(binary.LittleEndian.Uint64(b))}
		}
	case "FIXED_LEN_BYTE_ARRAY":
		v := new(big.Int).SetBytes(b)
		if len(b) > 0 && b[0] >= 0x80 {
			v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
		}
		return bound{big: v}
	}
	return bound{text: string(b)}
}

// boundJSON returns a bound as JSON of a type, if there may be one.
func boundJSON(t Type, b bound, upper bool) (any, bool) {
	p, ok := t.(Primitive)
	if !ok {
		return nil, false
	}
	switch p {
	case Long, Integer, Short, Byte:
		return b.number, true
	case Float, Double:
		if math.IsInf(b.float, 0) || math.IsNaN(b.float) {
			return nil, false
		}
		bits := 64
		if p == Float {
			bits = 32
		}
		return json.RawMessage(strconv.FormatFloat(b.float, 'g', -1, bits)), true
	case String:
		return shortText(b.text, upper)
	case Date:
		return formatTime(time.Unix(b.number*24*60*60, 0), "2006-01-02")
	case Timestamp:
		return formatTime(millis(b.number, upper), "2006-01-02T15:04:05.000Z")
	case TimestampNTZ:
		return formatTime(millis(b.number, upper), "2006-01-02T15:04:05.000")
	}
	if _, scale, ok := p.decimal(); ok {
		if b.big == nil {
			b.big = big.NewInt(b.number)
		}
		return json.RawMessage(decimalText(b.big, scale)), true
	}
	return nil, false // booleans and binaries have none
}

// millis brings microseconds to milliseconds: down, and up for an upper bound,
// since not all readers know that bounds are cut off.
func millis(us int64, upper bool) time.Time {
	ms := us / 1000
	if us%1000 < 0 {
		ms--
	}
	if upper && us%1000 != 0 {
		ms++
	}
	return time.UnixMilli(ms)
}

func formatTime(t time.Time, layout string) (any, bool) {
	t = t.UTC()
	return t.Format(layout), t.Year() >= 1 && t.Year() <= 9999
}

// shortText cuts a text to a bound's length, an upper one so that it stays one.
func shortText(s string, upper bool) (any, bool) {
	if !utf8.ValidString(s) {
		return nil, false
	}
	runes := []rune(s)
	if len(runes) <= longestText {
		return s, true
	}
	runes = runes[:longestText]
	if !upper {
		return string(runes), true
	}
	for i := len(runes) - 1; i >= 0; i-- {
		r := runes[i] + 1
		if r == 0xD800 {
			r = 0xE000 // surrogates are no characters
		}
		if r <= utf8.MaxRune {
			return string(append(runes[:i:i], r)), true
		}
	}
	return nil, false
}

// decimalText writes an unscaled number with its decimal point.
func decimalText(v *big.Int, scale int32) string {
	if scale == 0 {
		return v.String()
	}
	digits := new(big.Int).Abs(v).String()
	if pad := int(scale) + 1 - len(digits); pad > 0 {
		digits = strings.Repeat("0", pad) + digits
	}
	point := len(digits) - int(scale)
	sign := ""
	if v.Sign() < 0 {
		sign = "-"
	}
	return sign + digits[:point] + "." + digits[point:]
}

// leafTypes returns the Delta types of all columns by their dotted paths.
func leafTypes(s *Schema) map[string]Type {
	types := map[string]Type{}
	s.walkFields(func(path string, f Field) { types[path] = f.Type })
	return types
}

// readFooter reads the footer of a Parquet file.
func readFooter(r io.ReaderAt, size int64) (meta *metadata.FileMetaData, err error) {
	defer func() {
		if p := recover(); p != nil { // arrow-go on a broken footer
			err = fmt.Errorf("its footer cannot be read: %v", p)
		}
	}()
	var tail [8]byte
	if _, err := r.ReadAt(tail[:], size-8); err != nil {
		return nil, err
	}
	length := int64(binary.LittleEndian.Uint32(tail[:]))
	if string(tail[4:]) != "PAR1" || length > size-8 {
		return nil, fmt.Errorf("it is no Parquet file")
	}
	buf := make([]byte, length)
	if _, err := r.ReadAt(buf, size-8-length); err != nil {
		return nil, err
	}
	return metadata.NewFileMetaData(buf, nil)
}
