package delta

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Rollback makes a new version with the content of an old one: its rows, in their
// order, its schema and partitions. All versions in between stay. Of the options,
// Message, Metadata, ExpectedVersion and Txn count.
func (t *Table) Rollback(ctx context.Context, to At, o WriteOptions) (Result, error) {
	o.Mode = Append // what it takes away, it takes away by name
	if err := o.check(t.path); err != nil {
		return Result{}, err
	}
	// From here on Expire leaves the files of the old version alone.
	old, release, err := t.Hold(ctx, to)
	if err != nil {
		return Result{}, err
	}
	defer release()
	if err := t.complete(ctx, old); err != nil {
		return Result{}, err
	}
	a := &attempt{
		files: true,
		info: CommitInfo{
			Operation: "RESTORE", OperationParameters: map[string]any{"version": old.Version, "timestamp": nil},
			UserMetadata: o.Message, Metadata: o.Metadata,
		},
		allows: func(s *Snapshot) error {
			if err := t.allows(s, &o); err != nil {
				return err
			}
			if s != nil && appendOnly(&s.Protocol, &s.Metadata) {
				return &FeatureError{Path: t.path, Feature: "appendOnly", Writing: true, Reason: "delta.appendOnly is true, so rows may only be added"}
			}
			return nil
		},
		build: func(s *Snapshot) (*LogEntry, error) {
			e := s.restoring(old)
			if o.Txn != nil {
				e.Txns = []Txn{*o.Txn}
			}
			return e, nil
		},
	}
	return t.commit(ctx, a)
}

// complete checks that all files of a version are there.
func (t *Table) complete(ctx context.Context, s *Snapshot) error {
	for _, f := range s.files.inOrder() {
		key, err := decodePath(f.Path)
		if err != nil {
			return t.corrupt("a path of its log is no URI", err)
		}
		if isAbsolute(key) {
			continue
		}
		if _, err := t.objects.Stat(ctx, key); errors.Is(err, fs.ErrNotExist) {
			return &NotFoundError{Path: t.path, What: fmt.Sprintf("version %d any more", s.Version), Reason: "its file " + key + " has been removed"}
		} else if err != nil {
			return t.wrap("look up", err)
		}
	}
	return nil
}

// isAbsolute says whether a path of the log is not one below the table.
func isAbsolute(p string) bool {
	scheme, _, ok := strings.Cut(p, ":/")
	return strings.HasPrefix(p, "/") || ok && !strings.Contains(scheme, "/")
}

// restoring returns the entry that makes a version with the content of old after s.
func (s *Snapshot) restoring(old *Snapshot) *LogEntry {
	e := new(LogEntry)
	want, have := old.files.inOrder(), s.files.inOrder()
	kept := map[string]bool{}
	for _, f := range want {
		kept[f.Path] = true
	}
	var common []string
	for _, f := range have {
		if kept[f.Path] {
			common = append(common, f.Path)
		} else {
			e.Removes = append(e.Removes, removeOf(f.Add, true))
		}
	}
	// Files that are there stay as they are if the others come behind them;
	// else all are added anew, in order.
	n := 0
	for n < len(common) && common[n] == want[n].Path {
		n++
	}
	if n < len(common) {
		n = 0
	}
	for _, f := range want[n:] {
		a := *f.Add
		_, there := s.files.byPath[f.Path]
		a.DataChange = !there
		e.Adds = append(e.Adds, a)
	}
	m := s.Metadata
	m.Configuration = maps.Clone(m.Configuration)
	if m.Configuration == nil {
		m.Configuration = map[string]string{}
	}
	changed := m.SchemaString != old.Metadata.SchemaString || !slices.Equal(m.PartitionColumns, old.Metadata.PartitionColumns)
	m.SchemaString, m.PartitionColumns = old.Metadata.SchemaString, old.Metadata.PartitionColumns
	if keepSchemaMetadata(m.Configuration, old.SchemaMetadata()) || changed {
		e.Metadata = &m
		e.Protocol = protocolFor(&s.Protocol, old.schema)
	}
	return e
}
