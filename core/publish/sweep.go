package publish

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/seojaeohcode/atio/core/store"
)

// sweep removes what dead writers of a target have left. Whatever cannot be
// removed now stays for the next sweep, so there are no errors to report; so does
// what a writer leaves that dies later, while this one encodes.
func sweep(st store.Store, n names) {
	sweepStages(st, n)
	found := false
	for _, name := range n.hidden() {
		if _, err := st.Lstat(name); err == nil {
			found = true
		}
	}
	if !found {
		return
	}
	// Hidden names are used under the lock only: who holds it owns them all, and
	// they belong to the dead. If it is taken, its holder may be using them.
	lock, err := st.TryLock(n.dir)
	if err != nil {
		return
	}
	defer lock.Unlock()
	for _, name := range n.hidden() {
		remove(st, name)
	}
}

// sweepStages removes the named stages whose writers no longer hold their lock.
func sweepStages(st store.Store, n names) {
	stages, err := st.ReadDir(n.stages)
	if err != nil {
		return // as a rule: there are none
	}
	for _, id := range stages {
		dir := filepath.Join(n.stages, id)
		lock, err := st.TryLock(dir)
		if err != nil {
			continue
		}
		removeTree(st, dir)
		lock.Unlock()
	}
	st.Remove(n.stages)
}

// remove removes a file, or a directory and all that is in it.
func remove(st store.Store, name string) error {
	err := st.Remove(name)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if info, err2 := st.Lstat(name); err2 != nil || !info.Mode.IsDir() {
		return err
	}
	return removeTree(st, name)
}

// removeTree removes a directory and all that is in it. Symbolic links are
// removed, not followed.
func removeTree(st store.Store, dir string) error {
	inside, _ := st.ReadDir(dir)
	for _, name := range inside {
		path := filepath.Join(dir, name)
		if info, err := st.Lstat(path); err == nil && info.Mode.IsDir() {
			removeTree(st, path)
			continue
		}
		st.Remove(path)
	}
	return st.Remove(dir)
}
