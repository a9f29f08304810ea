package publish_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/seojaeohcode/atio/core/publish"
	"github.com/seojaeohcode/atio/core/store"
	"github.com/seojaeohcode/atio/core/store/faultstore"
)

// partitions are the files of the old and of the new directory: some at the
// same path, some below partitions that the other has not.
func partitions(data string) map[string]string {
	if data == oldData {
		return map[string]string{"k=1/a.parquet": data, "k=2/l=x/a.parquet": data}
	}
	return map[string]string{"k=1/a.parquet": data, "k=1/b.parquet": "", "k=3/l=x/a.parquet": data + data}
}

// fill writes the files into the stage of a directory.
func (w way) fill(s *publish.Stage, data string) error {
	for name, text := range partitions(data) {
		if w.o.External {
			path := filepath.Join(s.Path(), name)
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				return err
			}
			if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
				return err
			}
			continue
		}
		f, err := s.CreateFile(name)
		if err != nil {
			return err
		}
		if _, err := f.Write([]byte(text)); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	if w.o.External {
		return s.Adopt()
	}
	return nil
}

// tree is what content returns of the partitions.
func tree(data string) string {
	var lines []string
	for name, text := range partitions(data) {
		lines = append(lines, fmt.Sprintf("%s: %q", name, text))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// content is what a target holds: a file, or all files of a directory.
func content(target string) (string, error) {
	info, err := os.Stat(target)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		b, err := os.ReadFile(target)
		return string(b), err
	}
	var lines []string
	err = filepath.WalkDir(target, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(target, path)
		lines = append(lines, fmt.Sprintf("%s: %q", filepath.ToSlash(name), b))
		return err
	})
	slices.Sort(lines)
	return strings.Join(lines, "\n"), err
}

func (w way) old() string {
	if w.o.Directory {
		return tree(oldData)
	}
	return oldData
}

var ofDirectory = way{o: publish.Options{Directory: true, SkipSync: true}}

// Whoever holds a directory open sees the old files, also when it has been
// replaced twice; and the mode of the old directory is that of the new one.
func TestDirectoryKeepsItsMode(t *testing.T) {
	target := filepath.Join(t.TempDir(), "d")
	write(t, ofDirectory, target, oldData)
	check(t, os.Chmod(target, 0o750))
	write(t, ofDirectory, target, newData)
	info, err := os.Stat(target)
	check(t, err)
	if info.Mode().Perm() != 0o750 {
		t.Errorf("mode %v", info.Mode())
	}
	below, err := os.Stat(filepath.Join(target, "k=1"))
	check(t, err)
	if below.Mode().Perm()&0o700 != 0o700 {
		t.Errorf("mode %v of a partition", below.Mode())
	}
}

func TestDirectoryWithOtherThingsIsNotReplaced(t *testing.T) {
	for _, stray := range []string{"notes.txt", "k=1/notes.txt", ".git/config", "src/a.parquet", "k=1/.hidden.parquet", "_delta_log/0.json", ".env"} {
		target := filepath.Join(t.TempDir(), "d")
		write(t, ofDirectory, target, oldData)
		path := filepath.Join(target, stray)
		check(t, os.MkdirAll(filepath.Dir(path), 0o777))
		check(t, os.WriteFile(path, nil, 0o666))
		before := files(t, filepath.Dir(target))
		_, err := publish.Begin(context.Background(), target, ofDirectory.o)
		first, _, _ := strings.Cut(stray, "/")
		if !errors.Is(err, syscall.ENOTEMPTY) || !strings.Contains(err.Error(), first) && first != "_delta_log" {
			t.Errorf("%s: %v", stray, err)
		}
		if first == "_delta_log" && !strings.Contains(err.Error(), "write_snapshot") {
			t.Errorf("%s: %v", stray, err)
		}
		if after := files(t, filepath.Dir(target)); fmt.Sprint(before) != fmt.Sprint(after) {
			t.Errorf("%s: before %v, after %v", stray, before, after)
		}
	}
}

// What comes while the new directory is being written is found when it is to be
// published.
func TestDirectoryThatGetsOtherThings(t *testing.T) {
	target := filepath.Join(t.TempDir(), "d")
	write(t, ofDirectory, target, oldData)
	s, err := publish.Begin(context.Background(), target, ofDirectory.o)
	check(t, err)
	defer s.Abort()
	check(t, ofDirectory.fill(s, newData))
	check(t, s.Seal())
	check(t, os.WriteFile(filepath.Join(target, "k=1", "notes.txt"), nil, 0o666))
	if _, err := s.Publish(publish.Content{}); !errors.Is(err, syscall.ENOTEMPTY) {
		t.Errorf("published over notes: %v", err)
	}
}

// A link in the directory is neither followed nor taken for a partition.
func TestDirectoryWithLinks(t *testing.T) {
	outside := t.TempDir()
	check(t, os.WriteFile(filepath.Join(outside, "a.parquet"), nil, 0o666))
	for _, name := range []string{"k=9", "k=1/c.parquet"} {
		target := filepath.Join(t.TempDir(), "d")
		write(t, ofDirectory, target, oldData)
		check(t, os.Symlink(outside, filepath.Join(target, name)))
		if _, err := publish.Begin(context.Background(), target, ofDirectory.o); !errors.Is(err, syscall.ENOTEMPTY) {
			t.Errorf("a link %s: %v", name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(outside, "a.parquet")); err != nil {
		t.Error(err)
	}
}

func TestFileIsNotReplacedByDirectory(t *testing.T) {
	target := filepath.Join(t.TempDir(), "d")
	write(t, way{}, target, oldData)
	if _, err := publish.Begin(context.Background(), target, ofDirectory.o); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("a directory over a file: %v", err)
	}
	other := filepath.Join(t.TempDir(), "d")
	write(t, ofDirectory, other, oldData)
	if _, err := publish.Begin(context.Background(), other, publish.Options{}); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("a file over a directory: %v", err)
	}
}

func TestPathsOfDatasets(t *testing.T) {
	s, err := publish.Begin(context.Background(), filepath.Join(t.TempDir(), "d"), ofDirectory.o)
	check(t, err)
	defer s.Abort()
	for _, name := range []string{"", "../k=1/a.parquet", "/a.parquet", "k=1/../../a.parquet", "k=1/a.txt", "x/a.parquet", "k=1/.a.parquet", "k=1"} {
		if _, err := s.CreateFile(name); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"a.parquet", "k=/a.parquet", "k=1/l=2/part-0.snappy.parquet", "_metadata"} {
		f, err := s.CreateFile(name)
		check(t, err)
		check(t, f.Close())
	}
}

func TestVerifyDirectory(t *testing.T) {
	verify := func(target string) error {
		_, err := publish.Verify(context.Background(), store.Local{}, target)
		return err
	}
	for name, spoil := range map[string]func(at string) error{
		"k=1/a.parquet, a byte": func(at string) error { return os.WriteFile(at, []byte("The"+newData[3:]), 0o666) },
		"k=1/a.parquet, size":   func(at string) error { return os.WriteFile(at, []byte("x"), 0o666) },
		"k=1/b.parquet, gone":   os.Remove,
		"k=1/c.parquet, more":   func(at string) error { return os.WriteFile(at, nil, 0o666) },
		"k=9/c.parquet, more":   func(at string) error { os.Mkdir(filepath.Dir(at), 0o777); return os.WriteFile(at, nil, 0o666) },
		"k=0/c.parquet, more":   func(at string) error { os.Mkdir(filepath.Dir(at), 0o777); return os.WriteFile(at, nil, 0o666) },
	} {
		target := filepath.Join(t.TempDir(), "d")
		write(t, ofDirectory, target, newData)
		check(t, verify(target))
		check(t, os.WriteFile(filepath.Join(target, "k=1", ".a.parquet.crc"), nil, 0o666))
		check(t, verify(target))
		path, _, _ := strings.Cut(name, ",")
		check(t, spoil(filepath.Join(target, path)))
		if err := verify(target); !errors.Is(err, publish.ErrCorrupt) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Before a directory takes its place, all files in it and then all directories
// are on the disk, whoever wrote them.
func TestDirectoryIsSynced(t *testing.T) {
	for _, external := range []bool{false, true} {
		target := filepath.Join(t.TempDir(), "d")
		write(t, ofDirectory, target, oldData)
		st := faultstore.New(store.Local{}, nil)
		w := way{o: publish.Options{Directory: true, External: external}}
		check(t, w.publishOnce(st, target))
		synced := map[string]int{}
		exchanged := 0
		for _, op := range st.Ops() {
			switch op.Name {
			case "File.Sync", "SyncDir":
				name := filepath.ToSlash(op.Path)
				_, below, staged := strings.Cut(name, ".atio-stage/")
				if _, below, _ = strings.Cut(below, "/"); staged && exchanged == 0 {
					synced[below] = op.Index
				}
			case "Exchange":
				exchanged = op.Index
			}
		}
		if exchanged == 0 {
			t.Fatal("nothing was exchanged")
		}
		for name := range partitions(newData) {
			for below := "d/" + name; below != "."; below = path.Dir(below) {
				if synced[below] == 0 {
					t.Errorf("external %v: %s was not synced", external, below)
				}
				if below != "d" && synced[below] > synced[path.Dir(below)] {
					t.Errorf("external %v: %s was synced before what is in it", external, path.Dir(below))
				}
			}
		}
	}
}

// Backups of a directory, and the ways back.
func TestRestoreDirectory(t *testing.T) {
	restore := func(target string) {
		t.Helper()
		p, err := publish.Restore(context.Background(), target, "parquet", publish.Options{SkipSync: true})
		check(t, err)
		p.Keep()
	}
	for _, lost := range []bool{false, true} {
		w := ofDirectory
		w.o.Backups = 2
		target := filepath.Join(t.TempDir(), "d")
		for _, data := range []string{newData, oldData, newData, oldData} {
			write(t, w, target, data)
		}
		if found := files(t, filepath.Dir(target)); found[".d.bak.3/k=1/a.parquet"] != "" || found[".d.bak.1/k=1/a.parquet"] != newData {
			t.Errorf("backups: %v", found)
		}
		if lost {
			check(t, os.RemoveAll(target))
		}
		for _, data := range []string{newData, oldData} {
			restore(target)
			if is, err := content(target); err != nil || is != tree(data) {
				t.Errorf("restored %s, %v", is, err)
			}
			if _, err := publish.Verify(context.Background(), store.Local{}, target); err != nil {
				t.Error(err)
			}
		}
		if _, err := publish.Restore(context.Background(), target, "parquet", publish.Options{}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("restored more than there was: %v", err)
		}
		for name := range files(t, filepath.Dir(target)) {
			if !strings.HasPrefix(name, "d/") && name != ".d._SUCCESS" {
				t.Errorf("left %s", name)
			}
		}
	}
}
