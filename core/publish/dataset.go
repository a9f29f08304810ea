package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/seojaeohcode/atio/core/store"
)

// isDataset says whether a slash path below a directory is that of a file of a
// dataset, in the layout that Hive began and all engines read: *.parquet in
// directories key=value. Only a directory that holds nothing else is replaced, so
// that nobody loses notes, code or a home directory to a mistyped path.
func isDataset(name string) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if !isPartition(path.Base(dir)) {
			return false
		}
	}
	base := path.Base(name)
	return slices.Contains([]string{".parquet", ".parq", ".pq"}, path.Ext(base)) && base[0] != '.' || isBeside(base)
}

func isPartition(dir string) bool { return strings.Contains(dir, "=") && dir[0] != '.' }

// isBeside says whether a name is one that engines and desktops put beside the
// files of a dataset, and that says nothing without them.
func isBeside(base string) bool {
	return slices.Contains([]string{"_SUCCESS", "_metadata", "_common_metadata", ".DS_Store"}, base) ||
		base[0] == '.' && (strings.HasSuffix(base, ".crc") || strings.HasSuffix(base, flagSuffix))
}

// mayReplaceTree says why a directory cannot be replaced: because there is
// something in it that is not of a dataset.
func mayReplaceTree(st store.Store, target string) error {
	stray, err := findStray(st, target, "")
	if err != nil {
		return wrap("look through", target, err)
	}
	if stray == "" {
		return nil
	}
	advice := fmt.Sprintf("it holds %s, and only a directory with nothing but *.parquet in directories key=value is replaced: move that elsewhere, or name another directory", stray)
	if strings.HasPrefix(stray, "_delta_log") {
		advice = "it is a Delta table, which a plain write would destroy: write it with write_snapshot, or name another directory"
	}
	return &Error{Op: "replace", Path: target, Err: syscall.ENOTEMPTY, Advice: advice}
}

// findStray returns the first path below dir that is not of a dataset, or "".
// What another writer takes away meanwhile is not there; under the lock nobody
// does.
func findStray(st store.Store, root, dir string) (string, error) {
	names, err := st.ReadDir(filepath.Join(root, filepath.FromSlash(dir)))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	for _, base := range names {
		name := path.Join(dir, base)
		info, err := st.Lstat(filepath.Join(root, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		switch {
		case info.Mode.IsDir() && isPartition(base):
			if stray, err := findStray(st, root, name); stray != "" || err != nil {
				return stray, err
			}
		case !info.Mode.IsRegular() || !isDataset(name):
			return name, nil
		}
	}
	return "", nil
}

// replaceable says why the target that is there cannot be replaced.
func (s *Stage) replaceable(info store.Info) error {
	if !s.o.Directory {
		return special(s.names.target, info)
	}
	if !info.Mode.IsDir() {
		return &Error{Op: "open", Path: s.names.target, Err: syscall.ENOTDIR,
			Advice: "it is a file, and a partitioned dataset is a directory: remove it first, or name a directory"}
	}
	return mayReplaceTree(s.st, s.names.target)
}

// filesOf describes the files of a directory, sorted by path: what hides itself
// left out, and their checksums yet to be taken.
func filesOf(st store.Store, root, dir string) ([]FlagFile, error) {
	names, err := st.ReadDir(filepath.Join(root, filepath.FromSlash(dir)))
	if err != nil {
		return nil, err
	}
	var files []FlagFile
	for _, base := range names {
		name := path.Join(dir, base)
		info, err := st.Lstat(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		switch {
		case base[0] == '.':
		case info.Mode&fs.ModeDir != 0:
			below, err := filesOf(st, root, name)
			if err != nil {
				return nil, err
			}
			files = append(files, below...)
		default:
			files = append(files, FlagFile{Path: name, Bytes: info.Size})
		}
	}
	if dir == "" {
		slices.SortFunc(files, func(a, b FlagFile) int { return strings.Compare(a.Path, b.Path) })
	}
	return files, nil
}
