package csv

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/compressed"
)

const format = "csv"

// The dialects.
const (
	Polars = "polars" // as polars.DataFrame.write_csv
	Pandas = "pandas" // as pandas.DataFrame.to_csv
	NumPy  = "numpy"  // as numpy.savetxt, of a matrix of numbers
)

// Which fields are quoted.
const (
	Minimal    = "minimal"     // those that could not be read otherwise
	All        = "all"         // all
	NonNumeric = "non_numeric" // all but numbers, as the library understands that
	Never      = "never"       // none
)

// Options say how a CSV file is written. The zero value is polars' way: commas,
// a header, empty fields for nulls.
type Options struct {
	// Dialect is [Polars], which an empty string stands for, [Pandas] or [NumPy],
	// which Matrix belongs to and none of the other options.
	Dialect string `json:"dialect,omitempty"`
	// Separator stands between fields; a comma if empty. It is one ASCII
	// character, but neither a quote nor a line end.
	Separator string `json:"separator,omitempty"`
	// Quote encloses fields: an ASCII character that is no letter, no digit and none
	// of "+-.: _". It is a double quote if empty.
	Quote string `json:"quote,omitempty"`
	// Quoting says which fields are enclosed: [Minimal], which an empty string stands
	// for, [All], [NonNumeric], or in the polars dialect [Never].
	Quoting string `json:"quoting,omitempty"`
	// LineEnd ends lines: "\n", which an empty string stands for, "\r\n" or "\r".
	LineEnd string `json:"line_end,omitempty"`
	// BOM begins the file with a byte order mark.
	BOM bool `json:"bom,omitempty"`
	// Verbatim are the numbers, counted from 0, of string columns that hold fields as
	// they are to be written, quotes included.
	Verbatim []int `json:"verbatim,omitempty"`
	// Header holds the fields of the first line. nil stands for the names of the
	// schema's fields. There may be more or fewer than columns, as pandas has it
	// if labels of the index are left out.
	Header []string `json:"header,omitempty"`
	// Preamble is written as it is before all else: the header, if that is not one
	// line of the columns' names.
	Preamble string `json:"preamble,omitempty"`
	// NoHeader leaves out the first line.
	NoHeader bool `json:"no_header,omitempty"`
	// Null is what is written for a null and, in the pandas dialect, for NaN.
	Null string `json:"null,omitempty"`
	// FloatFormat is how floats are written: "%f", "%e" or "%g" with or without a
	// precision such as "%.2f". If it is empty, floats are written with the
	// fewest digits that read back as the same number.
	FloatFormat string `json:"float_format,omitempty"`
	// ChunkRows is how many rows pandas converts at once, for it writes timestamps
	// with no more digits than any of those rows needs. 0 stands for pandas' own
	// choice: 100,000 divided by the number of columns. It has no meaning in the
	// polars dialect. The rows are counted from the beginning of each batch, so
	// that a batch is to be a whole frame, or to begin at a multiple of ChunkRows
	// in one.
	ChunkRows int `json:"chunk_rows,omitempty"`
	// Compression compresses the file: "gzip" or "zstd". It is none if empty.
	Compression string `json:"compression,omitempty"`
	// CompressionLevel is the codec's level: 0 to 9 for gzip (default 6), 1 to 22
	// for zstd (default 3).
	CompressionLevel *int `json:"compression_level,omitempty"`
	// Matrix says how the NumPy dialect writes.
	Matrix *Matrix `json:"matrix,omitempty"`
	// Compat says where the libraries' installed versions write other bytes than
	// the newest ones.
	Compat Compat `json:"compat,omitzero"`
}

// Compat holds the differences between the versions of the libraries that are
// imitated. The zero value stands for the newest versions.
type Compat struct {
	// BareCR leaves fields that hold a carriage return, but nothing else that is
	// quoted, without quotes in the pandas dialect, as Python before 3.13 does.
	BareCR bool `json:"bare_cr,omitempty"`
	// BareYear leaves out leading zeros of years in the pandas dialect, as pandas
	// before 3.1 does.
	BareYear bool `json:"bare_year,omitempty"`
	// BareExponent leaves out the plus sign of exponents in the polars dialect,
	// as polars did up to some 1.x.
	BareExponent bool `json:"bare_exponent,omitempty"`
	// Float32Digits and Float16Digits are how many digits of a whole part are
	// written without an exponent in the pandas dialect. 0 stands for 6 and 3;
	// NumPy before 2.4 had 16 for both.
	Float32Digits int `json:"float32_digits,omitempty"`
	Float16Digits int `json:"float16_digits,omitempty"`
}

// Format is "csv".
func (o *Options) Format() string { return format }

// NewEncoder returns an encoder of schema onto w. Later batches may have other
// types than schema, but not other columns.
func (o *Options) NewEncoder(ctx context.Context, w io.Writer, schema *arrow.Schema, env encode.Env) (encode.Encoder, error) {
	if o.Dialect == NumPy {
		if o.Matrix == nil {
			return nil, optionError("matrix", "none", "the numpy dialect needs it")
		}
		return o.Matrix.newEncoder(ctx, w, schema, env)
	}
	s, err := o.style(schema.NumFields())
	if err != nil {
		return nil, err
	}
	names := make([]string, schema.NumFields())
	for i, f := range schema.Fields() {
		names[i] = f.Name
		if err := checkType(f.Name, f.Type); err != nil {
			return nil, err
		}
	}
	if err := compressed.Check(format, o.Compression, o.CompressionLevel); err != nil {
		return nil, err
	}
	var below compressed.Writer
	if o.Compression != "" {
		if below, err = compressed.NewWriter(ctx, w, o.Compression, o.CompressionLevel, env.Workers); err != nil {
			return nil, err
		}
		w = below
	}
	e := newEncoder(ctx, w, s, names, o.ChunkRows, env)
	e.below = below
	e.verbatim = o.Verbatim
	preamble := o.Preamble
	if o.BOM {
		preamble = bom + preamble
	}
	if preamble != "" {
		if err := e.text(preamble); err != nil {
			e.Discard()
			return nil, err
		}
	}
	if !o.NoHeader {
		header := o.Header
		if header == nil {
			header = names
		}
		if err := e.header(header); err != nil {
			e.Discard()
			return nil, err
		}
	}
	return e, nil
}

func (o *Options) quote(separator byte) (byte, error) {
	q := o.Quote
	switch {
	case q == "":
		return '"', nil
	case len(q) != 1 || q[0] <= ' ' || q[0] >= 0x7f || q[0] == separator || strings.IndexByte(inNumbers, q[0]) >= 0 || isAlphanumeric(q[0]):
		return 0, optionError("quote", strconv.Quote(q), "it is one ASCII character that occurs in no number and is not the separator")
	}
	return q[0], nil
}

const bom = "\ufeff"

// inNumbers occur in numbers and times, besides letters and digits.
const inNumbers = "+-.: _"

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func (o *Options) separator() (byte, error) {
	s := o.Separator
	switch {
	case s == "":
		return ',', nil
	case len(s) != 1 || s[0] >= 0x80 || s[0] == 0 || s[0] == '"' || s[0] == '\n' || s[0] == '\r':
		return 0, optionError("separator", fmt.Sprintf("%q", s), "it is one ASCII character, but no quote and no line end")
	}
	return s[0], nil
}

func optionError(option string, value any, reason string) error {
	return &encode.OptionError{Format: format, Option: option, Value: value, Reason: reason}
}
