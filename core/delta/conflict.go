package delta

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// expect says why s is not the version a write expects; s is nil if nothing has
// been written yet, which is version 0.
func (t *Table) expect(s *Snapshot, want int64) error {
	have := int64(0)
	if s != nil {
		have = s.Version
	}
	if have == want {
		return nil
	}
	e := &ConflictError{Path: t.path, Version: -1, Reason: fmt.Sprintf("version %d was expected to be the newest, and the newest is %d", want, have)}
	if have > want {
		e.Version, e.Reason = have, fmt.Sprintf("version %d was expected to be the newest; read the table again and decide anew", want)
		if s.info != nil {
			e.Operation, e.Message = s.info.Operation, s.info.UserMetadata
		}
	}
	return e
}

// allowsTxn says why an application cannot go on at s.
func (t *Table) allowsTxn(s *Snapshot, x *Txn) error {
	have, ok := int64(-1), false
	if s != nil {
		have, ok = s.Txn(x.AppID)
	}
	if ok && have >= x.Version {
		return ErrTxnDone
	}
	if !ok {
		have = -1
	}
	if x.After != nil && have != *x.After {
		return &ConflictError{Path: t.path, Version: -1, Reason: fmt.Sprintf(
			"application %q was expected to have come to %d, and has come to %d: another program uses the same id", x.AppID, *x.After, have)}
	}
	return nil
}

// compatible says why data that were made for the table as it was then cannot be
// committed to the table as it is now.
func (t *Table) compatible(s *Snapshot, p *Part, o *WriteOptions) error {
	if p.Table != "" && p.Table != s.Metadata.ID {
		return &OptionError{Path: t.path, Option: "parts", Reason: "they were written for another table"}
	}
	if p.Replaces && o.Mode == Overwrite && o.SchemaMode == SchemaOverwrite {
		return nil
	}
	if s.unwritten() { // whoever made it, the first write says what it is
		return nil
	}
	if s.Metadata.SchemaString == p.BaseSchema && slices.Equal(s.Metadata.PartitionColumns, p.Partition) {
		return nil
	}
	// What it would make of the table is what it is already: another writer has
	// created it alike, say, or added the same columns.
	if structure(s.schema) == structure(p.Schema) && slices.Equal(s.Metadata.PartitionColumns, p.Partition) {
		return nil
	}
	base, err := parseSchema(p.BaseSchema)
	if err == nil && structure(s.schema) == structure(base) && slices.Equal(s.Metadata.PartitionColumns, p.Partition) {
		return nil
	}
	return t.schemaChanged(s)
}

func (t *Table) schemaChanged(s *Snapshot) error {
	e := &ConflictError{Path: t.path, Version: s.Version, Reason: "the table's schema or partition columns were changed while these data were being written; write them again"}
	if s.info != nil {
		e.Operation, e.Message = s.info.Operation, s.info.UserMetadata
	}
	return e
}

// structure is what of a schema two writers must agree on: names, types, and how
// the values are kept, but not what is only told about them.
func structure(s *Schema) string {
	var b strings.Builder
	s.walkFields(func(path string, f Field) {
		name := ""
		if _, ok := f.Type.(Primitive); ok {
			name = f.Type.String()
		}
		fmt.Fprintf(&b, "%q %T %s %t", path, f.Type, name, f.Nullable)
		if orig, err := f.original(); err == nil {
			fmt.Fprintf(&b, " %s", plain(orig.Type))
		}
		b.WriteByte('\n')
	})
	return b.String()
}

// sameSchema says that the table has another schema than in the version a change
// was made from.
func (t *Table) sameSchema(ctx context.Context, s *Snapshot, read int64) error {
	if read >= s.Version {
		return nil
	}
	// The entries since then tell, without loading the old version.
	for v := read + 1; v <= s.Version; v++ {
		e, err := t.ReadCommit(ctx, v)
		if err != nil {
			return err
		}
		if e.Metadata == nil {
			continue
		}
		old, err := t.load(ctx, read, false)
		if err != nil {
			return err
		}
		if structure(old.schema) != structure(s.schema) || !slices.Equal(old.Metadata.PartitionColumns, s.Metadata.PartitionColumns) {
			return t.schemaChanged(s)
		}
		return nil
	}
	return nil
}

// conflict says which commit has taken a file away.
func (t *Table) conflict(ctx context.Context, s *Snapshot, path string) error {
	e := &ConflictError{Path: t.path, Version: s.Version, Reason: fmt.Sprintf("file %s has been removed; read the table again and decide anew", path)}
	for v := s.Version; v > s.checkpoint && v >= 0; v-- {
		entry, err := t.ReadCommit(ctx, v)
		if err != nil {
			break
		}
		for _, r := range entry.Removes {
			if p, err := decodePath(r.Path); err == nil && p == path {
				e.Version = v
				if entry.Info != nil {
					e.Operation, e.Message = entry.Info.Operation, entry.Info.UserMetadata
				}
				return e
			}
		}
	}
	return e
}
