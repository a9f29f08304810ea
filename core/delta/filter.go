package delta

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
)

// Filter is an OR of ANDs of predicates, as pyarrow has it. An empty one is
// always true.
type Filter [][]Predicate

// Predicate compares a column with a literal.
type Predicate struct {
	Column string `json:"column"`
	Op     string `json:"op"`    // =, ==, !=, <, <=, >, >=, in, not in, is null, not null
	Value  any    `json:"value"` // number, text, boolean; a list of such for in and not in; dates and timestamps as ISO text, decimals as text or number
}

var operators = []string{"=", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "is null", "not null"}

// compile returns a test that is false for files in which no row can satisfy the
// filter. It only ever errs on the side of reading a file.
func (f Filter) compile(s *Snapshot) (func(*Add) bool, error) {
	if len(f) == 0 {
		return func(*Add) bool { return true }, nil
	}
	all := make([][]test, len(f))
	for i, and := range f {
		for _, p := range and {
			x, err := p.compile(s)
			if err != nil {
				return nil, err
			}
			all[i] = append(all[i], x)
		}
	}
	return func(a *Add) bool {
		stats := parseStats(a.Stats)
		return slices.ContainsFunc(all, func(and []test) bool {
			return !slices.ContainsFunc(and, func(x test) bool { return x.excludes(a, stats) })
		})
	}, nil
}

// test is a predicate on a column of a known type.
type test struct {
	op        string
	column    string
	typ       Primitive // "" if its bounds do not tell
	partition bool
	values    []value
	loose     bool // not all literals could be read, or one is null
}

func (p Predicate) compile(s *Snapshot) (test, error) {
	fail := func(reason string) (test, error) {
		return test{}, &OptionError{Path: s.table.path, Option: "filters", Reason: reason}
	}
	op := strings.ToLower(strings.TrimSpace(p.Op))
	if !slices.Contains(operators, op) {
		return fail(fmt.Sprintf("operator %q is unknown; there are %s", p.Op, strings.Join(operators, ", ")))
	}
	i, ok := s.schema.field(p.Column)
	if !ok {
		return fail(fmt.Sprintf("there is no column %q", p.Column))
	}
	f := s.schema.Fields[i]
	x := test{op: op, column: f.Name, partition: slices.Contains(s.Metadata.PartitionColumns, f.Name)}
	if op == "==" {
		x.op = "="
	}
	typ, ok := f.Type.(Primitive)
	if !ok || !isComparable(f) {
		return x, nil
	}
	x.typ = typ
	if op == "is null" || op == "not null" {
		return x, nil
	}
	literals := []any{p.Value}
	if op == "in" || op == "not in" {
		if literals, ok = p.Value.([]any); !ok {
			return fail(fmt.Sprintf("operator %q needs a list of values", op))
		}
	}
	for _, l := range literals {
		v, ok := literal(typ, l)
		if !ok {
			x.loose = true
			continue
		}
		x.values = append(x.values, v)
	}
	return x, nil
}

// isComparable says whether literals for a column are in the terms of what is
// stored. Times and durations are stored as numbers.
func isComparable(f Field) bool {
	orig, err := f.original()
	if err != nil {
		return false
	}
	switch plain(orig.Type).ID() {
	case arrow.TIME32, arrow.TIME64, arrow.DURATION:
		return false
	case arrow.TIMESTAMP:
		return f.Type != Long
	}
	return true
}

// value is a literal or a bound: a number, a text, or a time in microseconds.
type value struct {
	number *big.Rat
	text   string
	micros int64
}

func (v value) compare(o value) int {
	if v.number != nil && o.number != nil {
		return v.number.Cmp(o.number)
	}
	return cmp.Or(cmp.Compare(v.micros, o.micros), cmp.Compare(v.text, o.text))
}

// literal reads a value of a type from JSON.
func literal(t Primitive, x any) (value, bool) {
	switch x := x.(type) {
	case json.Number:
		return parseValue(t, x.String())
	case string:
		return parseValue(t, x)
	case bool:
		return parseValue(t, fmt.Sprint(x))
	case float64, float32, int, int64, int32, uint64:
		return parseValue(t, fmt.Sprint(x))
	}
	return value{}, false
}

// parseValue reads a value of a type from text, as in partition values and bounds.
func parseValue(t Primitive, text string) (value, bool) {
	switch t {
	case String:
		return value{text: text}, true
	case Boolean:
		return value{text: text}, text == "true" || text == "false"
	case Date, Timestamp, TimestampNTZ:
		us, ok := parseTime(text)
		return value{micros: us}, ok
	case Binary, Void:
		return value{}, false
	}
	if len(text) > 400 { // no number that is meant
		return value{}, false
	}
	if strings.ContainsAny(text, "eE") { // big.Rat would write out any exponent
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return value{}, false
		}
		return value{number: new(big.Rat).SetFloat64(f)}, true
	}
	r, ok := new(big.Rat).SetString(text)
	return value{number: r}, ok
}

var timeLayouts = []string{
	"2006-01-02", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z07:00",
}

func parseTime(text string) (micros int64, ok bool) {
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UnixMicro(), t.Nanosecond()%1000 == 0
		}
	}
	return 0, false
}

// bounds are what is known of the values of a column in a file.
type bounds struct {
	low, high value
	has       [2]bool // low and high
	exact     bool    // they are values that are there, not cut off
	nulls     int64   // -1 if not known
	rows      int64   // -1 if not known
}

func (x *test) bounds(a *Add, stats *fileStats) bounds {
	b := bounds{nulls: -1, rows: stats.rows()}
	if x.partition {
		text, ok := a.PartitionValues[x.column]
		if !ok || text == nil || *text == "" {
			b.nulls, b.rows = 1, 1
			return b
		}
		b.nulls = 0
		if v, ok := parseValue(x.typ, *text); ok {
			b.low, b.high, b.has, b.exact = v, v, [2]bool{true, true}, true
		}
		return b
	}
	if n := int64(-1); json.Unmarshal(stats.NullCount[x.column], &n) == nil {
		b.nulls = n
	}
	b.low, b.has[0] = boundOf(x.typ, stats.MinValues[x.column])
	b.high, b.has[1] = boundOf(x.typ, stats.MaxValues[x.column])
	switch x.typ {
	case Timestamp, TimestampNTZ:
		b.high.micros += 999 // bounds may be cut off to milliseconds
	case String:
		b.exact = utf8.RuneCountInString(b.low.text) < longestText && utf8.RuneCountInString(b.high.text) < longestText
	case Float, Double:
	default:
		b.exact = true
	}
	return b
}

func boundOf(t Primitive, raw json.RawMessage) (value, bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return value{}, false
	}
	text := string(raw)
	if raw[0] == '"' && json.Unmarshal(raw, &text) != nil {
		return value{}, false
	}
	return parseValue(t, text)
}

// excludes says that no row of a file satisfies the predicate.
func (x *test) excludes(a *Add, stats *fileStats) bool {
	if x.typ == "" {
		return false
	}
	b := x.bounds(a, stats)
	allNull := b.rows >= 0 && b.nulls == b.rows
	switch x.op {
	case "is null":
		return b.nulls == 0
	case "not null":
		return allNull
	}
	if x.loose {
		return false
	}
	if allNull { // nothing compares with null
		return true
	}
	equals := func(v value) bool {
		return !(b.has[0] && v.compare(b.low) < 0 || b.has[1] && v.compare(b.high) > 0)
	}
	only := func(v value) bool {
		return b.exact && b.has[0] && b.has[1] && b.low.compare(v) == 0 && b.high.compare(v) == 0
	}
	switch x.op {
	case "=", "in":
		return !slices.ContainsFunc(x.values, equals)
	case "!=", "not in":
		return slices.ContainsFunc(x.values, only)
	case "<":
		return b.has[0] && b.low.compare(x.values[0]) >= 0
	case "<=":
		return b.has[0] && b.low.compare(x.values[0]) > 0
	case ">":
		return b.has[1] && b.high.compare(x.values[0]) <= 0
	case ">=":
		return b.has[1] && b.high.compare(x.values[0]) < 0
	}
	return false
}
