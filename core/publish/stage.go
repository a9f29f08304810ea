package publish

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/seojaeohcode/atio/core/progress"
	"github.com/seojaeohcode/atio/core/store"
)

// Options say how a target is published. The zero value is the safe way.
type Options struct {
	// Store is where the target lives; nil is the local file system.
	Store store.Store
	// SkipFlag publishes without a flag. A flag that is there goes all the same,
	// since it would describe other data.
	SkipFlag bool
	// SkipSync leaves out every sync: a kill is still harmless, a power cut is not.
	SkipSync bool
	// Backups is how many replaced contents to keep beside the target, 0 for none.
	Backups int
	// Named asks for a stage that other code can open by a path whose last
	// element is the target's own name.
	Named bool
	// External says that other code is going to create the stage at its path;
	// then Adopt takes it over. It implies Named.
	External bool
	// Directory says that the target is a directory of files, which is replaced
	// as a whole: see [Stage.CreateFile].
	Directory bool
	// Append begins the stage with what the target holds now. Publishing fails
	// with ErrConflict if the target is another file by then. It implies External.
	Append bool
	// Checksum is XXH3 (the default) or SHA256.
	Checksum string
	// Progress, if not nil, is told of bytes and phases.
	Progress *progress.Counter
}

// Stage is a file on its way to be published. Its methods are called by one
// goroutine at a time. A stage ends with Abort or with the Keep or Undo of what
// Publish returned.
type Stage struct {
	output // the file; nothing, if the target is a directory

	st    store.Store
	names names
	path  string // where the stage is if it has a name, else ""
	dir   string // of its own, to be removed with it, or ""
	alive store.Unlocker
	base  *store.Info // what an appending stage began with
	tree  *tree       // if the target is a directory

	oldSize int64 // of the target before, 0 if it was no file
	sealed  bool
}

const (
	filePerm = 0o666 // less the umask, as every program creates files
	treePerm = 0o777 // the same for directories
	dirPerm  = 0o700
)

// Begin checks that target can be replaced and creates its stage. Cancelling
// ctx makes all further calls fail, up to Keep.
func Begin(ctx context.Context, target string, o Options) (*Stage, error) {
	if o.Store == nil {
		o.Store = store.Local{}
	}
	sum, err := newChecksum(o.Checksum)
	if err != nil {
		return nil, err
	}
	resolved, old, err := resolve(o.Store, target)
	if err != nil {
		return nil, err
	}
	s := &Stage{
		output: output{ctx: ctx, o: o, target: resolved, sum: sum},
		st:     o.Store,
		names:  namesOf(resolved),
	}
	if err := s.checkTarget(old); err != nil {
		return nil, err
	}
	if old != nil && old.Mode.IsRegular() {
		s.oldSize = old.Size
	}
	if err := awaitFreed(ctx); err != nil {
		return nil, err
	}
	sweep(s.st, s.names)
	if err := s.create(); err != nil {
		s.Abort()
		return nil, wrap("prepare", resolved, err)
	}
	return s, nil
}

// checkTarget refuses a target that cannot be replaced; old describes it, nil if
// there is none.
func (s *Stage) checkTarget(old *store.Info) error {
	if old != nil {
		if err := s.replaceable(*old); err != nil {
			return err
		}
	}
	if !s.o.SkipFlag && len(filepath.Base(s.names.flag)) > nameMax {
		return &Error{Op: "prepare", Path: s.names.target, Err: syscall.ENAMETOOLONG,
			Advice: fmt.Sprintf("with a flag beside it a name may have %d bytes: choose a shorter name or leave the flag out",
				nameMax-len(flagSuffix)-1)}
	}
	return nil
}

func (s *Stage) create() error {
	if !s.o.Named && !s.o.External && !s.o.Append && !s.o.Directory {
		f, err := s.st.CreateNameless(s.names.dir, filePerm)
		if err == nil {
			s.file = f
			return nil
		}
		if !errors.Is(err, store.ErrUnsupported) {
			return err
		}
	}
	if err := s.createDir(); err != nil {
		return err
	}
	s.path = filepath.Join(s.dir, s.names.base)
	if s.o.Directory {
		s.tree = &tree{s: s, dirs: map[string]bool{}}
		return s.st.Mkdir(s.path, treePerm)
	}
	if s.o.External && !s.o.Append {
		return nil
	}
	f, err := s.st.Create(s.path, filePerm)
	if err != nil {
		return err
	}
	s.file = f
	if s.o.Append {
		return s.copyTarget()
	}
	return nil
}

// createDir makes the stage a directory of its own. Its lock shows to others
// that this writer is alive.
func (s *Stage) createDir() error {
	for {
		err := s.tryCreateDir()
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errSwept):
		default:
			s.st.Remove(s.names.stages) // fails while other writers have stages there
			return err
		}
	}
}

// errSwept says that another writer of the target removed a stage before its
// lock showed that it is alive.
var errSwept = errors.New("swept")

func (s *Stage) tryCreateDir() error {
	if err := s.st.Mkdir(s.names.stages, dirPerm); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	var id [8]byte
	rand.Read(id[:])
	dir := filepath.Join(s.names.stages, hex.EncodeToString(id[:]))
	if err := s.st.Mkdir(dir, dirPerm); errors.Is(err, fs.ErrNotExist) {
		return errSwept
	} else if err != nil {
		return err
	}
	alive, err := s.st.TryLock(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, store.ErrLocked) {
		return errSwept
	}
	if err != nil {
		s.st.Remove(dir)
		return err
	}
	if _, err := s.st.Lstat(dir); err != nil {
		alive.Unlock()
		if errors.Is(err, fs.ErrNotExist) {
			return errSwept
		}
		s.st.Remove(dir)
		return err
	}
	s.dir, s.alive = dir, alive
	return nil
}

func (s *Stage) copyTarget() error {
	old, err := s.st.Open(s.names.target)
	if errors.Is(err, fs.ErrNotExist) {
		s.base = &store.Info{}
		return nil
	}
	if err != nil {
		return err
	}
	defer old.Close()
	info, err := old.Stat()
	if err != nil {
		return err
	}
	if _, err := io.CopyN(s, old, info.Size); err != nil {
		return err
	}
	if err := s.flush(); err != nil {
		return err
	}
	s.base = &info
	return nil
}

// Target is the resolved path of what is being written.
func (s *Stage) Target() string { return s.names.target }

// Path is where other code finds the stage, "" unless it was asked for a name.
// After such code has written it, call Adopt.
func (s *Stage) Path() string { return s.path }

// Adopt takes what other code has written at Path as the content of the stage.
func (s *Stage) Adopt() error {
	if s.tree != nil {
		return s.tree.adopt("")
	}
	s.discard() // the copy that an appending stage began with
	info, err := s.st.Lstat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return &Error{Op: "write", Path: s.names.target, Err: err, Advice: "the writer made no file"}
	}
	if err != nil {
		return wrap("write", s.names.target, err)
	}
	if !info.Mode.IsRegular() {
		return &Error{Op: "write", Path: s.names.target, Err: syscall.ENOTSUP,
			Advice: "the writer made a directory or a special file, and only a single file can be published"}
	}
	if s.file, err = s.st.OpenExisting(s.path); err != nil {
		return wrap("read back", s.names.target, err)
	}
	return s.readBack()
}

// Seal completes the stage: it has the owner and mode of the file it is to
// replace, and unless SkipSync is set it is durable.
func (s *Stage) Seal() error {
	if s.tree != nil {
		return s.tree.seal()
	}
	if err := s.flush(); err != nil {
		return err
	}
	if err := s.likeTarget(s.file); err != nil {
		return wrap("set the mode of", s.names.target, err)
	}
	if !s.o.SkipSync {
		s.o.Progress.Enter(progress.Syncing)
		if err := s.sync(); err != nil {
			return wrap("sync", s.names.target, err)
		}
	}
	s.sealed = true
	return nil
}

// likeTarget gives f the owner and mode of the target, if there is one.
func (s *Stage) likeTarget(f store.File) error {
	old, err := s.st.Lstat(s.names.target)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	if old.UID != mine.UID || old.GID != mine.GID {
		// Only root may give files away. Others get a file of their own, as with
		// every program that replaces instead of overwriting.
		_ = f.Chown(old.UID, old.GID)
	}
	const bits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
	if old.Mode&bits != mine.Mode&bits {
		return f.Chmod(old.Mode & bits)
	}
	return nil
}

// Abort removes the stage. It may be called at any time and more than once.
func (s *Stage) Abort() {
	s.discard()
	if s.tree != nil {
		s.tree.discard()
	}
	s.removeDir()
}

// removeDir removes the directory of a named stage and all that is in it.
func (s *Stage) removeDir() {
	if s.dir == "" {
		return
	}
	removeTree(s.st, s.dir)
	s.alive.Unlock()
	s.st.Remove(s.names.stages) // fails while other writers have stages there
	s.dir = ""
}
