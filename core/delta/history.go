package delta

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Commit is a version in a table's history.
type Commit struct {
	Version    int64
	Time       time.Time
	Operation  string
	Parameters map[string]any
	Metrics    map[string]any
	Message    string
	Metadata   json.RawMessage // of the user
	Engine     string
	Tags       []string // sorted
	IsLatest   bool

	Totals // of the table at that version

	AddedFiles, RemovedFiles int
	AddedRows, AddedBytes    int64
	Txns                     []Txn
}

// History returns the versions of the table whose log is there, the newest first;
// at most limit of them, or all if it is 0. Those that have expired are left out.
func (t *Table) History(ctx context.Context, limit int) ([]Commit, error) {
	log, err := t.wholeLog(ctx)
	if err != nil {
		return nil, err
	}
	oldest := log.oldest()
	if limit > 0 {
		oldest = max(oldest, log.latest()-int64(limit)+1)
	}
	s, err := t.load(ctx, oldest, true)
	if err != nil {
		return nil, err
	}
	gone, err := t.marks(ctx)
	if err != nil {
		return nil, err
	}
	tags, err := t.Tags(ctx)
	if err != nil {
		return nil, err
	}
	byVersion := map[int64][]string{}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		byVersion[tags[name]] = append(byVersion[tags[name]], name)
	}
	live := s.files.clone()
	var out []Commit
	for v := oldest; v <= log.latest(); v++ {
		e, err := t.ReadCommit(ctx, v)
		if err != nil {
			return nil, err
		}
		if v > oldest {
			live.apply(e)
		}
		if gone.has(v) || (&Snapshot{Version: v, info: e.Info}).unwritten() {
			continue
		}
		c := commitOf(e)
		if c.Time.IsZero() {
			o, err := t.objects.Stat(ctx, commitKey(v))
			if err != nil {
				return nil, t.wrap("look up", err)
			}
			c.Time = o.Modified.UTC()
		}
		c.Totals = live.totals()
		c.IsLatest, c.Tags = v == log.latest(), byVersion[v]
		out = append(out, c)
	}
	slices.Reverse(out)
	return out, nil
}

// oldest returns the first version that can be read: 0, or that of the first
// checkpoint.
func (l *logFiles) oldest() int64 {
	if l.commits[0] == 0 || len(l.checkpoints) == 0 {
		return l.commits[0]
	}
	for _, c := range l.checkpoints {
		if c.version >= l.commits[0] {
			return c.version
		}
	}
	return l.latest()
}

func commitOf(e *LogEntry) Commit {
	c := Commit{Version: e.Version, AddedFiles: len(e.Adds), RemovedFiles: len(e.Removes), Txns: e.Txns}
	c.AddedRows, c.AddedBytes = added(e)
	if i := e.Info; i != nil {
		c.Operation, c.Parameters, c.Metrics = i.Operation, i.OperationParameters, i.OperationMetrics
		c.Message, c.Metadata, c.Engine = i.UserMetadata, i.Metadata, i.EngineInfo
		if ms := i.time(); ms != 0 {
			c.Time = time.UnixMilli(ms).UTC()
		}
	}
	return c
}
