package numpy

import (
	"context"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
)

// Layouts of a file.
const (
	Npy           = "npy"            // one array with a header, as numpy.save
	Npz           = "npz"            // a zip archive of them, as numpy.savez
	NpzCompressed = "npz_compressed" // the same deflated, as numpy.savez_compressed
	Bin           = "bin"            // the bytes of one array, as ndarray.tofile
)

// Options say what the bytes are and how they are laid out. Both fields are needed:
//
//	numpy.Options{Layout: numpy.Npy, Arrays: []numpy.Array{
//		{Descr: "'<f8'", Shape: []int64{1000, 3}, Bytes: 24000},
//	}}
type Options struct {
	Layout string  `json:"layout"`
	Arrays []Array `json:"arrays"` // one unless the layout is an archive
}

// Array describes one array.
type Array struct {
	// Name is that of the member of an archive, without its suffix .npy.
	Name string `json:"name,omitempty"`
	// Descr is the type of the elements as a Python literal: "'<f8'", or
	// "[('x', '<f4'), ('y', '<f4')]" if they are structured.
	Descr string `json:"descr,omitempty"`
	// Shape is the length of each dimension; none for a single element.
	Shape []int64 `json:"shape,omitempty"`
	// Fortran says that the first index changes fastest.
	Fortran bool `json:"fortran,omitempty"`
	// Bytes is the size of all elements together.
	Bytes int64 `json:"bytes"`
}

// Format is the layout.
func (o *Options) Format() string { return o.Layout }

// NewEncoder returns an encoder onto w of the bytes in the one column of schema.
func (o *Options) NewEncoder(ctx context.Context, w io.Writer, schema *arrow.Schema, env encode.Env) (encode.Encoder, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := o.checkSchema(schema); err != nil {
		return nil, err
	}
	return newEncoder(ctx, w, o, env), nil
}

func (o *Options) check() error {
	switch o.Layout {
	case Npy, Bin:
		if len(o.Arrays) != 1 {
			return o.wrong("arrays", len(o.Arrays), "it takes one array; say of what type and shape in numpy.Options")
		}
	case Npz, NpzCompressed:
	default:
		return o.wrong("layout", o.Layout, "it is npy, npz, npz_compressed or bin")
	}
	names := map[string]bool{}
	for _, a := range o.Arrays {
		if a.Bytes < 0 {
			return o.wrong("bytes", a.Bytes, "it is a size, at least 0")
		}
		for _, n := range a.Shape {
			if n < 0 {
				return o.wrong("shape", a.Shape, "it has lengths, at least 0")
			}
		}
		if a.Descr == "" && o.Layout != Bin {
			return o.wrong("descr", a.Descr, "it is the type as a Python literal, such as '<f8' in its quotes")
		}
		if !o.isArchive() {
			continue
		}
		if len(member(&a)) > maxName {
			return o.wrong("name", a.Name[:20]+"...", fmt.Sprintf("a name has up to %d bytes", maxName))
		}
		if names[a.Name] {
			return o.wrong("name", a.Name, "two arrays cannot have the same name")
		}
		names[a.Name] = true
	}
	return nil
}

// checkSchema returns an error if the bytes of a column do not lie one after the other.
func (o *Options) checkSchema(schema *arrow.Schema) error {
	if n := schema.NumFields(); n != 1 {
		return o.wrong("columns", n, "the bytes of arrays come in one column")
	}
	f := schema.Field(0)
	t, fixed := f.Type.(arrow.FixedWidthDataType)
	if !fixed || t.BitWidth()%8 != 0 || t.Layout().HasDict || len(t.Layout().Buffers) != 2 {
		return &encode.UnsupportedError{Format: o.Format(), Column: f.Name, Type: f.Type.String(),
			Reason: "the memory of an array comes as numbers of whole bytes, best uint8"}
	}
	return nil
}

func (o *Options) isArchive() bool { return o.Layout == Npz || o.Layout == NpzCompressed }

// size is that of all data.
func (o *Options) size() (n int64) {
	for _, a := range o.Arrays {
		n += a.Bytes
	}
	return n
}

func (o *Options) wrong(option string, value any, reason string) error {
	return &encode.OptionError{Format: o.Layout, Option: option, Value: value, Reason: reason}
}

// member is the name of an array's file in an archive.
func member(a *Array) string { return a.Name + ".npy" }
