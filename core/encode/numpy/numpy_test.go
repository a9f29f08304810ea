package numpy

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/seojaeohcode/atio/core/encode"
)

// batchOf is a batch with one column of these numbers.
func batchOf(t *testing.T, numbers ...float64) arrow.RecordBatch {
	t.Helper()
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(numbers, nil)
	column := b.NewArray()
	defer column.Release()
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Float64}}, nil)
	return array.NewRecordBatch(schema, []arrow.Array{column}, int64(len(numbers)))
}

func write(o *Options, w io.Writer, workers int, batches ...arrow.RecordBatch) error {
	e, err := o.NewEncoder(context.Background(), w, batches[0].Schema(), encode.Env{Workers: workers})
	if err != nil {
		return err
	}
	defer e.Discard()
	for _, b := range batches {
		if err := e.Write(b); err != nil {
			return err
		}
	}
	return e.Close()
}

// The file that numpy.save writes for np.array([1.0, 2.0, 3.0]), by numpy 2.4.
func TestNpy(t *testing.T) {
	o := &Options{Layout: Npy, Arrays: []Array{{Descr: "'<f8'", Shape: []int64{3}, Bytes: 24}}}
	var out bytes.Buffer
	if err := write(o, &out, 1, batchOf(t, 1), batchOf(t, 2, 3)); err != nil {
		t.Fatal(err)
	}
	header := "\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }"
	want := header + strings.Repeat(" ", 127-len(header)) + "\n" +
		"\x00\x00\x00\x00\x00\x00\xf0?\x00\x00\x00\x00\x00\x00\x00@\x00\x00\x00\x00\x00\x00\x08@"
	if out.String() != want {
		t.Errorf("got %q", out.String())
	}
	if err := o.Check(bytes.NewReader(out.Bytes()), int64(out.Len()), 3); err != nil {
		t.Error(err)
	}
	for _, spoil := range []func(b []byte) []byte{
		func(b []byte) []byte { return b[:len(b)-1] },
		func(b []byte) []byte { b[20]++; return b },
	} {
		b := spoil(bytes.Clone(out.Bytes()))
		var wrong *encode.CheckError
		if err := o.Check(bytes.NewReader(b), int64(len(b)), 3); !errors.As(err, &wrong) {
			t.Errorf("spoiled: %v", err)
		}
	}
}

func TestArchives(t *testing.T) {
	arrays := []Array{
		{Name: "empty", Descr: "'<f8'", Shape: []int64{0}},
		{Name: "größe", Descr: "'<f8'", Shape: []int64{2, 2}, Bytes: 32, Fortran: true},
		{Name: "one", Descr: "'<f8'", Bytes: 8},
		{Name: "last", Descr: "'<f8'", Shape: []int64{3, 0}},
	}
	for _, layout := range []string{Npz, NpzCompressed} {
		for _, workers := range []int{1, 3} {
			o := &Options{Layout: layout, Arrays: arrays}
			var out bytes.Buffer
			// Where a batch ends has nothing to do with where an array does.
			if err := write(o, &out, workers, batchOf(t, 1, 2, 3), batchOf(t, 4, 5)); err != nil {
				t.Fatal(err)
			}
			if err := o.Check(bytes.NewReader(out.Bytes()), int64(out.Len()), -1); err != nil {
				t.Error(err)
			}
			r, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
			if err != nil {
				t.Fatal(err)
			}
			for i, f := range r.File {
				in, err := f.Open()
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(in) // which checks the checksum
				if want := len(arrays[i].header()) + int(arrays[i].Bytes); err != nil || len(got) != want {
					t.Errorf("%s, %s: %d bytes, not %d, %v", layout, f.Name, len(got), want, err)
				}
			}
			out.Bytes()[out.Len()-30]++
			if o.Check(bytes.NewReader(out.Bytes()), int64(out.Len()), -1) == nil {
				t.Error("a spoiled directory was not found")
			}
		}
	}
}

// behind is a file whose first bytes nobody looks at.
type behind struct {
	nothing int64
	rest    []byte
}

func (b behind) ReadAt(p []byte, off int64) (int, error) {
	if off < b.nothing {
		clear(p)
		return len(p), nil
	}
	return bytes.NewReader(b.rest).ReadAt(p, off-b.nothing)
}

// Beyond 4 GiB, and with more members than 16 bits count.
func TestLargeArchives(t *testing.T) {
	const far = 5 << 30
	var out bytes.Buffer
	s := &stored{ctx: context.Background(), w: &out, workers: 1, offset: far}
	s.directory, s.members = appendEntry(nil, "large.npy", 7, far-100, 0), 1
	const members = 66_000
	for i := range members {
		if err := s.begin(&Array{Name: fmt.Sprint(i), Descr: "'<f8'"}); err != nil {
			t.Fatal(err)
		}
		if err := s.end(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(behind{far, out.Bytes()}, far+int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.File) != 1+members || r.File[0].UncompressedSize64 != far-100 {
		t.Fatalf("%d members, the first of %d bytes", len(r.File), r.File[0].UncompressedSize64)
	}
	in, err := r.File[members].Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(in); err != nil {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	one := Array{Descr: "'<f8'", Shape: []int64{1}, Bytes: 8}
	for reason, o := range map[string]*Options{
		"takes one array":  {Layout: Npy},
		"it is npy":        {Layout: "npx", Arrays: []Array{one}},
		"it is a size":     {Layout: Bin, Arrays: []Array{{Bytes: -1}}},
		"lengths":          {Layout: Npy, Arrays: []Array{{Descr: "'<f8'", Shape: []int64{-1}}}},
		"literal":          {Layout: Npy, Arrays: []Array{{Bytes: 8}}},
		"the same name":    {Layout: Npz, Arrays: []Array{one, one}},
		"a name has up to": {Layout: Npz, Arrays: []Array{{Name: strings.Repeat("n", 70_000), Descr: "'<f8'"}}},
	} {
		var wrong *encode.OptionError
		if err := write(o, io.Discard, 1, batchOf(t, 1)); !errors.As(err, &wrong) || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v", reason, err)
		}
	}
	for reason, numbers := range map[string][]float64{"lacks 8": {}, "more bytes": {1, 2}} {
		for _, layout := range []string{Npy, Npz, NpzCompressed, Bin} {
			err := write(&Options{Layout: layout, Arrays: []Array{one}}, io.Discard, 2, batchOf(t, numbers...))
			if err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("%s, %s: %v", layout, reason, err)
			}
		}
	}
	text := arrow.NewSchema([]arrow.Field{{Name: "s", Type: arrow.BinaryTypes.String}}, nil)
	var unsupported *encode.UnsupportedError
	o := &Options{Layout: Npy, Arrays: []Array{one}}
	if _, err := o.NewEncoder(context.Background(), io.Discard, text, encode.Env{}); !errors.As(err, &unsupported) {
		t.Error(err)
	}
}

type failing struct{ room int }

var errFull = errors.New("full")

func (w *failing) Write(p []byte) (int, error) {
	if w.room -= len(p); w.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestFullDisk(t *testing.T) {
	numbers := make([]float64, 400_000)
	for i := range numbers {
		numbers[i] = 1 / float64(i)
	}
	for _, layout := range []string{Npy, Npz, NpzCompressed, Bin} {
		for _, room := range []int{0, 50, 5000} {
			o := &Options{Layout: layout, Arrays: []Array{{Descr: "'<f8'", Bytes: 8 * int64(len(numbers))}}}
			if err := write(o, &failing{room}, 2, batchOf(t, numbers...)); !errors.Is(err, errFull) {
				t.Errorf("%s with room for %d: %v", layout, room, err)
			}
		}
	}
}
