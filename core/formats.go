package core

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/avro"
	"github.com/seojaeohcode/atio/core/encode/csv"
	"github.com/seojaeohcode/atio/core/encode/excel"
	"github.com/seojaeohcode/atio/core/encode/ipc"
	"github.com/seojaeohcode/atio/core/encode/json"
	"github.com/seojaeohcode/atio/core/encode/numpy"
	"github.com/seojaeohcode/atio/core/encode/parquet"
)

// formats is the registry: a new format is a folder under encode and a line here.
var formats = map[string]func() encode.Options{
	"avro":    func() encode.Options { return new(avro.Options) },
	"ipc":     func() encode.Options { return new(ipc.Options) },
	"parquet": func() encode.Options { return new(parquet.Options) },
	"csv":     func() encode.Options { return new(csv.Options) },
	"excel":   func() encode.Options { return new(excel.Options) },
	"json":    func() encode.Options { return new(json.Options) },
	"ndjson":  func() encode.Options { return &json.Options{Lines: true} },

	numpy.Npy:           func() encode.Options { return &numpy.Options{Layout: numpy.Npy} },
	numpy.Npz:           func() encode.Options { return &numpy.Options{Layout: numpy.Npz} },
	numpy.NpzCompressed: func() encode.Options { return &numpy.Options{Layout: numpy.NpzCompressed} },
	numpy.Bin:           func() encode.Options { return &numpy.Options{Layout: numpy.Bin} },
}

// suffixes are those that are not the name of their format.
var suffixes = map[string]string{"xlsx": "excel"}

// Formats returns the names of the formats that can be encoded, sorted.
func Formats() []string { return slices.Sorted(maps.Keys(formats)) }

// NewEncoding returns the option struct of a format with its defaults, such as
// a *parquet.Options for "parquet".
func NewEncoding(format string) (encode.Options, error) {
	if f, ok := formats[format]; ok {
		return f(), nil
	}
	return nil, fmt.Errorf("format %q is unknown; there is %s: %w", format, strings.Join(Formats(), ", "), ErrFormat)
}

// formatOf is the format that a path's suffix stands for.
func formatOf(path string) (string, error) {
	suffix := strings.ToLower(strings.TrimPrefix(filepath.Ext(path), "."))
	if format, ok := suffixes[suffix]; ok {
		suffix = format
	}
	if _, ok := formats[suffix]; ok {
		return suffix, nil
	}
	return "", fmt.Errorf("%s: its suffix stands for no format; name one of %s in Options.Encoding, or use its suffix: %w",
		path, strings.Join(Formats(), ", "), ErrFormat)
}
