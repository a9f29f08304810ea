package zipped

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

// Another reader of zip archives, which checks sums and sizes, gets all pieces.
func TestReadBack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	piece := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.IntN(4))
		}
		return b
	}
	for _, workers := range []int{1, 2, 5} {
		var out bytes.Buffer
		a := New(context.Background(), &out, Level(3), workers)
		want := map[string][]byte{"small": []byte("text"), "empty": nil, "nothing": nil, "größer": nil}
		for _, name := range []string{"small", "empty"} {
			if err := a.Add(name, want[name]); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"größer", "nothing"} {
			e, err := a.Begin(name)
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; name != "nothing" && i < 40; i++ {
				p := piece(i * 1000)
				want[name] = append(want[name], p...)
				if err := e.Go(func(b []byte) ([]byte, error) { return append(b, p...), nil }, nil); err != nil {
					t.Fatal(err)
				}
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if len(r.File) != len(want) {
			t.Fatalf("%d entries", len(r.File))
		}
		for _, f := range r.File {
			in, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(in)
			if err != nil || !bytes.Equal(got, want[f.Name]) {
				t.Errorf("%s with %d workers: %d bytes, want %d; %v", f.Name, workers, len(got), len(want[f.Name]), err)
			}
		}
	}
}

type full struct{ room int }

var errFull = errors.New("full")

func (w *full) Write(p []byte) (int, error) {
	if w.room -= len(p); w.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// A writer that fails does so in time, and no goroutine stays.
func TestFailures(t *testing.T) {
	for _, room := range []int{0, 100, 20_000} {
		a := New(context.Background(), &full{room}, Level(1), 2)
		err := func() error {
			for range 3 {
				e, err := a.Begin("x")
				if err != nil {
					return err
				}
				for range 20 {
					text := make([]byte, 50_000)
					for i := range text {
						text[i] = byte(rand.IntN(256))
					}
					if err := e.Go(func(b []byte) ([]byte, error) { return append(b, text...), nil }, nil); err != nil {
						return err
					}
				}
				if err := e.Close(); err != nil {
					return err
				}
			}
			return a.Close()
		}()
		a.Discard()
		if !errors.Is(err, errFull) {
			t.Errorf("room for %d: %v", room, err)
		}
	}
	a := New(context.Background(), io.Discard, Level(1), 2)
	e, err := a.Begin("x")
	if err != nil {
		t.Fatal(err)
	}
	_ = e.Go(func([]byte) ([]byte, error) { return nil, errFull }, nil)
	if err := e.Close(); !errors.Is(err, errFull) {
		t.Errorf("a task fails: %v", err)
	}
}
