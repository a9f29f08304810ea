package delta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/seojaeohcode/atio/core/progress"
	"github.com/seojaeohcode/atio/core/store"
	"github.com/seojaeohcode/atio/core/version"
)

// engine is what commits of this package say they are made by.
const engine = "atio/" + version.Version

// Result says what a commit has done.
type Result struct {
	Version      int64
	Time         time.Time
	Operation    string
	Rows, Bytes  int64 // of the files added
	Files        int   // added
	RemovedFiles int
	Totals       *Totals // of the table at the version; nil if that would have cost reading all of its log
	Message      string
	Metadata     json.RawMessage // of the user
	Retries      int             // how many commits of others came first
	// Warnings are failures after the commit, which stands all the same: of a
	// checkpoint, or of the flag.
	Warnings []error
}

// Change is a commit of any kind. It goes on from the newest version there is,
// again if another commit comes first.
type Change struct {
	Operation  string         // such as "OPTIMIZE"
	Parameters map[string]any // of the operation
	Metrics    map[string]any // of the operation, besides those of files, rows and bytes
	Add        []Add          // data files, written and synced
	Remove     []string       // paths of files, as in [File], that are to go. Those that have gone already are an ErrConflict
	RemoveAll  bool           // all files that are there go
	DataChange bool           // false: the rows stay the same, only the files differ
	Metadata   *Metadata      // if not nil, the table's from then on
	Protocol   *Protocol      // if not nil, the table's from then on
	Txns       []Txn          // if the table has come as far with one of them, ErrTxnDone

	Message      string
	UserMetadata json.RawMessage
	// ExpectedVersion, if not nil, must be the newest version, else ErrConflict.
	ExpectedVersion *int64
	// ReadVersion is the version the change was made from: if the schema or the
	// partition columns are others by now, it is an ErrConflict.
	ReadVersion int64
}

// UnknownError says that a version is there, but may not outlast a power cut.
type UnknownError struct {
	Path    string
	Version int64
	Err     error
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("version %d of %s is committed, but it is not known whether it is on the disk: %v; check the table before writing again", e.Version, e.Path, e.Err)
}

func (e *UnknownError) Unwrap() error { return e.Err }

// attempt is a commit on its way.
type attempt struct {
	files  bool // build needs the table's files
	info   CommitInfo
	build  func(s *Snapshot) (*LogEntry, error) // for the version after s, nil for the first one
	allows func(s *Snapshot) error              // says why there cannot be one
	create func() (*LogEntry, error)            // makes version 0; nil: the table must exist
}

// Commit makes the data of parts visible, in one version. Cancelling ctx has an
// effect up to the moment of the commit only.
func (t *Table) Commit(ctx context.Context, o WriteOptions, parts ...*Part) (Result, error) {
	if err := o.check(t.path); err != nil {
		return Result{}, err
	}
	if len(parts) == 0 {
		return Result{}, &OptionError{Path: t.path, Option: "parts", Reason: "there are none to commit"}
	}
	all, err := t.joined(parts)
	if err != nil {
		return Result{}, err
	}
	mode := map[Mode]string{Append: "Append", Overwrite: "Overwrite", ErrorIfExists: "ErrorIfExists"}[o.Mode]
	by, _ := json.Marshal(append([]string{}, all.Partition...))
	blind := o.Mode == Append
	a := &attempt{
		files: o.Mode == Overwrite,
		info: CommitInfo{
			Operation:           "WRITE",
			OperationParameters: map[string]any{"mode": mode, "partitionBy": string(by)},
			IsBlindAppend:       &blind,
			UserMetadata:        o.Message, Metadata: o.Metadata,
		},
		allows: func(s *Snapshot) error { return t.allows(s, &o) },
		create: func() (*LogEntry, error) { return t.creation(all, &o) },
		build:  func(s *Snapshot) (*LogEntry, error) { return t.writeEntry(s, all, &o) },
	}
	return t.commit(ctx, a)
}

// joined makes one part of many.
func (t *Table) joined(parts []*Part) (*Part, error) {
	all := *parts[0]
	all.Adds = slices.Clone(all.Adds)
	first, err := all.Schema.text()
	if err != nil {
		return nil, err
	}
	for _, p := range parts[1:] {
		text, err := p.Schema.text()
		if err != nil {
			return nil, err
		}
		if text != first && structure(p.Schema) != structure(all.Schema) || !slices.Equal(p.Partition, all.Partition) {
			return nil, &OptionError{Path: t.path, Option: "parts", Reason: "they have different schemas or partitions"}
		}
		if p.BaseVersion < all.BaseVersion {
			all.BaseVersion, all.BaseSchema, all.Replaces = p.BaseVersion, p.BaseSchema, p.Replaces
		}
		all.Adds = append(all.Adds, p.Adds...)
		all.Rows += p.Rows
		all.Bytes += p.Bytes
	}
	return &all, nil
}

// writeEntry returns the version that adds a part after version s.
func (t *Table) writeEntry(s *Snapshot, p *Part, o *WriteOptions) (*LogEntry, error) {
	e := &LogEntry{Adds: p.Adds}
	if o.Txn != nil {
		e.Txns = []Txn{{AppID: o.Txn.AppID, Version: o.Txn.Version, LastUpdated: time.Now().UnixMilli()}}
	}
	if err := t.compatible(s, p, o); err != nil {
		return nil, err
	}
	if o.Mode == Overwrite {
		e.Removes = s.removeAll(true)
	}
	if err := t.newMetadata(s, p, o, e); err != nil {
		return nil, err
	}
	return e, nil
}

// newMetadata puts into an entry what of the table's metadata the write changes.
func (t *Table) newMetadata(s *Snapshot, p *Part, o *WriteOptions, e *LogEntry) error {
	schema, err := p.Schema.text()
	if err != nil {
		return err
	}
	m := s.Metadata
	m.Configuration = maps.Clone(m.Configuration)
	if m.Configuration == nil {
		m.Configuration = map[string]string{}
	}
	changed := false
	if schema != m.SchemaString {
		m.SchemaString, changed = schema, true
	}
	if !slices.Equal(m.PartitionColumns, p.Partition) {
		m.PartitionColumns, changed = append([]string{}, p.Partition...), true
	}
	if s.unwritten() {
		for k, v := range o.Properties {
			changed = changed || m.Configuration[k] != v
			m.Configuration[k] = v
		}
	}
	if o.Mode == Overwrite || s.unwritten() {
		if keepSchemaMetadata(m.Configuration, p.Metadata) {
			changed = true
		}
	}
	if !changed {
		return nil
	}
	e.Metadata = &m
	e.Protocol = protocolFor(&s.Protocol, p.Schema)
	return nil
}

// schemaMetadataKey is the table property that keeps the metadata of the Arrow
// schema, as JSON.
const schemaMetadataKey = "atio.schema_metadata"

func keepSchemaMetadata(conf map[string]string, meta map[string]string) (changed bool) {
	if len(meta) == 0 {
		_, had := conf[schemaMetadataKey]
		delete(conf, schemaMetadataKey)
		return had
	}
	text, err := json.Marshal(meta)
	if err != nil || conf[schemaMetadataKey] == string(text) {
		return false
	}
	conf[schemaMetadataKey] = string(text)
	return true
}

// properties of tables we create: their history is ours to clean, by [Table.Expire],
// which knows of tags and readers. Another engine's VACUUM and clean-up of the log
// must not.
var properties = map[string]string{
	"delta.deletedFileRetentionDuration": "interval 36500 days",
	"delta.logRetentionDuration":         "interval 36500 days",
}

// creation returns version 0: the table, without rows.
func (t *Table) creation(p *Part, o *WriteOptions) (*LogEntry, error) {
	if p.BaseVersion >= 0 {
		return nil, &NotFoundError{Path: t.path, Reason: "the table was removed while these data were being written to it"}
	}
	schema, err := p.Schema.text()
	if err != nil {
		return nil, err
	}
	now := time.Now().UnixMilli()
	m := &Metadata{
		ID: newID(), Format: Format{Provider: "parquet", Options: map[string]string{}}, SchemaString: schema,
		PartitionColumns: append([]string{}, p.Partition...), CreatedTime: &now, Configuration: maps.Clone(properties),
	}
	maps.Copy(m.Configuration, o.Properties)
	keepSchemaMetadata(m.Configuration, p.Metadata)
	by, _ := json.Marshal(m.PartitionColumns)
	return &LogEntry{
		Protocol: protocolFor(nil, p.Schema), Metadata: m,
		Info: &CommitInfo{
			Timestamp: now, Operation: "CREATE TABLE", EngineInfo: engine, WriteID: newID(),
			OperationParameters: map[string]any{"isManaged": "false", "description": nil, "partitionBy": string(by), "properties": "{}"},
		},
	}, nil
}

// unwritten says whether a version is a table that we have created and that
// nobody has written to: as good as none.
func (s *Snapshot) unwritten() bool {
	return s.Version == 0 && s.info != nil && s.info.Operation == "CREATE TABLE" && s.info.WriteID != ""
}

// removeAll returns the actions that take all files away.
func (s *Snapshot) removeAll(change bool) []Remove {
	out := make([]Remove, 0, len(s.files.byPath))
	for _, a := range s.files.inOrder() {
		out = append(out, removeOf(a.Add, change))
	}
	return out
}

func removeOf(a *Add, change bool) Remove {
	values := a.PartitionValues
	if values == nil {
		values = map[string]*string{}
	}
	return Remove{
		Path: a.Path, DeletionTimestamp: time.Now().UnixMilli(), DataChange: change,
		ExtendedFileMetadata: true, PartitionValues: values, Size: a.Size,
	}
}

// Apply commits a change.
func (t *Table) Apply(ctx context.Context, c Change) (Result, error) {
	a := &attempt{
		files: c.RemoveAll || len(c.Remove) > 0,
		info: CommitInfo{
			Operation: c.Operation, OperationParameters: c.Parameters, OperationMetrics: c.Metrics,
			UserMetadata: c.Message, Metadata: c.UserMetadata,
		},
		allows: func(s *Snapshot) error { return t.allowsChange(s, &c) },
		build:  func(s *Snapshot) (*LogEntry, error) { return t.changeEntry(ctx, s, &c) },
	}
	return t.commit(ctx, a)
}

func (t *Table) allowsChange(s *Snapshot, c *Change) error {
	o := &WriteOptions{Mode: Append, ExpectedVersion: c.ExpectedVersion}
	if c.DataChange && (c.RemoveAll || len(c.Remove) > 0) {
		o.Mode = Overwrite
	}
	for i := range c.Txns {
		o.Txn = &c.Txns[i]
		if err := t.allows(s, o); err != nil {
			return err
		}
	}
	return t.allows(s, o)
}

func (t *Table) changeEntry(ctx context.Context, s *Snapshot, c *Change) (*LogEntry, error) {
	if err := t.sameSchema(ctx, s, c.ReadVersion); err != nil {
		return nil, err
	}
	e := &LogEntry{Adds: slices.Clone(c.Add), Metadata: c.Metadata, Protocol: c.Protocol, Txns: c.Txns}
	for i := range e.Adds {
		e.Adds[i].DataChange = c.DataChange
	}
	if c.RemoveAll {
		e.Removes = s.removeAll(c.DataChange)
		return e, nil
	}
	if len(c.Remove) == 0 {
		return e, nil
	}
	live := make(map[string]*Add, len(s.files.byPath))
	for _, a := range s.files.byPath {
		if path, err := decodePath(a.Path); err == nil {
			live[path] = a.Add
		}
	}
	for _, path := range c.Remove {
		a := live[path]
		if a == nil {
			return nil, t.conflict(ctx, s, path)
		}
		e.Removes = append(e.Removes, removeOf(a, c.DataChange))
	}
	return e, nil
}

// mostRetries is how often a commit is tried again. Somebody gets through each
// time, so that it is only reached where something is wrong.
const mostRetries = 10_000

// commit makes a version: it puts the file of the next number in its place, and
// if another has come first, looks what that did and tries the one after.
func (t *Table) commit(ctx context.Context, a *attempt) (Result, error) {
	t.o.Progress.Enter(progress.Publishing)
	a.info.EngineInfo, a.info.WriteID = engine, newID()
	for try := 0; try < mostRetries; try++ {
		if ctx.Err() != nil {
			return Result{}, context.Cause(ctx)
		}
		s, err := t.load(ctx, newest, a.files)
		var missing *NotFoundError
		none := errors.As(err, &missing) && missing.What == ""
		if err != nil && !none {
			return Result{}, err
		}
		if none {
			if err := a.allows(nil); err != nil {
				return Result{}, err
			}
			if err := t.create(ctx, a, missing); err != nil {
				return Result{}, err
			}
			continue
		}
		seen := s
		if s.unwritten() {
			seen = nil
		}
		if err := a.allows(seen); err != nil {
			return Result{}, err
		}
		if seen == nil && a.create == nil {
			return Result{}, &NotFoundError{Path: t.path, Reason: "nothing has been written to it yet"}
		}
		e, err := a.build(s)
		if err != nil {
			return Result{}, err
		}
		t.describe(a, s, e)
		prepared := func() store.Staged { return nil }
		if try == 0 { // with many writers the flag will be another one's to set
			prepared = t.flagInTime(context.WithoutCancel(ctx), e)
		}
		done, err := t.put(ctx, s, e)
		staged := prepared()
		if err == nil && done {
			return t.committed(ctx, s, e, try, staged), nil
		}
		if staged != nil {
			staged.Discard()
		}
		if err != nil {
			return Result{}, err
		}
	}
	return Result{}, &ConflictError{Path: t.path, Version: -1, Reason: fmt.Sprintf("other commits came first %d times; try again when there are fewer writers", mostRetries)}
}

// create makes version 0. That another writer has done so is as good.
func (t *Table) create(ctx context.Context, a *attempt, missing error) error {
	if a.create == nil {
		return missing
	}
	e, err := a.create()
	if err != nil {
		return err
	}
	if err := t.mayBecomeTable(ctx); errors.Is(err, errAppeared) {
		return nil
	} else if err != nil {
		return err
	}
	data, err := encodeEntry(e)
	if err != nil {
		return err
	}
	if err := t.objects.PutIfAbsent(ctx, commitKey(0), data); err != nil && !errors.Is(err, fs.ErrExist) {
		return t.wrap("create", err)
	}
	return nil
}

// describe completes the information about a commit.
func (t *Table) describe(a *attempt, s *Snapshot, e *LogEntry) {
	info := a.info
	now := time.Now().UnixMilli()
	info.Timestamp = max(now, s.info.time()) // versions are in the order of their times
	if inCommitTimestamps(&s.Protocol, &s.Metadata) {
		ict := max(now, s.info.time()+1)
		info.InCommitTimestamp, info.Timestamp = &ict, ict
	}
	read := s.Version
	info.ReadVersion = &read
	m := maps.Clone(info.OperationMetrics)
	if m == nil {
		m = map[string]any{}
	}
	rows, bytes := added(e)
	m["numFiles"], m["numOutputBytes"] = strconv.Itoa(len(e.Adds)), strconv.FormatInt(bytes, 10)
	if rows >= 0 {
		m["numOutputRows"] = strconv.FormatInt(rows, 10)
	}
	if len(e.Removes) > 0 {
		m["numRemovedFiles"] = strconv.Itoa(len(e.Removes))
	}
	info.OperationMetrics = m
	info.Totals = totalsAfter(s, e, rows, bytes)
	e.Version, e.Info = s.Version+1, &info
}

// totalsAfter returns the totals of the table with one more entry, nil if those
// before it are not known.
func totalsAfter(s *Snapshot, e *LogEntry, rows, bytes int64) *Totals {
	if s.files != nil {
		next := s.files.clone()
		next.apply(e)
		t := next.totals()
		return &t
	}
	before := s.totals()
	if before == nil || len(e.Removes) > 0 {
		return nil
	}
	t := Totals{Rows: before.Rows + rows, Bytes: before.Bytes + bytes, Files: before.Files + len(e.Adds)}
	if before.Rows < 0 || rows < 0 {
		t.Rows = -1
	}
	return &t
}

// totals are those of a version as its writer noted them, nil if it did not.
func (s *Snapshot) totals() *Totals {
	switch {
	case s.unwritten():
		return &Totals{}
	case s.info != nil:
		return s.info.Totals
	}
	return nil
}

// added returns rows and bytes of the files an entry adds; rows are -1 if a file
// does not say.
func added(e *LogEntry) (rows, bytes int64) {
	for i := range e.Adds {
		if n := rowsOf(e.Adds[i].Stats); n < 0 || rows < 0 {
			rows = -1
		} else {
			rows += n
		}
		bytes += e.Adds[i].Size
	}
	return rows, bytes
}

// put puts the file of a version in its place. It is false if another was first.
func (t *Table) put(ctx context.Context, s *Snapshot, e *LogEntry) (bool, error) {
	data, err := encodeEntry(e)
	if err != nil {
		return false, err
	}
	// The number is free also if the log has been cleaned beyond it, or if the
	// directory holds another table by now.
	if err := t.still(ctx, s); errors.Is(err, errMoved) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	// From here on there is no way back.
	ctx = context.WithoutCancel(ctx)
	err = t.objects.PutIfAbsent(ctx, commitKey(e.Version), data)
	if err == nil {
		return true, nil
	}
	there, rerr := t.ReadCommit(ctx, e.Version)
	mine := rerr == nil && there.Info != nil && there.Info.WriteID == e.Info.WriteID
	switch {
	case mine && errors.Is(err, fs.ErrExist): // the answer to an earlier try was lost
		return true, nil
	case mine:
		return true, &UnknownError{Path: t.path, Version: e.Version, Err: err}
	case errors.Is(err, fs.ErrExist):
		if rerr != nil && errors.Is(rerr, ErrCorrupt) {
			return false, rerr
		}
		return false, nil
	}
	return false, t.wrap("commit to", err)
}

// committed does what is to be done after a commit. It stands, whatever fails.
func (t *Table) committed(ctx context.Context, s *Snapshot, e *LogEntry, retries int, staged store.Staged) Result {
	ctx = context.WithoutCancel(ctx)
	r := Result{
		Version: e.Version, Time: time.UnixMilli(e.Info.time()).UTC(), Operation: e.Info.Operation,
		Files: len(e.Adds), RemovedFiles: len(e.Removes), Retries: retries,
		Totals: e.Info.Totals, Message: e.Info.UserMetadata, Metadata: e.Info.Metadata,
	}
	r.Rows, r.Bytes = added(e)
	warn := func(err error) {
		if err != nil {
			r.Warnings = append(r.Warnings, err)
		}
	}
	next := s.clone()
	if err := next.apply(e); err == nil {
		t.remember(ctx, next)
		warn(t.checkpointIfDue(ctx, next))
	}
	if e.Version == 1 {
		t.created(ctx)
	}
	warn(t.flag(ctx, e, staged))
	t.o.Progress.Enter(progress.Done)
	return r
}
