package encode_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seojaeohcode/atio/core/encode"
)

func TestPipelineWritesInOrder(t *testing.T) {
	for _, workers := range []int{1, 2, 7} {
		var out, want bytes.Buffer
		type place struct{ offset, n int }
		var got, places []place
		p := encode.NewPipeline(context.Background(), &out, 100, workers, 0)
		for i := range 500 {
			text := fmt.Sprintf("%d,", i)
			if i%11 == 0 {
				text = ""
			}
			places = append(places, place{100 + want.Len(), len(text)})
			want.WriteString(text)
			check(t, p.Go(func(buf []byte) ([]byte, error) {
				if len(buf) != 0 {
					t.Errorf("a task got %q", buf)
				}
				if workers > 1 {
					time.Sleep(time.Duration(rand.IntN(100)) * time.Microsecond)
				}
				return append(buf, text...), nil
			}, func(offset int64, n int) { got = append(got, place{int(offset), n}) }))
		}
		check(t, p.Close())
		if !bytes.Equal(out.Bytes(), want.Bytes()) {
			t.Errorf("%d workers wrote %q", workers, out.Bytes())
		}
		if fmt.Sprint(got) != fmt.Sprint(places) {
			t.Errorf("%d workers told %v", workers, got)
		}
	}
}

// failing fails from the second write on, by an error or a panic.
type failing struct {
	err    error
	writes int
}

func (f *failing) Write(p []byte) (int, error) {
	if f.writes++; f.writes < 2 {
		return len(p), nil
	}
	if f.err == nil {
		panic("the writer")
	}
	return 0, f.err
}

func TestPipelineFails(t *testing.T) {
	own := errors.New("own")
	text := func(buf []byte) ([]byte, error) { return append(buf, "text"...), nil }
	for what, c := range map[string]struct {
		w     failing
		task  encode.Task
		panic bool
	}{
		"task fails":   {failing{}, func([]byte) ([]byte, error) { return nil, own }, false},
		"task panics":  {failing{}, func([]byte) ([]byte, error) { panic("the task") }, true},
		"write fails":  {failing{err: own}, text, false},
		"write panics": {failing{}, text, true},
	} {
		for _, workers := range []int{1, 2, 5} {
			w := c.w
			p := encode.NewPipeline(context.Background(), &w, 0, workers, 0)
			var err error
			for i := 0; err == nil && i < 1000; i++ {
				err = p.Go(c.task, nil)
			}
			closed := p.Close()
			for _, err := range []error{err, closed} {
				var crash *encode.PanicError
				if c.panic && (!errors.As(err, &crash) || len(crash.Stack) == 0) || !c.panic && !errors.Is(err, own) {
					t.Errorf("%s with %d workers: %v", what, workers, err)
				}
			}
			if w.writes > 2 {
				t.Errorf("%s with %d workers: %d writes after the failure", what, workers, w.writes-2)
			}
			p.Discard()
		}
	}
}

func TestPipelineIsCancelled(t *testing.T) {
	why := errors.New("enough")
	for _, workers := range []int{1, 2, 5} {
		ctx, cancel := context.WithCancelCause(context.Background())
		defer cancel(nil)
		p := encode.NewPipeline(ctx, &bytes.Buffer{}, 0, workers, 0)
		var ran atomic.Int64
		for i := range 100 {
			if i == 50 {
				cancel(why)
			}
			err := p.Go(func(buf []byte) ([]byte, error) { ran.Add(1); return buf, nil }, nil)
			if i > 60 && workers == 1 && !errors.Is(err, why) {
				t.Errorf("task %d of a cancelled pipeline: %v", i, err)
			}
		}
		if err := p.Close(); !errors.Is(err, why) {
			t.Errorf("Close with %d workers: %v", workers, err)
		}
		if ran.Load() > 50 {
			t.Errorf("%d tasks ran", ran.Load())
		}
	}
}

func TestPipelineIsDiscarded(t *testing.T) {
	for _, workers := range []int{1, 3} {
		var out bytes.Buffer
		p := encode.NewPipeline(context.Background(), &out, 0, workers, 0)
		for range 3 {
			check(t, p.Go(func(buf []byte) ([]byte, error) { return append(buf, 'x'), nil }, nil))
		}
		p.Discard()
		p.Discard()
		if out.Len() > 3 {
			t.Errorf("wrote %q", out.Bytes())
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The heaviest tasks begin first, and results come in the order of submission.
func TestGoAll(t *testing.T) {
	for _, workers := range []int{1, 2, 5} {
		for _, together := range []int{0, 3, 40} {
			var out bytes.Buffer
			p := encode.NewPipeline(context.Background(), &out, 0, workers, together)
			var want bytes.Buffer
			var written []int
			for range 3 {
				var works []encode.Work
				for i := range 40 {
					fmt.Fprint(&want, i, " ")
					works = append(works, encode.Work{
						Task:    func(buf []byte) ([]byte, error) { return fmt.Append(buf, i, " "), nil },
						Written: func(int64, int) { written = append(written, i) },
						Weight:  int64(i * 7 % 40),
					})
				}
				if err := p.GoAll(works); err != nil {
					t.Fatal(err)
				}
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			if out.String() != want.String() || len(written) != 120 || written[41] != 1 {
				t.Errorf("%d workers, %d together: %s", workers, together, out.String())
			}
			if p.Offset() != int64(out.Len()) {
				t.Errorf("offset %d after %d bytes", p.Offset(), out.Len())
			}
		}
	}
}

func TestGoAllFails(t *testing.T) {
	failure := errors.New("failure")
	for _, workers := range []int{1, 3} {
		p := encode.NewPipeline(context.Background(), &bytes.Buffer{}, 0, workers, 4)
		works := make([]encode.Work, 50)
		for i := range works {
			works[i].Task = func(buf []byte) ([]byte, error) {
				if i == 20 {
					return nil, failure
				}
				return buf, nil
			}
		}
		if err := errors.Join(p.GoAll(works), p.Close()); !errors.Is(err, failure) {
			t.Errorf("%d workers: %v", workers, err)
		}
	}
}
