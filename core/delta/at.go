package delta

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

// At says which version is meant, by at most one of its fields. The zero value is
// the newest one.
type At struct {
	Version *int64
	Tag     string
	Time    time.Time // the newest version that is not younger
}

// Snapshot returns the table at a version. Without a table or such a version it
// is a [NotFoundError]. A table to which nothing has been written yet is none.
func (t *Table) Snapshot(ctx context.Context, at At) (*Snapshot, error) {
	version, err := t.versionAt(ctx, at)
	if err != nil {
		return nil, err
	}
	s, err := t.load(ctx, version, true)
	if err != nil {
		return nil, err
	}
	if s.unwritten() {
		return nil, &NotFoundError{Path: t.path, What: what(at), Reason: "nothing has been written to it yet"}
	}
	if version != newest {
		if err := t.expired(ctx, version); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func what(at At) string {
	if at.Version == nil {
		return ""
	}
	return fmt.Sprintf("version %d", *at.Version)
}

func (t *Table) versionAt(ctx context.Context, at At) (int64, error) {
	given := 0
	for _, yes := range []bool{at.Version != nil, at.Tag != "", !at.Time.IsZero()} {
		if yes {
			given++
		}
	}
	switch {
	case given > 1:
		return 0, &OptionError{Path: t.path, Option: "version, tag, timestamp", Reason: "give one of them only"}
	case at.Version != nil:
		if *at.Version < 0 {
			return 0, &NotFoundError{Path: t.path, What: what(at), Reason: "versions are 1, 2, 3 and so on"}
		}
		return *at.Version, nil
	case at.Tag != "":
		return t.tagged(ctx, at.Tag)
	case !at.Time.IsZero():
		return t.versionAtTime(ctx, at.Time)
	}
	return newest, nil
}

// versionAtTime returns the newest version that is not younger than a time.
func (t *Table) versionAtTime(ctx context.Context, at time.Time) (int64, error) {
	log, err := t.wholeLog(ctx)
	if err != nil {
		return 0, err
	}
	gone, err := t.marks(ctx)
	if err != nil {
		return 0, err
	}
	// Times of versions only grow, so that half of them need not be looked at.
	var failed error
	i, _ := slices.BinarySearchFunc(log.commits, at.UnixMilli(), func(v, want int64) int {
		ms, err := t.timeOf(ctx, v)
		if err != nil {
			failed = cmpErr(failed, err)
		}
		if ms > want {
			return 1
		}
		return -1
	})
	if failed != nil {
		return 0, failed
	}
	for i--; i >= 0; i-- {
		v := log.commits[i]
		if gone.has(v) {
			break
		}
		if v > 0 || !t.isUnwritten(ctx, v) {
			return v, nil
		}
	}
	return 0, &NotFoundError{Path: t.path, What: "version as old as " + at.UTC().Format(time.RFC3339Nano), Reason: "its oldest one is younger, or what there was has expired"}
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// timeOf returns when a version was made, in milliseconds since 1970.
func (t *Table) timeOf(ctx context.Context, version int64) (int64, error) {
	e, err := t.ReadCommit(ctx, version)
	if err != nil {
		return 0, err
	}
	if ms := e.Info.time(); ms != 0 {
		return ms, nil
	}
	o, err := t.objects.Stat(ctx, commitKey(version))
	return o.Modified.UnixMilli(), t.wrap("look up", err)
}

func (t *Table) isUnwritten(ctx context.Context, version int64) bool {
	e, err := t.ReadCommit(ctx, version)
	return err == nil && (&Snapshot{Version: version, info: e.Info}).unwritten()
}

// wholeLog lists the whole log, which must be that of a table.
func (t *Table) wholeLog(ctx context.Context) (*logFiles, error) {
	log, err := t.listLog(ctx, 0)
	if err != nil {
		return nil, err
	}
	if len(log.commits) == 0 {
		if _, err := t.load(ctx, newest, false); err != nil {
			return nil, err
		}
		return nil, t.corrupt("its log has checkpoints and no commits", nil)
	}
	first, last := log.commits[0], log.latest()
	if v := log.hole(first, last); v >= 0 {
		return nil, t.corrupt(fmt.Sprintf("version %d is missing in its log (%s), while later ones are there: bring the file back", v, commitKey(v)), nil)
	}
	return log, nil
}

// ArrowSchema is the schema as data files hold it: the Arrow types that Delta's
// types have of themselves. Columns of partitions are in it, and void ones.
func (s *Snapshot) ArrowSchema() (*arrow.Schema, error) {
	return s.arrowSchema(func(f Field) (arrow.Field, error) {
		typ, err := arrowType(f.Type)
		return arrow.Field{Name: f.Name, Type: typ, Nullable: f.Nullable}, err
	}, nil)
}

// OriginalSchema is the schema as it was written, with the metadata that came
// with it.
func (s *Snapshot) OriginalSchema() (*arrow.Schema, error) {
	return s.arrowSchema(Field.original, s.SchemaMetadata())
}

// SchemaMetadata is what came with the Arrow schema that made the table's, such as
// that of pandas.
func (s *Snapshot) SchemaMetadata() map[string]string {
	var meta map[string]string
	if text, ok := s.Metadata.Configuration[schemaMetadataKey]; ok {
		_ = json.Unmarshal([]byte(text), &meta)
	}
	return meta
}

func (s *Snapshot) arrowSchema(of func(Field) (arrow.Field, error), meta map[string]string) (*arrow.Schema, error) {
	fields := make([]arrow.Field, len(s.schema.Fields))
	for i, f := range s.schema.Fields {
		var err error
		if fields[i], err = of(f); err != nil {
			return nil, s.table.corrupt("its schema cannot be read", err)
		}
	}
	m := arrow.MetadataFrom(meta)
	return arrow.NewSchema(fields, &m), nil
}
