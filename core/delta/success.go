package delta

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"time"
)

const (
	// flagKey says which version is complete, for whoever waits for a _SUCCESS.
	flagKey = "_SUCCESS"
	// metaDir is where atio keeps what is not of the Delta format.
	metaDir = "_atio"
	// creatingKey is there while a table is being created, so that data files
	// without a log are known to be no table that has lost it.
	creatingKey = metaDir + "/creating"
)

// Success is the content of the flag _SUCCESS.
type Success struct {
	Format    string    `json:"format"`    // "delta"
	Version   int64     `json:"version"`   // that is complete
	Time      time.Time `json:"time"`      // when it was made
	Operation string    `json:"operation"` // that made it
	Rows      int64     `json:"rows"`      // that it has added
	Bytes     int64     `json:"bytes"`     // of the files that it has added
	Engine    string    `json:"engine"`
}

// Success reads the flag. It is written after the commit and may be that of an
// earlier version if a writer was killed in between, or writes with another
// engine. Without a flag the error is an [fs.ErrNotExist].
func (t *Table) Success(ctx context.Context) (Success, error) {
	data, err := t.objects.Read(ctx, flagKey)
	if err != nil {
		return Success{}, t.wrap("read", err)
	}
	var s Success
	if err := json.Unmarshal(data, &s); err != nil {
		return Success{}, t.corrupt(flagKey+" is no flag of a table", err)
	}
	return s, nil
}

// flag sets the flag to a version, or to a newer one that is there by then: of
// many writers at once the last one to look leaves the right one.
func (t *Table) flag(ctx context.Context, e *LogEntry) error {
	for {
		if _, err := t.objects.Stat(ctx, commitKey(e.Version+1)); err == nil {
			next, err := t.ReadCommit(ctx, e.Version+1)
			if err != nil {
				return err
			}
			e = next
			continue
		}
		s := Success{Format: format, Version: e.Version, Time: time.UnixMilli(e.Info.time()).UTC()}
		if e.Info != nil {
			s.Operation, s.Engine = e.Info.Operation, e.Info.EngineInfo
		}
		s.Rows, s.Bytes = added(e)
		data, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			return err
		}
		if err := t.objects.Put(ctx, flagKey, append(data, '\n')); err != nil {
			return t.wrap("write the flag", err)
		}
		if _, err := t.objects.Stat(ctx, commitKey(e.Version+1)); err != nil {
			return nil
		}
	}
}

// announce leaves a mark before the first data file of a new table.
func (t *Table) announce(ctx context.Context) error {
	err := t.objects.PutIfAbsent(ctx, creatingKey, []byte("A table is being created here. If no program is at it, this file means nothing.\n"))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return t.wrap("create", err)
	}
	return nil
}

// renounce takes the mark away, and the directories if nothing else is in them.
// What it cannot do is harmless.
func (t *Table) renounce(ctx context.Context) {
	if t.objects.Remove(ctx, creatingKey) == nil {
		t.removeEmpty(ctx, creatingKey)
	}
}

// removeEmpty removes the directories above a key that have become empty, also
// the table's own.
func (t *Table) removeEmpty(ctx context.Context, key string) {
	for dir := path.Dir(key); ; dir = path.Dir(dir) {
		if t.objects.Remove(ctx, dir) != nil || dir == "." {
			return
		}
	}
}
