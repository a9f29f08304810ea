package json

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
)

// Options say how a JSON file is written. The zero value is one array of objects.
type Options struct {
	// Lines writes an object on each line (ndjson) instead of one array.
	Lines bool `json:"lines,omitempty"`
}

// Format is "json", or "ndjson" if Lines is set.
func (o *Options) Format() string {
	if o.Lines {
		return "ndjson"
	}
	return "json"
}

// NewEncoder returns an encoder of schema onto w. Later batches may have other
// columns.
func (o *Options) NewEncoder(ctx context.Context, w io.Writer, schema *arrow.Schema, env encode.Env) (encode.Encoder, error) {
	if err := o.checkTypes(schema); err != nil {
		return nil, err
	}
	return newEncoder(ctx, w, o, env)
}

func (o *Options) checkTypes(schema *arrow.Schema) error {
	for _, f := range schema.Fields() {
		if err := o.checkType(f.Name, f.Type); err != nil {
			return err
		}
	}
	return nil
}

// checkType returns an error if columns of this type cannot be written.
func (o *Options) checkType(name string, t arrow.DataType) error {
	reason := "Go writes numbers, booleans, strings, dates, times, timestamps without a zone, and lists and structs of these"
	switch t := t.(type) {
	case *arrow.NullType, *arrow.BooleanType,
		*arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type,
		*arrow.Uint8Type, *arrow.Uint16Type, *arrow.Uint32Type, *arrow.Uint64Type,
		*arrow.Float32Type, *arrow.Float64Type,
		*arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType,
		*arrow.Date32Type, *arrow.Time64Type:
		return nil
	case *arrow.TimestampType:
		if t.TimeZone == "" {
			return nil
		}
	case *arrow.DictionaryType:
		switch t.ValueType.ID() {
		case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW:
			return nil
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
