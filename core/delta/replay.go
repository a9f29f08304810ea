package delta

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"time"
)

// newest asks load for the newest version.
const newest = int64(-1)

// load returns the table at a version, with its files if they are asked for.
// Without a table it is a [NotFoundError].
//
// What has been read before is gone on from: usually that is to look for one
// file that is not there.
func (t *Table) load(ctx context.Context, version int64, files bool) (*Snapshot, error) {
	if s := t.cached(files); s != nil && (version == newest || version >= s.Version) {
		next, err := t.advance(ctx, s, version)
		if err == nil {
			if version == newest && next != s {
				t.remember(ctx, next)
			}
			return next, t.mayRead(next)
		}
		if !errors.Is(err, errMoved) {
			return nil, err
		}
	}
	// Another process may clean the log between our listing and our reading.
	for try := 0; ; try++ {
		s, err := t.loadAnew(ctx, version, files)
		if errors.Is(err, errAppeared) || errors.Is(err, fs.ErrNotExist) && !errors.As(err, new(*NotFoundError)) && try < 3 {
			continue
		}
		if err != nil {
			return nil, err
		}
		if version == newest {
			t.remember(ctx, s)
		}
		return s, t.mayRead(s)
	}
}

func (t *Table) mayRead(s *Snapshot) error {
	return mayRead(t.path, &s.Protocol, &s.Metadata, s.schema)
}

// errMoved says that the log is not the one that was read before: it has been
// cleaned beyond, or replaced by another.
var errMoved = errors.New("the log has moved on")

// advance goes on from a snapshot up to a version, or the newest.
func (t *Table) advance(ctx context.Context, s *Snapshot, version int64) (*Snapshot, error) {
	// If its own commit is gone, so may be those after it.
	if err := t.still(ctx, s); err != nil {
		return nil, err
	}
	next := s
	for version == newest || next.Version < version {
		e, err := t.ReadCommit(ctx, next.Version+1)
		if errors.Is(err, fs.ErrNotExist) {
			if version != newest {
				return nil, errMoved
			}
			break
		}
		if err != nil {
			return nil, err
		}
		if next == s {
			next = s.clone()
		}
		if err := next.apply(e); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// still returns errMoved unless a snapshot's own commit is there as it was.
func (t *Table) still(ctx context.Context, s *Snapshot) error {
	o, err := t.objects.Stat(ctx, commitKey(s.Version))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return t.wrap("look up", err)
	}
	t.known.mu.Lock()
	defer t.known.mu.Unlock()
	if err != nil || s.mark != markOf(o) {
		t.known.light, t.known.full = nil, nil
		return errMoved
	}
	return nil
}

// ReadCommit returns what one version says. If it is not there, or no longer, the
// error is an [fs.ErrNotExist].
func (t *Table) ReadCommit(ctx context.Context, version int64) (*LogEntry, error) {
	data, err := t.objects.Read(ctx, commitKey(version))
	if err != nil {
		return nil, t.wrap("read", err)
	}
	e, err := decodeEntry(version, data)
	if err != nil {
		return nil, t.corrupt(fmt.Sprintf("version %d of its log (%s) cannot be read", version, commitKey(version)), err)
	}
	return e, nil
}

// loadAnew reads the log from its last checkpoint.
func (t *Table) loadAnew(ctx context.Context, version int64, files bool) (*Snapshot, error) {
	from := int64(0)
	if version == newest {
		from = t.lastCheckpoint(ctx)
		if s := t.loadOn(ctx, from, files); s != nil {
			return s, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	log, err := t.listLog(ctx, from)
	if err == nil && from > 0 && len(log.checkpoints) == 0 {
		log, err = t.listLog(ctx, 0) // the hint leads nowhere
	}
	if err != nil {
		return nil, err
	}
	last := log.latest()
	if last < 0 {
		if err := t.mayBecomeTable(ctx); errors.Is(err, ErrCorrupt) || errors.Is(err, errAppeared) {
			return nil, err
		}
		return nil, &NotFoundError{Path: t.path, Reason: "there is no " + logDir + " with versions in it: write to it first, or name another directory"}
	}
	if version == newest {
		version = last
	}
	if version > last || version < 0 {
		return nil, &NotFoundError{Path: t.path, What: fmt.Sprintf("version %d", version), Reason: fmt.Sprintf("the newest is %d", last)}
	}
	s, err := t.replay(ctx, log, version, files)
	if from > 0 && errors.Is(err, ErrCorrupt) { // what came before may do
		if whole, lerr := t.listLog(ctx, 0); lerr == nil && len(whole.commits) > len(log.commits) {
			return t.replay(ctx, whole, version, files)
		}
	}
	return s, err
}

// loadOn reads on from the checkpoint that the hint names until there is no next
// version, so that the time does not grow with the log, as that of a listing does.
// It returns nil wherever a listing has to tell what is there: if the checkpoint
// cannot be read, or is no classic one, or if there are later versions behind one
// that is missing. In an object store a listing is one request, and so is each
// look at a file: there it always lists.
func (t *Table) loadOn(ctx context.Context, checkpoint int64, files bool) *Snapshot {
	if checkpoint <= 0 || t.o.Objects != nil {
		return nil
	}
	s := newSnapshot(t, checkpoint, files)
	if t.readCheckpoint(ctx, checkpointFiles{checkpoint, []string{path.Base(checkpointKey(checkpoint))}}, s) != nil {
		return nil
	}
	for {
		e, err := t.ReadCommit(ctx, s.Version+1)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil || s.apply(e) != nil {
			return nil
		}
	}
	for v := s.Version + 2; v <= s.Version+1+checkpointInterval; v++ {
		if _, err := t.objects.Stat(ctx, commitKey(v)); !errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	// The log is cleaned from its oldest version on: as long as this one is there,
	// so were those after it.
	if s.info != nil {
		if _, err := t.objects.Stat(ctx, commitKey(s.Version)); err != nil {
			return nil
		}
	} else { // it is the checkpoint's, or does not say
		e, err := t.ReadCommit(ctx, s.Version)
		if err != nil {
			return nil
		}
		s.info = e.Info
	}
	if s.complete(ctx) != nil {
		return nil
	}
	return s
}

// newSnapshot returns one to be filled from a checkpoint, or for version -1 from
// the first commit on.
func newSnapshot(t *Table, checkpoint int64, files bool) *Snapshot {
	s := &Snapshot{Version: checkpoint, table: t, checkpoint: checkpoint, txns: map[string]Txn{}, domains: map[string]DomainMetadata{}}
	if files {
		s.files, s.removed = newLiveFiles(), map[string]*Remove{}
	}
	return s
}

// replay makes a snapshot of the newest checkpoint that can be read and the
// commits after it.
func (t *Table) replay(ctx context.Context, log *logFiles, version int64, files bool) (*Snapshot, error) {
	// A hole anywhere up to the newest version is damage, also for who asks for an
	// older one, unless a checkpoint covers it.
	var damaged error
	for _, c := range append(log.before(version), checkpointFiles{version: -1}) {
		if v := log.hole(c.version+1, version); v >= 0 {
			if damaged != nil {
				break
			}
			first := log.latest()
			if len(log.commits) > 0 {
				first = log.commits[0]
			}
			if c.version < 0 && v < first && len(log.checkpoints) > 0 && log.checkpoints[0].version > version {
				return nil, &NotFoundError{Path: t.path, What: fmt.Sprintf("version %d", version),
					Reason: fmt.Sprintf("its log has been cleaned up to version %d", log.checkpoints[0].version)}
			}
			damaged = t.corrupt(fmt.Sprintf("version %d is missing in its log (%s), while later ones are there: bring the file back", v, commitKey(v)), nil)
			break
		}
		s := newSnapshot(t, c.version, files)
		if c.version >= 0 {
			err := t.readCheckpoint(ctx, c, s)
			if errors.Is(err, fs.ErrNotExist) || ctx.Err() != nil {
				return nil, err
			}
			if err != nil { // an older one may do
				if damaged == nil {
					damaged = t.corrupt(fmt.Sprintf("its checkpoint of version %d (%s) cannot be read", c.version, c.names[0]), err)
				}
				continue
			}
		}
		return s, t.replayOn(ctx, s, version)
	}
	return nil, damaged
}

func (t *Table) replayOn(ctx context.Context, s *Snapshot, version int64) error {
	for s.Version < version {
		e, err := t.ReadCommit(ctx, s.Version+1)
		if err != nil {
			return err
		}
		if err := s.apply(e); err != nil {
			return err
		}
	}
	if s.info == nil { // it came from a checkpoint, which has no such
		if e, err := t.ReadCommit(ctx, version); err == nil {
			s.info = e.Info
		}
	}
	return s.complete(ctx)
}

// complete checks that a replayed snapshot is one, and reads its schema.
func (s *Snapshot) complete(ctx context.Context) error {
	if s.Metadata.SchemaString == "" {
		return s.table.corrupt("its log has no metaData action", nil)
	}
	if s.Protocol.MinReaderVersion == 0 {
		return s.table.corrupt("its log has no protocol action", nil)
	}
	if err := s.setSchema(); err != nil {
		return err
	}
	return s.setTime(ctx)
}

func (s *Snapshot) setSchema() error {
	schema, err := parseSchema(s.Metadata.SchemaString)
	if err != nil {
		// A type of a later protocol is no damage.
		if gate := mayRead(s.table.path, &s.Protocol, &s.Metadata, new(Schema)); gate != nil {
			return gate
		}
		return &FeatureError{Path: s.table.path, Feature: "of another type", Reason: err.Error()}
	}
	s.schema = schema
	return nil
}

func (s *Snapshot) setTime(ctx context.Context) error {
	ms := s.info.time()
	if ms == 0 {
		if o, err := s.table.objects.Stat(ctx, commitKey(s.Version)); err == nil {
			ms = o.Modified.UnixMilli()
		}
	}
	s.Time = time.UnixMilli(ms).UTC()
	return nil
}

// clone returns a copy that can be advanced.
func (s *Snapshot) clone() *Snapshot {
	c := *s
	c.txns = maps.Clone(s.txns)
	c.domains = maps.Clone(s.domains)
	c.files = s.files.clone()
	c.removed = maps.Clone(s.removed)
	return &c
}

// apply makes a snapshot that of the next version ("Action Reconciliation").
func (s *Snapshot) apply(e *LogEntry) error {
	s.Version, s.info, s.mark = e.Version, e.Info, commitMark{}
	if e.Protocol != nil {
		s.Protocol = *e.Protocol
	}
	if e.Metadata != nil {
		s.Metadata = *e.Metadata
		if s.schema != nil {
			if err := s.setSchema(); err != nil {
				return err
			}
		}
	}
	for _, x := range e.Txns {
		s.txns[x.AppID] = x
	}
	for _, d := range e.Domains {
		s.setDomain(d)
	}
	if s.files != nil {
		s.files.apply(e)
		for i := range e.Removes {
			s.removed[e.Removes[i].Path] = &e.Removes[i]
		}
		for i := range e.Adds {
			delete(s.removed, e.Adds[i].Path)
		}
	}
	if s.schema != nil {
		return s.setTime(context.Background())
	}
	return nil
}

func (s *Snapshot) setDomain(d DomainMetadata) {
	if d.Removed {
		delete(s.domains, d.Domain)
	} else {
		s.domains[d.Domain] = d
	}
}
