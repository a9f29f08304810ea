package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
)

// LocalObjects are the objects of a directory, each a file. The directory and
// those above it are created when the first object is.
type LocalObjects struct {
	st       Store
	root     string
	skipSync bool

	syncing sync.Mutex    // held while Sync goes on
	slots   chan struct{} // for files that are being synced

	mu    sync.Mutex
	dirty map[string]bool // directories with names that are not durable yet
	known map[string]bool // directories that are there
}

var _ Objects = (*LocalObjects)(nil)

const (
	objectPerm    = 0o666 // less the umask
	directoryPerm = 0o777
	objectBuffer  = 256 << 10
	writebackStep = 8 << 20
	syncsAtOnce   = 8
)

// NewLocalObjects returns the objects below root, an absolute path. skipSync
// leaves out all syncs: then nothing is durable.
func NewLocalObjects(st Store, root string, skipSync bool) *LocalObjects {
	return &LocalObjects{st: st, root: root, skipSync: skipSync, slots: make(chan struct{}, syncsAtOnce), dirty: map[string]bool{}, known: map[string]bool{}}
}

func (l *LocalObjects) at(key string) string { return filepath.Join(l.root, filepath.FromSlash(key)) }

// Read implements [Objects].
func (l *LocalObjects) Read(ctx context.Context, key string) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	f, err := l.st.Open(l.at(key))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	buf := make([]byte, 0, 8<<10)
	for {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, 3*cap(buf))
		}
		n, err := f.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) {
			return buf, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

type localObject struct {
	File
	size int64
}

func (o localObject) Size() int64 { return o.size }

// Open implements [Objects].
func (l *LocalObjects) Open(ctx context.Context, key string) (ObjectReader, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	f, err := l.st.Open(l.at(key))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return localObject{f, info.Size}, nil
}

// Stat implements [Objects].
func (l *LocalObjects) Stat(_ context.Context, key string) (Object, error) {
	info, err := l.st.Lstat(l.at(key))
	if err != nil {
		return Object{}, err
	}
	return Object{Size: info.Size, Modified: info.Modified, Dir: info.Mode.IsDir()}, nil
}

// List implements [Objects].
func (l *LocalObjects) List(ctx context.Context, dir, after string) ([]string, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	names, err := l.st.ReadDir(l.at(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if after != "" {
		names = slices.DeleteFunc(names, func(n string) bool { return n <= after })
	}
	slices.Sort(names)
	return names, nil
}

// Put implements [Objects].
func (l *LocalObjects) Put(ctx context.Context, key string, data []byte) error {
	staged, err := l.Stage(ctx, key, data)
	if err != nil {
		return err
	}
	if err := staged.Publish(ctx); err != nil {
		return err
	}
	return l.syncDir(filepath.Dir(l.at(key)))
}

// localStaged is a file that has no name yet; where there is no such thing, it
// still has to be written.
type localStaged struct {
	l    *LocalObjects
	name string
	data []byte
	file File // or nil
}

// Stage implements [Objects].
func (l *LocalObjects) Stage(_ context.Context, key string, data []byte) (Staged, error) {
	s := &localStaged{l: l, name: l.at(key), data: data}
	err := l.inDir(key, func() error {
		f, err := l.st.CreateNameless(filepath.Dir(s.name), objectPerm)
		if errors.Is(err, ErrUnsupported) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := l.fill(f, data); err != nil {
			return errors.Join(err, f.Close())
		}
		s.file = f
		return nil
	})
	return s, err
}

// Publish gives the file its hidden name and then its own, under the lock of its
// directory, where the next caller removes what a killed one has left.
func (s *localStaged) Publish(ctx context.Context) error {
	defer s.Discard()
	st := s.l.st
	dir, base := filepath.Split(s.name)
	dir = filepath.Clean(dir)
	lock, err := st.Lock(ctx, dir)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	spare := filepath.Join(dir, "."+base+".atio-new")
	if err := st.Remove(spare); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if s.file != nil {
		err = st.LinkNameless(s.file, spare)
	} else {
		err = s.l.create(spare, s.data)
	}
	if err != nil {
		return err
	}
	if err := st.Rename(spare, s.name); err != nil {
		st.Remove(spare)
		return err
	}
	return nil
}

// Discard implements [Staged].
func (s *localStaged) Discard() {
	if s.file != nil {
		s.file.Close()
		s.file = nil
	}
}

// PutIfAbsent implements [Objects]: link(2) fails if the name is taken, on every
// file system that has it, for all processes and machines.
func (l *LocalObjects) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	return l.inDir(key, func() error { return l.putIfAbsent(ctx, l.at(key), data) })
}

func (l *LocalObjects) putIfAbsent(ctx context.Context, name string, data []byte) error {
	dir := filepath.Dir(name)
	f, err := l.st.CreateNameless(dir, objectPerm)
	if errors.Is(err, ErrUnsupported) {
		return l.putByName(ctx, dir, name, data)
	}
	if err != nil {
		return err
	}
	if err = l.fill(f, data); err == nil {
		err = l.st.LinkNameless(f, name)
	}
	f.Close() // what is to be durable is: an error has nothing to say
	if err != nil {
		return err
	}
	return l.syncDir(dir)
}

// putByName is PutIfAbsent by way of a hidden name.
func (l *LocalObjects) putByName(ctx context.Context, dir, name string, data []byte) error {
	hidden := filepath.Join(dir, ".atio-"+randomID())
	if err := l.create(hidden, data); err != nil {
		return err
	}
	defer l.st.Remove(hidden)
	err := l.st.Link(hidden, name)
	if errors.Is(err, ErrUnsupported) {
		err = l.renameIfAbsent(ctx, dir, hidden, name)
	}
	if err != nil {
		return err
	}
	return l.syncDir(dir)
}

// renameIfAbsent is for file systems without links, such as FAT: writers who
// take turns by the directory's lock.
func (l *LocalObjects) renameIfAbsent(ctx context.Context, dir, hidden, name string) error {
	lock, err := l.st.Lock(ctx, dir)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	if _, err := l.st.Lstat(name); err == nil {
		return &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return l.st.Rename(hidden, name)
}

// create writes a file of that name, which must be free.
func (l *LocalObjects) create(name string, data []byte) error {
	f, err := l.st.Create(name, objectPerm)
	if err != nil {
		return err
	}
	err = errors.Join(l.fill(f, data), f.Close())
	if err != nil {
		l.st.Remove(name)
	}
	return err
}

func (l *LocalObjects) fill(f File, data []byte) error {
	if _, err := f.Write(data); err != nil {
		return err
	}
	if l.skipSync {
		return nil
	}
	return f.Sync()
}

// Create implements [Objects].
func (l *LocalObjects) Create(ctx context.Context, key string) (ObjectWriter, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	name := l.at(key)
	var f File
	err := l.inDir(key, func() (err error) {
		f, err = l.st.Create(name, objectPerm)
		return err
	})
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.dirty[filepath.Dir(name)] = true
	l.mu.Unlock()
	return &localWriter{l: l, ctx: ctx, file: f, name: name}, nil
}

// Sync implements [Objects]. Callers take turns: what one of them is syncing is
// not durable for the next before it has ended.
func (l *LocalObjects) Sync(ctx context.Context) error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	l.mu.Lock()
	dirs := slices.Sorted(maps.Keys(l.dirty))
	clear(l.dirty)
	l.mu.Unlock()
	for i, dir := range dirs {
		err := context.Cause(ctx)
		if err == nil {
			err = l.syncDir(dir)
		}
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed again, by a writer that has given up
		}
		if err != nil {
			l.mu.Lock()
			for _, d := range dirs[i:] {
				l.dirty[d] = true
			}
			l.mu.Unlock()
			return err
		}
	}
	return nil
}

func (l *LocalObjects) syncDir(dir string) error {
	if l.skipSync {
		return nil
	}
	return l.st.SyncDir(dir)
}

// inDir calls f when the directory of a key is there: again, if another writer
// has removed it in between, because it was empty.
func (l *LocalObjects) inDir(key string, f func() error) error {
	for try := 0; ; try++ {
		err := l.mkdirs(path.Dir(key))
		if err == nil {
			err = f()
		}
		if err == nil || !errors.Is(err, fs.ErrNotExist) || try == 10 {
			return err
		}
	}
}

// mkdirs makes the directory of a key, and those above it, durable ones.
func (l *LocalObjects) mkdirs(key string) error {
	l.mu.Lock()
	known := l.known[key]
	l.mu.Unlock()
	if known {
		// It may have been removed since; Create then says that it is not there.
		if _, err := l.st.Lstat(l.at(key)); err == nil {
			return nil
		}
	}
	if err := l.mkdirAll(l.at(key)); err != nil {
		return err
	}
	l.mu.Lock()
	l.known[key] = true
	l.mu.Unlock()
	return nil
}

func (l *LocalObjects) mkdirAll(dir string) error {
	err := l.st.Mkdir(dir, directoryPerm)
	if errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
		if err := l.mkdirAll(filepath.Dir(dir)); err != nil {
			return err
		}
		err = l.st.Mkdir(dir, directoryPerm)
	}
	if errors.Is(err, fs.ErrExist) {
		info, err := l.st.Lstat(dir)
		if err != nil {
			return err // removed again
		}
		if !info.Mode.IsDir() && info.Mode&fs.ModeSymlink == 0 {
			return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
		}
		// Who made it may not have come to sync it. Where that may not be done, it
		// was not made by a writer of objects.
		if err = l.syncDir(filepath.Dir(dir)); errors.Is(err, fs.ErrPermission) {
			err = nil
		}
		return err
	}
	if err != nil {
		return err
	}
	return l.syncDir(filepath.Dir(dir))
}

// Remove implements [Objects].
func (l *LocalObjects) Remove(_ context.Context, key string) error { return l.st.Remove(l.at(key)) }

// Hold implements [Objects]: the mark is a directory that is locked.
func (l *LocalObjects) Hold(_ context.Context, key string) (func() error, error) {
	name := l.at(key)
	var lock Unlocker
	mark := func() (err error) {
		lock, err = l.mark(name)
		return err
	}
	err := l.inDir(key, mark)
	for try := 0; err != nil && try < 10 && (errors.Is(err, ErrLocked) || errors.Is(err, fs.ErrNotExist)); try++ {
		err = mark() // Held came before it was locked
	}
	if err != nil {
		return nil, err
	}
	return sync.OnceValue(func() error {
		return errors.Join(l.st.Remove(name), lock.Unlock())
	}), nil
}

func (l *LocalObjects) mark(name string) (Unlocker, error) {
	if err := l.st.Mkdir(name, directoryPerm); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	lock, err := l.st.TryLock(name)
	if err != nil {
		if !errors.Is(err, ErrLocked) {
			l.st.Remove(name)
		}
		return nil, err
	}
	if _, err := l.st.Lstat(name); err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return lock, nil
}

// Held implements [Objects].
func (l *LocalObjects) Held(_ context.Context, key string) (bool, error) {
	name := l.at(key)
	lock, err := l.st.TryLock(name)
	switch {
	case errors.Is(err, ErrLocked):
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	defer lock.Unlock()
	if err := l.st.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return false, nil
}

// localWriter is a file of its final name.
type localWriter struct {
	l       *LocalObjects
	ctx     context.Context
	file    File
	name    string
	buf     []byte
	written int64
	behind  int64 // for which write-back was started
	ended   bool
	done    chan error // what syncing has come to
}

func (w *localWriter) Write(p []byte) (int, error) {
	if len(w.buf)+len(p) < objectBuffer {
		w.buf = append(w.buf, p...)
		return len(p), nil
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	if len(p) < objectBuffer {
		w.buf = append(w.buf, p...)
		return len(p), nil
	}
	return len(p), w.writeOut(p)
}

func (w *localWriter) Flush() error {
	err := w.writeOut(w.buf)
	w.buf = w.buf[:0]
	return err
}

func (w *localWriter) writeOut(p []byte) error {
	const most = 4 << 20 // a longer write would answer a cancellation late
	for len(p) > 0 {
		if w.ctx.Err() != nil {
			return context.Cause(w.ctx)
		}
		n, err := w.file.Write(p[:min(len(p), most)])
		if err != nil {
			return err
		}
		w.written += int64(n)
		p = p[n:]
		if !w.l.skipSync && w.written-w.behind >= writebackStep {
			_ = w.file.StartWriteback(w.behind, w.written-w.behind) // a hint
			w.behind = w.written
		}
	}
	return nil
}

func (w *localWriter) ReadAt(p []byte, off int64) (int, error) { return w.file.ReadAt(p, off) }

// Close has the file synced while the caller goes on: the disk takes many files
// together in hardly more time than one.
func (w *localWriter) Close() error {
	if err := w.Flush(); err != nil {
		w.Abort()
		return err
	}
	w.ended = true
	w.done = make(chan error, 1)
	if w.l.skipSync {
		w.done <- w.closed(nil)
		return nil
	}
	select {
	case w.l.slots <- struct{}{}:
	case <-w.ctx.Done():
		return w.closed(context.Cause(w.ctx))
	}
	go func() {
		err := errors.New("syncing panicked")
		defer func() {
			recover() // a store that panics must not end the program
			<-w.l.slots
			w.done <- w.closed(err)
		}()
		err = w.file.Sync()
	}()
	return nil
}

// closed closes the file, which is removed if that, or what came before, fails.
func (w *localWriter) closed(err error) error {
	if err = errors.Join(err, w.file.Close()); err != nil {
		w.l.st.Remove(w.name)
	}
	return err
}

// Wait implements [ObjectWriter].
func (w *localWriter) Wait() error {
	if w.done == nil {
		return nil
	}
	err := <-w.done
	w.done <- err // for who asks again
	return err
}

func (w *localWriter) Abort() {
	if w.ended {
		return
	}
	w.ended = true
	w.file.Close()
	w.l.st.Remove(w.name)
}

func randomID() string {
	var id [16]byte
	rand.Read(id[:])
	return hex.EncodeToString(id[:])
}
