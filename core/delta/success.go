package delta

import (
	"context"
	"encoding/json"
	"path"
	"time"

	"github.com/seojaeohcode/atio/core/store"
)

const (
	// flagKey says which version is complete, for whoever waits for a _SUCCESS.
	flagKey = "_SUCCESS"
	// metaDir is where atio keeps what is not of the Delta format.
	metaDir = "_atio"
	// creatingDir has a mark of each writer that is about to create the table, so
	// that data files without a log are known to be no table that has lost it.
	creatingDir = metaDir + "/creating"
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
func (t *Table) flag(ctx context.Context, e *LogEntry, staged store.Staged) error {
	defer func() {
		if staged != nil {
			staged.Discard()
		}
	}()
	for {
		if _, err := t.objects.Stat(ctx, commitKey(e.Version+1)); err == nil {
			next, err := t.ReadCommit(ctx, e.Version+1)
			if err != nil {
				return err
			}
			if staged != nil {
				staged.Discard()
			}
			e, staged = next, nil
			continue
		}
		if staged == nil {
			var err error
			if staged, err = t.stageFlag(ctx, e); err != nil {
				return err
			}
		}
		// Its name need not be durable: if that is lost, there is the flag of an older
		// version, which is right about that.
		if err := staged.Publish(ctx); err != nil {
			return t.wrap("write the flag", err)
		}
		staged = nil
		if _, err := t.objects.Stat(ctx, commitKey(e.Version+1)); err != nil {
			return nil
		}
	}
}

// stageFlag prepares the flag of a version.
func (t *Table) stageFlag(ctx context.Context, e *LogEntry) (store.Staged, error) {
	s := Success{Format: format, Version: e.Version, Time: time.UnixMilli(e.Info.time()).UTC()}
	if e.Info != nil {
		s.Operation, s.Engine = e.Info.Operation, e.Info.EngineInfo
	}
	s.Rows, s.Bytes = added(e)
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, err
	}
	staged, err := t.objects.Stage(ctx, flagKey, append(data, '\n'))
	if err != nil {
		return nil, t.wrap("write the flag", err)
	}
	return staged, nil
}

// flagInTime has the flag of a version prepared while its commit is on its way.
// What the function it returns gives may be nil.
func (t *Table) flagInTime(ctx context.Context, e *LogEntry) func() store.Staged {
	ready := make(chan store.Staged, 1)
	go func() {
		var staged store.Staged
		defer func() {
			recover() // a store that panics must not end the program
			ready <- staged
		}()
		if s, err := t.stageFlag(ctx, e); err == nil { // else it is tried again, and then it is a warning
			staged = s
		}
	}()
	return func() store.Staged { return <-ready }
}

// announce leaves a mark before the first data file of a new table.
func (t *Table) announce(ctx context.Context) (id string, err error) {
	id = newID()
	text := []byte("A table is being created here. If no program is at it, this file means nothing.\n")
	return id, t.wrap("create", t.objects.PutIfAbsent(ctx, creatingDir+"/"+id, text))
}

// renounce takes a mark away, and the directories if nothing else is in them.
// What it cannot do is harmless.
func (t *Table) renounce(ctx context.Context, id string) {
	key := creatingDir + "/" + id
	if id != "" && t.objects.Remove(ctx, key) == nil {
		t.removeEmpty(ctx, key)
	}
}

// created takes all marks away: there is a table now.
func (t *Table) created(ctx context.Context) {
	names, _ := t.objects.List(ctx, creatingDir, "")
	for _, id := range names {
		t.renounce(ctx, id)
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
