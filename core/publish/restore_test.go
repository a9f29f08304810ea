package publish_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/seojaeohcode/atio/core/publish"
	"github.com/seojaeohcode/atio/core/store"
	"github.com/seojaeohcode/atio/core/store/faultstore"
)

// threeVersions leaves "3" in the target with "2" and "1" as its backups.
func threeVersions(t *testing.T) string {
	t.Helper()
	target := filepath.Join(t.TempDir(), "data.csv")
	for _, data := range []string{"0", "1", "2", "3"} {
		write(t, way{o: publish.Options{Backups: 2, SkipSync: true}}, target, data)
	}
	return target
}

func restore(st store.Store, target string) error {
	p, err := publish.Restore(context.Background(), target, "csv", publish.Options{Store: st})
	if err == nil {
		p.Keep()
	}
	return err
}

func TestRestore(t *testing.T) {
	target := threeVersions(t)
	for _, want := range []string{"2", "1"} {
		check(t, restore(store.Local{}, target))
		b, err := os.ReadFile(target)
		check(t, err)
		if string(b) != want {
			t.Errorf("restored %q, want %q", b, want)
		}
		flag, err := publish.Verify(context.Background(), store.Local{}, target)
		check(t, err)
		if flag.Format != "text" {
			t.Errorf("the flag of the backup was lost: %+v", flag)
		}
	}
	if err := restore(store.Local{}, target); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("restoring without a backup: %v", err)
	}
	if got := len(files(t, filepath.Dir(target))); got != 2 {
		t.Errorf("%d files are left: %v", got, files(t, filepath.Dir(target)))
	}
}

func TestRestoreAfterEveryCallFailed(t *testing.T) {
	st := faultstore.New(store.Local{}, nil)
	check(t, restore(st, threeVersions(t)))
	for _, op := range st.Ops() {
		for _, crash := range []bool{false, true} {
			target := threeVersions(t)
			dir := filepath.Dir(target)
			before := files(t, dir)
			k := &killable{Store: faultstore.New(store.Local{}, func(o faultstore.Op) error {
				switch {
				case o.Index != op.Index:
					return nil
				case crash:
					return faultstore.ErrCrashed
				default:
					return syscall.EIO
				}
			})}
			err := restore(k, target)
			k.kill()
			b, err2 := os.ReadFile(target)
			if err2 != nil || string(b) != "3" && string(b) != "2" {
				t.Errorf("%v: the target holds %q, %v", op, b, err2)
			}
			if _, err := publish.ReadFlag(store.Local{}, target); err == nil {
				if _, err := publish.Verify(context.Background(), store.Local{}, target); err != nil {
					t.Errorf("%v: %v", op, err)
				}
			}
			if !crash && err != nil && !maps.Equal(before, files(t, dir)) {
				t.Errorf("%v failed: before %q, after %q", op, before, files(t, dir))
			}
			write(t, way{o: publish.Options{SkipSync: true}}, target, "4")
			for name := range files(t, dir) {
				if strings.Contains(name, "atio-") {
					t.Errorf("%v: the next write left %s", op, name)
				}
			}
		}
	}
}
