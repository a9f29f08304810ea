package publish

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seojaeohcode/atio/core/store"
)

// slowClose is a store whose files, opened for reading, are closed when told.
type slowClose struct {
	store.Store
	closed chan struct{}
}

type slowFile struct {
	store.File
	closed chan struct{}
}

func (s slowClose) Open(name string) (store.File, error) {
	f, err := s.Store.Open(name)
	if err != nil {
		return nil, err
	}
	return slowFile{f, s.closed}, nil
}

func (f slowFile) Close() error {
	<-f.closed
	return f.File.Close()
}

// Replacing a large file does not wait for its space, but the next write does, for as
// long as its context lasts; another file that is replaced meanwhile is freed at once.
func TestSpaceOfTheOldFile(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "old")
	if err := os.WriteFile(old, make([]byte, leastFreed), 0o666); err != nil {
		t.Fatal(err)
	}
	st := slowClose{store.Local{}, make(chan struct{})}
	removeOld(st, old, leastFreed)
	if _, err := os.Lstat(old); !os.IsNotExist(err) {
		t.Fatal("the name is still there:", err)
	}
	second := filepath.Join(dir, "second")
	if err := os.WriteFile(second, make([]byte, leastFreed), 0o666); err != nil {
		t.Fatal(err)
	}
	removeOld(st, second, leastFreed) // would never return if it opened the file
	if _, err := os.Lstat(second); !os.IsNotExist(err) {
		t.Fatal(err)
	}

	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(20*time.Millisecond, func() { cancel(stop) })
	if _, err := Begin(ctx, filepath.Join(dir, "x"), Options{}); !errors.Is(err, stop) {
		t.Fatal("did not wait, or not for its context:", err)
	}
	close(st.closed)
	s, err := Begin(context.Background(), filepath.Join(dir, "x"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Abort()
}
