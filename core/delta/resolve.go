package delta

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// target is what a write makes of a table: its schema afterwards, and how the
// columns of the data become those of the files.
type target struct {
	schema    *Schema // of the table after the write
	partition []string
	replaces  bool // the schema is the write's own, whatever the table has
	source    []int
	plans     []conversion // for the columns of source, in the order of the table
	columns   []Field      // the same
}

// resolve brings the schema of data together with that of the table; s is nil if
// there is none. nanos are the columns whose timestamps become numbers.
func (t *Table) resolve(data *arrow.Schema, nanos map[string]bool, s *Snapshot, o *WriteOptions) (*target, error) {
	fresh := &Schema{Fields: make([]Field, data.NumFields())}
	for i, f := range data.Fields() {
		var err error
		if fresh.Fields[i], err = column(f, nanos[f.Name]); err != nil {
			return nil, err
		}
	}
	if err := checkNames(fresh); err != nil {
		return nil, err
	}
	r := &target{replaces: s == nil || o.Mode == Overwrite && o.SchemaMode == SchemaOverwrite}
	if r.replaces {
		if err := r.fresh(t, fresh, s, o); err != nil {
			return nil, err
		}
	} else if err := r.match(t, data, fresh, s, o); err != nil {
		return nil, err
	}
	if err := checkPartition(r.schema, r.partition); err != nil {
		return nil, &OptionError{Path: t.path, Option: "partition_by", Reason: err.Error()}
	}
	return r, r.plan(data)
}

// fresh makes the data's schema the table's.
func (r *target) fresh(t *Table, fresh *Schema, s *Snapshot, o *WriteOptions) error {
	if len(fresh.Fields) == 0 {
		return &OptionError{Path: t.path, Option: "schema", Reason: "the data have no columns, and a table needs one"}
	}
	void := true
	for _, f := range fresh.Fields {
		void = void && f.Type == Void
	}
	if void { // the protocol wants one that is not, for files to have a column
		fresh.Fields[0].Type = String
		if err := fresh.Fields[0].keep(arrow.Field{Name: fresh.Fields[0].Name, Type: arrow.Null, Nullable: true}); err != nil {
			return err
		}
	}
	r.schema, r.partition = fresh, o.PartitionBy
	if r.partition == nil && s != nil && checkPartition(fresh, s.Metadata.PartitionColumns) == nil {
		r.partition = s.Metadata.PartitionColumns
	}
	return nil
}

// match finds the table's columns in the data.
func (r *target) match(t *Table, data *arrow.Schema, fresh *Schema, s *Snapshot, o *WriteOptions) error {
	if o.PartitionBy != nil && !slices.Equal(o.PartitionBy, s.Metadata.PartitionColumns) {
		return &OptionError{Path: t.path, Option: "partition_by", Reason: fmt.Sprintf(
			"the table is partitioned by %s; to change that, overwrite it with schema_mode=\"overwrite\"", listed(s.Metadata.PartitionColumns))}
	}
	r.partition = s.Metadata.PartitionColumns
	merge := o.SchemaMode == SchemaMerge
	mismatch := &SchemaError{Path: t.path}
	r.schema = &Schema{Fields: slices.Clone(s.schema.Fields)}
	found := map[string]bool{}
	for i, f := range r.schema.Fields {
		k := slices.IndexFunc(fresh.Fields, func(g Field) bool { return g.Name == f.Name })
		if k < 0 {
			if !merge || !f.Nullable {
				mismatch.Missing = append(mismatch.Missing, f.Name)
			}
			continue
		}
		found[f.Name] = true
		g := fresh.Fields[k]
		orig, err := f.original()
		if err != nil {
			return t.corrupt("its schema cannot be read", err)
		}
		switch {
		case f.Type == Void && g.Type != Void && merge:
			r.schema.Fields[i] = g
		case !fits(orig.Type, data.Field(k).Type):
			mismatch.Types = append(mismatch.Types, TypeMismatch{f.Name, describe(f, orig), data.Field(k).Type.String()})
		case o.Mode == Overwrite && sameType(f.Type, g.Type):
			r.schema.Fields[i].Metadata = renewed(f.Metadata, g.Metadata)
		}
	}
	for _, g := range fresh.Fields {
		switch {
		case found[g.Name]:
		case merge:
			r.schema.Fields = append(r.schema.Fields, g)
		default:
			mismatch.Extra = append(mismatch.Extra, g.Name)
		}
	}
	if len(mismatch.Missing)+len(mismatch.Extra)+len(mismatch.Types) > 0 {
		mismatch.Advice = adviceFor(mismatch, o)
		return mismatch
	}
	return checkNames(r.schema)
}

func adviceFor(e *SchemaError, o *WriteOptions) string {
	switch {
	case len(e.Types) > 0 && o.Mode == Overwrite:
		return "cast the columns, or give schema_mode=\"overwrite\" to replace the schema as well"
	case len(e.Types) > 0:
		return "cast the columns to the table's types"
	case o.SchemaMode == SchemaMerge:
		return "they must not be null there, so data must have them"
	case o.Mode == Overwrite:
		return "give schema_mode=\"merge\" to add columns, or \"overwrite\" to replace the schema"
	}
	return "give schema_mode=\"merge\" to add columns and to fill those that are missing with nulls"
}

// describe names a column's type as its writers know it.
func describe(f Field, orig arrow.Field) string {
	if _, ok := f.Metadata[arrowKey]; ok {
		return orig.Type.String()
	}
	return f.Type.String()
}

func listed(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// renewed returns a column's metadata with what we keep there replaced.
func renewed(old, own map[string]json.RawMessage) map[string]json.RawMessage {
	out := maps.Clone(old)
	if out == nil {
		out = map[string]json.RawMessage{}
	}
	for _, key := range []string{arrowKey, typeKey, categoriesKey} {
		delete(out, key)
	}
	maps.Copy(out, own)
	return out
}

// keep stores the original field in a column's metadata.
func (f *Field) keep(orig arrow.Field) error {
	text, err := encodeField(orig)
	if err != nil {
		return err
	}
	f.Metadata[arrowKey], _ = json.Marshal(text)
	f.Metadata[typeKey], _ = json.Marshal(orig.Type.String())
	return nil
}

// plan says how each column of the table comes from the data. Void columns are
// never in files, and those that the data lack need not be.
func (r *target) plan(data *arrow.Schema) error {
	for _, f := range r.schema.Fields {
		k := -1
		for i, g := range data.Fields() {
			if g.Name == f.Name {
				k = i
			}
		}
		if k < 0 || f.Type == Void {
			continue
		}
		if data.Field(k).Type.ID() == arrow.NULL && f.Nullable && r.otherColumns(f.Name) && !slices.Contains(r.partition, f.Name) {
			continue
		}
		orig, err := f.original()
		if err != nil {
			return err
		}
		r.source = append(r.source, k)
		r.columns = append(r.columns, f)
		r.plans = append(r.plans, plan(data.Field(k).Type, f.Type, orig.Type))
	}
	return nil
}

// otherColumns says whether files have a column besides the one of a name.
func (r *target) otherColumns(name string) bool {
	for _, c := range r.columns {
		if c.Name != name && !slices.Contains(r.partition, c.Name) {
			return true
		}
	}
	return false
}
