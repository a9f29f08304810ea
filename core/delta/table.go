package delta

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/seojaeohcode/atio/core/progress"
	"github.com/seojaeohcode/atio/core/publish"
	"github.com/seojaeohcode/atio/core/store"
)

// Options say how a table is worked with. The zero value is the safe way.
type Options struct {
	// Store is the file system the table lives on; nil is that of this machine.
	Store store.Store
	// Objects, if not nil, is where the table lives instead: an object store.
	Objects store.Objects
	// SkipSync leaves out all syncs to disk. A kill still does no harm, a power
	// cut may.
	SkipSync bool
	// Workers is how many goroutines encode at once; 0 is one for each processor.
	Workers int
	// Progress, if not nil, is fed while writes go on.
	Progress *progress.Counter
}

// Table is a directory with a table in it, or where one is to be. It may be used
// by many goroutines at once, and any number of Tables of any process may work
// with the same directory.
type Table struct {
	path    string
	o       Options
	objects store.Objects
	known   *knowledge
}

// Open returns the table at a path, to which symbolic links are followed. There
// need be nothing yet: the first write creates it. A file of that name is an
// ENOTDIR.
func Open(_ context.Context, path string, o Options) (*Table, error) {
	if o.Objects != nil {
		return &Table{path: path, o: o, objects: o.Objects, known: new(knowledge)}, nil
	}
	if o.Store == nil {
		o.Store = store.Local{}
	}
	resolved, err := publish.Resolve(o.Store, path)
	if err != nil {
		return nil, err
	}
	info, err := o.Store.Lstat(resolved)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, publish.Wrap("look up", resolved, err)
	case !info.Mode.IsDir():
		return nil, &publish.Error{Op: "open", Path: resolved, Err: syscall.ENOTDIR, Advice: "it is a file, and a table is a directory: name another one"}
	}
	t := &Table{path: resolved, o: o}
	if o.Store == (store.Local{}) {
		t.known = knowledgeOf(resolved)
		t.objects = t.known.objects[0]
		if o.SkipSync {
			t.objects = t.known.objects[1]
		}
		return t, nil
	}
	t.known, t.objects = new(knowledge), store.NewLocalObjects(o.Store, resolved, o.SkipSync)
	return t, nil
}

// Path is the table's directory, absolute.
func (t *Table) Path() string { return t.path }

// wrap makes an error of a failed file operation say what to do.
func (t *Table) wrap(op string, err error) error { return publish.Wrap(op+" a file of", t.path, err) }

func (t *Table) corrupt(reason string, err error) error {
	return &CorruptError{Path: t.path, Reason: reason, Err: err}
}

// Version returns the newest version, -1 if there is no table. It costs one
// listing of the log.
func (t *Table) Version(ctx context.Context) (int64, error) {
	from := t.lastCheckpoint(ctx)
	l, err := t.listLog(ctx, from)
	if err == nil && from > 0 && l.latest() < 0 {
		l, err = t.listLog(ctx, 0)
	}
	if err != nil {
		return -1, err
	}
	return l.latest(), nil
}

// errAppeared says that another writer has created the table meanwhile.
var errAppeared = errors.New("the table has just been created")

// mayBecomeTable says why the directory cannot become a table: because there are
// other things in it, or what is left of a table whose log is gone. What hides
// itself is not looked at, and neither is what a creation left that was killed.
func (t *Table) mayBecomeTable(ctx context.Context) error {
	names, err := t.objects.List(ctx, "", "")
	if err != nil {
		return t.wrap("list", err)
	}
	creating := false
	var others []string
	for _, name := range names {
		switch {
		case strings.HasPrefix(name, "."), name == "_SUCCESS":
		case name == logDir:
			log, err := t.objects.List(ctx, logDir, "")
			if err != nil {
				return t.wrap("list", err)
			}
			if sortLog(log).latest() >= 0 {
				return errAppeared
			}
			for _, n := range log {
				if !strings.HasPrefix(n, ".") && n != "_commits" && n != "_staged_commits" && n != "_sidecars" {
					return t.corrupt("its log has no version, but "+filepath.Join(logDir, n)+
						": bring back what was removed from "+logDir+", or remove the directory to begin anew", nil)
				}
			}
		case name == metaDir:
			marks, err := t.objects.List(ctx, creatingDir, "")
			if err != nil {
				return t.wrap("list", err)
			}
			creating = len(marks) > 0
		default:
			others = append(others, name)
		}
	}
	if creating || len(others) == 0 {
		return nil
	}
	// The table may have been created since the directory was listed.
	if log, err := t.listLog(ctx, 0); err != nil || log.latest() >= 0 {
		return cmp.Or(err, errAppeared)
	}
	return &NotTableError{Path: t.path, Found: others[0]}
}
