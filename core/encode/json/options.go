package json

import (
	"context"
	"io"
	"slices"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/compressed"
)

// The dialects.
const (
	Polars = "polars" // as polars.DataFrame.write_json and write_ndjson
	Pandas = "pandas" // as pandas.DataFrame.to_json
)

// The orients, with what they make of columns a and b, and of labels x and y of rows.
const (
	Records = "records" // [{"a":1,"b":2},{"a":3,"b":4}]
	Values  = "values"  // [[1,2],[3,4]]
	Split   = "split"   // {"columns":["a","b"],"index":["x","y"],"data":[[1,2],[3,4]]}
	Index   = "index"   // {"x":{"a":1,"b":2},"y":{"a":3,"b":4}}
	Columns = "columns" // {"a":{"x":1,"y":3},"b":{"x":2,"y":4}}
)

// Options say how a JSON file is written. The zero value is one array of objects in
// polars' way.
type Options struct {
	// Lines writes an object on each line (ndjson) instead of one array.
	Lines bool `json:"lines,omitempty"`
	// Dialect is [Polars], which an empty string stands for, or [Pandas], which all
	// that follows but the compression belongs to.
	Dialect string `json:"dialect,omitempty"`
	// Orient says what the text is made of: [Records], which an empty string stands
	// for, [Values], [Split], [Index] or [Columns]. Split and Columns keep all
	// batches in memory until the encoder is closed.
	Orient string `json:"orient,omitempty"`
	// RowLabels says that the first column holds the labels of rows: integers,
	// strings or timestamps. The orients Index and Columns need it, Split can have
	// it, the others not.
	RowLabels bool `json:"row_labels,omitempty"`
	// Labels are the labels of the other columns; nil stands for their names.
	Labels []string `json:"labels,omitempty"`
	// Before is the text of an object up to the value that the data are, such as
	// `{"schema":{},"data":`. The object ends behind them. Orient Split, which
	// otherwise begins with the columns' labels, continues here with its index, or
	// with its data if there are no RowLabels.
	Before string `json:"before,omitempty"`
	// Precision is how many decimals floats have at most, 0 to 15; nil stands for 10.
	Precision *int `json:"precision,omitempty"`
	// Unicode writes characters beyond ASCII as they are, not as \uXXXX.
	Unicode bool `json:"unicode,omitempty"`
	// DateUnit says how finely timestamps are written, in ISO 8601: "s", "ms",
	// which an empty string stands for, "us" or "ns". Those with a time zone are
	// written in UTC with a Z behind.
	DateUnit string `json:"date_unit,omitempty"`
	// Indent begins a line for each value, with so many blanks for each level.
	Indent int `json:"indent,omitempty"`
	// Verbatim are the numbers, counted from 0, of string columns that hold JSON
	// text. It has a meaning in both dialects.
	Verbatim []int `json:"verbatim,omitempty"`
	// Compression compresses the file: "gzip" or "zstd". It is none if empty.
	Compression string `json:"compression,omitempty"`
	// CompressionLevel is the codec's level: 0 to 9 for gzip (default 6), 1 to 22
	// for zstd (default 3).
	CompressionLevel *int `json:"compression_level,omitempty"`
}

// Format is "json", or "ndjson" if Lines is set.
func (o *Options) Format() string {
	if o.Lines {
		return "ndjson"
	}
	return "json"
}

// NewEncoder returns an encoder of schema onto w. Later batches may have other
// columns in the polars dialect, and other types in both.
func (o *Options) NewEncoder(ctx context.Context, w io.Writer, schema *arrow.Schema, env encode.Env) (encode.Encoder, error) {
	s, err := o.style()
	if err != nil {
		return nil, err
	}
	if err := o.checkColumns(schema); err != nil {
		return nil, err
	}
	if err := compressed.Check(o.Format(), o.Compression, o.CompressionLevel); err != nil {
		return nil, err
	}
	return newEncoder(ctx, w, o, s, schema, env)
}

const defaultPrecision, maxPrecision = 10, 15

// style checks the options that do not depend on the columns.
func (o *Options) style() (*style, error) {
	switch o.Dialect {
	case Pandas:
	case "", Polars:
		if o.Orient != "" || o.RowLabels || o.Labels != nil || o.Before != "" || o.Precision != nil || o.Unicode || o.DateUnit != "" || o.Indent != 0 {
			return nil, o.optionError("dialect", o.Dialect, "orient, row_labels, labels, before, precision, unicode, date_unit and indent belong to that of pandas")
		}
		return &style{escaping: escapingOfPolars, decimals: -1}, nil
	default:
		return nil, o.optionError("dialect", strconv.Quote(o.Dialect), `it is "polars" or "pandas"`)
	}
	s := &style{pandas: true, precision: defaultPrecision, escaping: escapingToASCII}
	if o.Unicode {
		s.escaping = escapingOfPandas
	}
	if o.Precision != nil {
		if s.precision = *o.Precision; s.precision < 0 || s.precision > maxPrecision {
			return nil, o.optionError("precision", s.precision, "it is from 0 to 15")
		}
	}
	units := []string{"s", "ms", "us", "ns"}
	unit := o.DateUnit
	if unit == "" {
		unit = "ms"
	}
	at := slices.Index(units, unit)
	if at < 0 {
		return nil, o.optionError("date_unit", strconv.Quote(unit), `it is "s", "ms", "us" or "ns"`)
	}
	s.decimals = 3 * at
	if o.Indent < 0 {
		return nil, o.optionError("indent", o.Indent, "it is not negative")
	}
	return s, o.checkOrient()
}

func (o *Options) checkOrient() error {
	orient := o.orient()
	switch orient {
	case Records, Values:
		if o.RowLabels {
			return o.optionError("row_labels", true, `orients "records" and "values" have no labels of rows`)
		}
	case Index, Columns:
		if !o.RowLabels {
			return o.optionError("row_labels", false, `orients "index" and "columns" need labels of rows`)
		}
	case Split:
	default:
		return o.optionError("orient", strconv.Quote(orient), `it is "records", "values", "split", "index" or "columns"`)
	}
	if o.Lines && (orient != Records || o.Indent != 0 || o.Before != "") {
		return o.optionError("lines", true, `it goes with orient "records" alone, without indent and before`)
	}
	return nil
}

func (o *Options) orient() string {
	if o.Orient == "" {
		return Records
	}
	return o.Orient
}

// checkColumns returns an error if a batch with this schema cannot be written.
func (o *Options) checkColumns(schema *arrow.Schema) error {
	for _, f := range schema.Fields() {
		if err := o.checkType(f.Name, f.Type); err != nil {
			return err
		}
	}
	for _, i := range o.Verbatim {
		if i < 0 || i >= schema.NumFields() || !isText(schema.Field(i).Type) {
			return o.optionError("verbatim", i, "it is the number of a string column")
		}
	}
	labels := schema.NumFields()
	if o.RowLabels {
		if labels == 0 {
			return o.optionError("row_labels", true, "there is no column")
		}
		labels--
		if f := schema.Field(0); o.orient() != Split && !canBeLabel(f.Type) {
			return &encode.UnsupportedError{Format: o.Format(), Column: f.Name, Type: f.Type.String(), Reason: "labels of rows are integers, strings or timestamps"}
		}
	}
	if o.Labels != nil && len(o.Labels) != labels {
		return o.optionError("labels", len(o.Labels), "there is one for each column, "+strconv.Itoa(labels)+" in all")
	}
	return nil
}

// labelsOf are the labels of columns.
func (o *Options) labelsOf(schema *arrow.Schema) []string {
	if o.Labels != nil {
		return o.Labels
	}
	fields := schema.Fields()
	if o.RowLabels {
		fields = fields[1:]
	}
	labels := make([]string, len(fields))
	for i, f := range fields {
		labels[i] = f.Name
	}
	return labels
}

func (o *Options) optionError(option string, value any, reason string) error {
	return &encode.OptionError{Format: o.Format(), Option: option, Value: value, Reason: reason}
}

func isText(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW:
		return true
	}
	return false
}

func canBeLabel(t arrow.DataType) bool {
	return isText(t) || arrow.IsInteger(t.ID()) || t.ID() == arrow.TIMESTAMP
}

// checkType returns an error if columns of this type cannot be written.
func (o *Options) checkType(name string, t arrow.DataType) error {
	reason := "Go writes numbers, booleans, strings, dates, times, timestamps in UTC or without a zone, and lists and structs of these"
	switch t := t.(type) {
	case *arrow.NullType, *arrow.BooleanType,
		*arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type,
		*arrow.Uint8Type, *arrow.Uint16Type, *arrow.Uint32Type, *arrow.Uint64Type,
		*arrow.Float16Type, *arrow.Float32Type, *arrow.Float64Type,
		*arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType:
		return nil
	case *arrow.DurationType:
		return nil
	case *arrow.Date32Type, *arrow.Time64Type, *arrow.Decimal128Type:
		if o.Dialect != Pandas {
			return nil
		}
		reason = "it is not written in the pandas dialect; convert it to strings first"
	case *arrow.TimestampType:
		if t.TimeZone == "" || t.TimeZone == "UTC" || o.Dialect == Pandas {
			return nil
		}
	case *arrow.DictionaryType:
		switch t.ValueType.ID() {
		case arrow.DICTIONARY, arrow.LIST, arrow.STRUCT:
		default:
			return o.checkType(name, t.ValueType)
		}
	case *arrow.ListType:
		return o.checkType(name+".item", t.Elem())
	case *arrow.LargeListType:
		return o.checkType(name+".item", t.Elem())
	case *arrow.FixedSizeListType:
		return o.checkType(name+".item", t.Elem())
	case *arrow.StructType:
		for _, f := range t.Fields() {
			if err := o.checkType(name+"."+f.Name, f.Type); err != nil {
				return err
			}
		}
		return nil
	}
	return &encode.UnsupportedError{Format: o.Format(), Column: name, Type: t.String(), Reason: reason}
}
