package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/seojaeohcode/atio/core/progress"
)

// tree is the content of a stage whose target is a directory: files in it and
// in directories below. It stands at the stage's path, beside the target.
type tree struct {
	s     *Stage
	open  *File
	files []FlagFile
	dirs  map[string]bool // below the root, by their slash paths
	syncs syncs
}

// FlagFile is what the flag of a directory says of one file in it.
type FlagFile struct {
	Path     string `json:"path"`     // below the target, with slashes
	Bytes    int64  `json:"bytes"`    // size
	Checksum string `json:"checksum"` // of its bytes
}

// File is one file of a stage whose target is a directory. Its methods are
// called by one goroutine at a time, and it ends with Close.
type File struct {
	output
	tree *tree
	name string
}

// CreateFile creates a file at a slash path below the target, which must be one
// of a dataset: named *.parquet, in directories named key=value. The file
// before it must have been closed.
func (s *Stage) CreateFile(name string) (*File, error) {
	t := s.tree
	if s.ctx.Err() != nil {
		return nil, context.Cause(s.ctx)
	}
	if !fs.ValidPath(name) || !isDataset(name) {
		return nil, &Error{Op: "create a file in", Path: s.names.target, Err: syscall.EINVAL,
			Advice: fmt.Sprintf("%q is no path of a dataset: *.parquet in directories key=value", name)}
	}
	if err := t.mkdirs(path.Dir(name)); err != nil {
		return nil, wrap("create a directory in", s.names.target, err)
	}
	file, err := s.st.Create(t.at(name), filePerm)
	if err != nil {
		return nil, wrap("create a file in", s.names.target, err)
	}
	sum, _ := newChecksum(s.o.Checksum)
	f := &File{output: output{ctx: s.ctx, o: s.o, target: s.names.target, file: file, sum: sum}, tree: t, name: name}
	t.open = f
	return f, nil
}

// Flush brings what is buffered to the file, so that ReadAt sees it.
func (f *File) Flush() error { return f.flush() }

// Close completes the file, and begins to bring it to the disk.
func (f *File) Close() error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.complete()
}

func (f *File) complete() error {
	t, file := f.tree, f.file
	f.file = nil
	t.open = nil
	t.files = append(t.files, FlagFile{Path: f.name, Bytes: f.written, Checksum: f.sum.String()})
	if f.o.SkipSync {
		return wrap("close a file in", f.target, file.Close())
	}
	return wrap("sync a file in", f.target, t.syncs.begin(f.ctx, file))
}

func (t *tree) at(name string) string { return filepath.Join(t.s.path, filepath.FromSlash(name)) }

func (t *tree) mkdirs(dir string) error {
	if dir == "." || t.dirs[dir] {
		return nil
	}
	if err := t.mkdirs(path.Dir(dir)); err != nil {
		return err
	}
	t.dirs[dir] = true
	return t.s.st.Mkdir(t.at(dir), treePerm)
}

// adopt takes what other code has written below dir.
func (t *tree) adopt(dir string) error {
	s := t.s
	names, err := s.st.ReadDir(t.at(dir))
	if err != nil {
		return wrap("read back", s.names.target, err)
	}
	for _, base := range names {
		name := path.Join(dir, base)
		info, err := s.st.Lstat(t.at(name))
		if err != nil {
			return wrap("read back", s.names.target, err)
		}
		if info.Mode.IsDir() {
			t.dirs[name] = true
			if err := t.adopt(name); err != nil {
				return err
			}
			continue
		}
		if !info.Mode.IsRegular() || !isDataset(name) {
			return &Error{Op: "write", Path: s.names.target, Err: syscall.ENOTSUP,
				Advice: fmt.Sprintf("the writer made %s, which is no file of a dataset: *.parquet in directories key=value", name)}
		}
		file, err := s.st.OpenExisting(t.at(name))
		if err != nil {
			return wrap("read back", s.names.target, err)
		}
		f := &File{output: output{ctx: s.ctx, o: s.o, target: s.names.target, file: file}, tree: t, name: name}
		t.open = f
		if err := f.readBack(); err != nil {
			return err
		}
		if err := f.complete(); err != nil {
			return err
		}
	}
	return nil
}

// seal completes the stage as Seal promises: first the files are durable, then
// the directories, from the lowest up.
func (t *tree) seal() error {
	s := t.s
	root, err := s.st.Open(s.path)
	if err != nil {
		return wrap("set the mode of", s.names.target, err)
	}
	err = errors.Join(s.likeTarget(root), root.Close())
	if err != nil {
		return wrap("set the mode of", s.names.target, err)
	}
	slices.SortFunc(t.files, func(a, b FlagFile) int { return strings.Compare(a.Path, b.Path) })
	s.sum, s.written = manifest(t.files, s.o.Checksum)
	if !s.o.SkipSync {
		s.o.Progress.Enter(progress.Syncing)
		if err := t.syncs.wait(s.ctx); err != nil {
			return wrap("sync a file in", s.names.target, err)
		}
		deepest := slices.SortedFunc(maps.Keys(t.dirs), func(a, b string) int {
			return cmp.Or(cmp.Compare(strings.Count(b, "/"), strings.Count(a, "/")), cmp.Compare(a, b))
		})
		for _, dir := range append(deepest, "") {
			if s.ctx.Err() != nil {
				return context.Cause(s.ctx)
			}
			if err := s.st.SyncDir(t.at(dir)); err != nil {
				return wrap("sync a directory in", s.names.target, err)
			}
		}
	}
	s.sealed = true
	return nil
}

func (t *tree) discard() {
	if t.open != nil {
		t.open.output.discard()
		t.open = nil
	}
}

// manifest is the checksum of a directory and the size of its files. The
// checksum is that of a list with a line for each file, sorted by path, as
// sha256sum(1) prints it.
func manifest(files []FlagFile, name string) (*checksum, int64) {
	sum, _ := newChecksum(name)
	size := int64(0)
	for _, f := range files {
		_, hex, _ := strings.Cut(f.Checksum, ":")
		fmt.Fprintf(sum.sum, "%s  %s\n", hex, f.Path)
		size += f.Bytes
	}
	return sum, size
}
