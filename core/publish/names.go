package publish

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/zeebo/xxh3"

	"github.com/seojaeohcode/atio/core/store"
)

// names are all names that publishing one target uses, in one directory.
type names struct {
	dir    string
	base   string // the target's own name
	target string
	flag   string

	// hidden, used only under the directory's lock
	newFile, oldFile string
	newFlag, oldFlag string
	spare            string // a backup that is one too many
	// hidden directory of named stages
	stages string
}

const (
	nameMax    = 255 // bytes in a name on every file system in common use
	flagSuffix = "._SUCCESS"
	maxLinks   = 40 // symbolic links followed, as Linux does
)

func namesOf(target string) names {
	dir, base := filepath.Split(target)
	dir = filepath.Clean(dir)
	// Hidden names stay within what a file system takes even if the target's
	// own name hardly does.
	stem := base
	if len(stem) > nameMax-40 {
		stem = stem[:nameMax-80] + "-" + strconv.FormatUint(xxh3.HashString(base), 36)
	}
	hidden := func(suffix string) string { return filepath.Join(dir, "."+stem+suffix) }
	return names{
		dir:     dir,
		base:    base,
		target:  target,
		flag:    FlagPath(target),
		newFile: hidden(".atio-new"),
		oldFile: hidden(".atio-old"),
		newFlag: hidden(".atio-flag"),
		oldFlag: hidden(".atio-flag-old"),
		spare:   hidden(".atio-spare"),
		stages:  hidden(".atio-stage"),
	}
}

// hidden are the names that nobody but a writer under the lock uses.
func (n names) hidden() []string {
	return []string{n.newFile, n.oldFile, n.newFlag, n.oldFlag, n.spare}
}

// FlagPath returns the path of a target's flag: .NAME._SUCCESS beside it.
func FlagPath(target string) string {
	dir, base := filepath.Split(target)
	return filepath.Join(dir, "."+base+flagSuffix)
}

// BackupPath returns the path of a target's n-th backup, 1 being the newest:
// .NAME.bak.N beside it.
func BackupPath(target string, n int) string {
	dir, base := filepath.Split(target)
	return filepath.Join(dir, "."+base+".bak."+strconv.Itoa(n))
}

// Resolve returns the file that target stands for: absolute, and with symbolic
// links in its last element followed, also to a file that does not exist yet,
// as open(2) with O_CREAT does.
func Resolve(st store.Store, target string) (string, error) {
	path, _, err := resolve(st, target)
	return path, err
}

// resolve is Resolve, which describes the file too, nil if there is none yet.
func resolve(st store.Store, target string) (string, *store.Info, error) {
	if target == "" {
		return "", nil, &Error{Op: "open", Path: target, Err: syscall.ENOENT, Advice: "the path is empty; name a file"}
	}
	path, err := filepath.Abs(target)
	if err != nil {
		return "", nil, wrap("resolve", target, err)
	}
	for range maxLinks {
		info, err := st.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return path, nil, nil
		}
		if err != nil {
			return "", nil, wrap("look up", target, err)
		}
		if info.Mode&fs.ModeSymlink == 0 {
			return path, &info, nil
		}
		to, err := st.Readlink(path)
		if err != nil {
			return "", nil, wrap("follow symbolic link", target, err)
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	return "", nil, &Error{Op: "follow symbolic link", Path: target, Err: syscall.ELOOP, Advice: "its symbolic links lead in a circle"}
}
