package delta

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode/parquet"
	"github.com/seojaeohcode/atio/core/progress"
)

// Mode says what a write does with the rows that are there.
type Mode string

// The modes. The zero value is Append.
const (
	Append        Mode = "append"    // they stay
	Overwrite     Mode = "overwrite" // they go, in the new version
	ErrorIfExists Mode = "error"     // there must be no table
)

// SchemaMode says what happens if the data do not have the table's columns.
type SchemaMode string

// The schema modes.
const (
	SchemaStrict    SchemaMode = ""          // a [SchemaError]
	SchemaMerge     SchemaMode = "merge"     // new columns are added, missing ones are null
	SchemaOverwrite SchemaMode = "overwrite" // the table's schema is replaced; with [Overwrite] only
)

// WriteOptions say how a version is written.
type WriteOptions struct {
	Mode       Mode
	SchemaMode SchemaMode
	// PartitionBy are the columns by whose values the data are divided into
	// directories. nil: as the table has it, and none for a new one.
	PartitionBy []string
	// ExpectedVersion, if not nil, is the version that must be the newest at the
	// moment of the commit, 0 if there must be none: else it is an ErrConflict.
	ExpectedVersion *int64
	// Message says what the version is for.
	Message string
	// Metadata is any JSON of the caller's, kept with the version.
	Metadata json.RawMessage
	// Txn makes the write happen once: if the table has come as far already, the
	// write is ErrTxnDone.
	Txn *Txn
	// SchemaMetadata is kept with the schema, such as that of pandas. nil: the
	// metadata of the Arrow schema.
	SchemaMetadata map[string]string
	// Categories are those of dictionary columns, in order, by column. nil: those
	// of the first batch.
	Categories map[string][]string
	// TargetFileSize is the size at which a data file is ended and another begun,
	// in bytes. 0 means 128 MiB.
	TargetFileSize int64
	// Encoding says how data files are encoded; nil means the defaults.
	Encoding *parquet.Options
	// Properties are table properties of a new table.
	Properties map[string]string
	// Rows is how many rows will come, if that is known; little data is encoded by
	// the caller alone. 0 means not known.
	Rows int64
}

func (o *WriteOptions) check(path string) error {
	fail := func(option, reason string) error { return &OptionError{Path: path, Option: option, Reason: reason} }
	switch o.Mode {
	case "":
		o.Mode = Append
	case Append, Overwrite, ErrorIfExists:
	default:
		return fail("mode", `there are "overwrite", "append" and "error"`)
	}
	switch o.SchemaMode {
	case SchemaStrict, SchemaMerge:
	case SchemaOverwrite:
		if o.Mode != Overwrite {
			return fail("schema_mode", `"overwrite" goes with mode="overwrite" only: rows of the old schema would stay`)
		}
	default:
		return fail("schema_mode", `there are "merge" and "overwrite"`)
	}
	if o.ExpectedVersion != nil && *o.ExpectedVersion < 0 {
		return fail("expected_version", "versions are 1, 2, 3 and so on, and 0 means that there must be none yet")
	}
	if len(o.Metadata) > 0 && !json.Valid(o.Metadata) {
		return fail("metadata", "it is no JSON")
	}
	if o.Txn != nil && o.Txn.AppID == "" {
		return fail("app_id", "it must not be empty")
	}
	if o.TargetFileSize < 0 {
		return fail("target_file_size", "it must be a positive number of bytes")
	}
	return nil
}

// Write writes all batches of a reader as one version.
func (t *Table) Write(ctx context.Context, r array.RecordReader, o WriteOptions) (Result, error) {
	w, err := t.NewWriter(ctx, r.Schema(), o)
	if err != nil {
		return Result{}, err
	}
	defer w.Abort()
	for r.Next() {
		if err := w.Write(r.RecordBatch()); err != nil {
			return Result{}, err
		}
	}
	if err := r.Err(); err != nil {
		return Result{}, err
	}
	part, err := w.Finish()
	if err != nil {
		return Result{}, err
	}
	result, err := t.Commit(ctx, o, part)
	if err != nil && !errors.As(err, new(*UnknownError)) {
		_ = t.Discard(context.WithoutCancel(ctx), part) // Clean does what this cannot
	}
	return result, err
}

// Writer writes the data files of a version. It is used by one goroutine at a
// time, and ends with Finish or Abort.
type Writer struct {
	t      *Table
	ctx    context.Context
	o      WriteOptions
	data   *arrow.Schema
	base   *Snapshot // the table when the writer began; nil if there was none
	target *target   // nil until the first batch has come
	files  *fileSet
	rows   int64
	ended  bool

	creating string // the mark of a writer that creates the table
}

// ErrEnded says that a Writer has been finished or aborted.
var ErrEnded = errors.New("the writer has ended already")

// NewWriter begins to write batches of a schema. What can be known of mode, schema
// and expected version is checked before anything is written; nothing can be seen
// of the data before [Table.Commit]. Cancelling ctx makes all further calls fail.
func (t *Table) NewWriter(ctx context.Context, schema *arrow.Schema, o WriteOptions) (*Writer, error) {
	if err := o.check(t.path); err != nil {
		return nil, err
	}
	base, err := t.base(ctx, &o)
	if err != nil {
		return nil, err
	}
	w := &Writer{t: t, ctx: ctx, o: o, data: schema, base: base}
	if _, err := t.resolve(schema, nil, base, &o); err != nil {
		return nil, err
	}
	if base == nil {
		if w.creating, err = t.announce(ctx); err != nil {
			return nil, err
		}
	}
	t.o.Progress.Enter(progress.Encoding)
	return w, nil
}

// base returns the table a write begins with, nil if nothing has been written to
// it yet, after the checks that need no data.
func (t *Table) base(ctx context.Context, o *WriteOptions) (*Snapshot, error) {
	s, err := t.load(ctx, newest, false)
	var missing *NotFoundError
	if errors.As(err, &missing) && missing.What == "" {
		if err := t.allows(nil, o); err != nil {
			return nil, err
		}
		err := t.mayBecomeTable(ctx)
		if errors.Is(err, errAppeared) {
			return t.base(ctx, o)
		}
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	if s.unwritten() {
		s = nil
	}
	return s, t.allows(s, o)
}

// allows says why a write may not be made after version s.
func (t *Table) allows(s *Snapshot, o *WriteOptions) error {
	if o.ExpectedVersion != nil {
		if err := t.expect(s, *o.ExpectedVersion); err != nil {
			return err
		}
	}
	if s == nil {
		if o.Txn != nil {
			return t.allowsTxn(nil, o.Txn)
		}
		return nil
	}
	if o.Txn != nil {
		if err := t.allowsTxn(s, o.Txn); err != nil {
			return err
		}
	}
	if o.Mode == ErrorIfExists {
		return &ExistsError{Path: t.path, Reason: "there is a table already, and mode is \"error\": use \"append\" or \"overwrite\""}
	}
	if err := mayWrite(t.path, &s.Protocol, &s.Metadata, s.schema); err != nil {
		return err
	}
	if o.Mode == Overwrite && appendOnly(&s.Protocol, &s.Metadata) {
		return &FeatureError{Path: t.path, Feature: "appendOnly", Writing: true, Reason: "delta.appendOnly is true, so rows may only be added"}
	}
	return nil
}

// Write adds a batch, which the caller still has to release. It may return before
// the batch is written, and with the error of an earlier one.
func (w *Writer) Write(batch arrow.RecordBatch) error {
	if w.ended {
		return ErrEnded
	}
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	if w.target == nil {
		if err := w.begin(batch); err != nil {
			return err
		}
	}
	columns := make([]arrow.Array, 0, len(w.target.source))
	defer func() {
		for _, c := range columns {
			c.Release()
		}
	}()
	for i, k := range w.target.source {
		f := w.target.columns[i]
		a := batch.Column(k)
		a.Retain()
		if err := required(a, f); err != nil {
			a.Release()
			return located(err, f.Name, w.rows)
		}
		out, err := w.target.plans[i].apply(a)
		if err != nil {
			return located(err, f.Name, w.rows)
		}
		columns = append(columns, out)
	}
	if err := w.files.write(columns, batch.NumRows(), w.rows); err != nil {
		return err
	}
	w.rows += batch.NumRows()
	return nil
}

// required says where a column has nulls that must not.
func required(a arrow.Array, f Field) error {
	if f.Nullable || a.NullN() == 0 {
		return nil
	}
	for i := range a.Len() {
		if a.IsNull(i) {
			return &valueError{i, "it is null, and the table's column must not be"}
		}
	}
	return nil
}

// begin decides, now that there are values, how the columns are kept.
func (w *Writer) begin(first arrow.RecordBatch) error {
	nanos := map[string]bool{}
	if first != nil {
		for i, f := range w.data.Fields() {
			if !wholeMicros(first.Column(i)) {
				nanos[f.Name] = true
			}
		}
	}
	var err error
	if w.target, err = w.t.resolve(w.data, nanos, w.base, &w.o); err != nil {
		return err
	}
	if err := w.categories(first); err != nil {
		return err
	}
	w.files, err = newFileSet(w)
	return err
}

// categories keeps the values of dictionaries in the columns' metadata, where
// the write makes the schema.
func (w *Writer) categories(first arrow.RecordBatch) error {
	const most = 1 << 20 // bytes; beyond, it is no set of categories
	if !w.target.replaces && w.o.Mode != Overwrite {
		return nil
	}
	for i := range w.target.schema.Fields {
		f := &w.target.schema.Fields[i]
		k := w.data.FieldIndices(f.Name)
		if len(k) == 0 {
			continue
		}
		values, ok := w.o.Categories[f.Name]
		if !ok && first != nil {
			values, ok = categoriesOf(first.Column(k[0]), most)
		}
		if !ok || f.Metadata == nil {
			continue
		}
		raw, err := json.Marshal(values)
		if err != nil {
			return err
		}
		f.Metadata[categoriesKey] = raw
	}
	return nil
}

func categoriesOf(a arrow.Array, most int) ([]string, bool) {
	d, ok := a.(*array.Dictionary)
	if !ok {
		return nil, false
	}
	values, ok := d.Dictionary().(interface{ Value(int) string })
	if !ok {
		return nil, false
	}
	out := make([]string, d.Dictionary().Len())
	for i := range out {
		out[i] = strings.Clone(values.Value(i))
		if most -= len(out[i]) + 3; most < 0 {
			return nil, false
		}
	}
	return out, true
}

// Part is data that has been written and is not part of any version yet. It can
// be kept as JSON and committed elsewhere.
type Part struct {
	Table       string            `json:"table"`  // id of the table, "" if there was none
	Schema      *Schema           `json:"schema"` // of the table after the commit
	Partition   []string          `json:"partition"`
	Replaces    bool              `json:"replaces"`              // the schema is the write's own
	BaseSchema  string            `json:"base_schema,omitempty"` // of the table when the writer began
	BaseVersion int64             `json:"base_version"`          // of the table then, -1 if there was none
	Creating    string            `json:"creating,omitempty"`    // the mark of a writer that creates the table
	Metadata    map[string]string `json:"metadata,omitempty"`    // of the Arrow schema
	Adds        []Add             `json:"adds"`
	Rows        int64             `json:"rows"`
	Bytes       int64             `json:"bytes"`
}

// Finish completes the data files; they are durable then, but no version has
// them. What follows is [Table.Commit], or [Table.Discard].
func (w *Writer) Finish() (*Part, error) {
	if w.ended {
		return nil, ErrEnded
	}
	part, err := w.finish()
	if err != nil {
		w.Abort()
		return nil, err
	}
	w.ended = true
	return part, nil
}

func (w *Writer) finish() (*Part, error) {
	if w.ctx.Err() != nil {
		return nil, context.Cause(w.ctx)
	}
	if w.target == nil {
		if err := w.begin(nil); err != nil {
			return nil, err
		}
	}
	if err := w.files.finish(); err != nil {
		return nil, err
	}
	p := &Part{
		Schema: w.target.schema, Partition: w.target.partition, Replaces: w.target.replaces,
		BaseVersion: -1, Creating: w.creating, Metadata: w.o.SchemaMetadata, Adds: w.files.adds, Rows: w.rows,
	}
	if w.base != nil {
		p.Table, p.BaseSchema, p.BaseVersion = w.base.Metadata.ID, w.base.Metadata.SchemaString, w.base.Version
	}
	if p.Metadata == nil {
		p.Metadata = w.data.Metadata().ToMap()
	}
	for _, a := range p.Adds {
		p.Bytes += a.Size
	}
	return p, nil
}

// Abort ends the writer and removes what it has written. After Finish or an
// earlier Abort it does nothing.
func (w *Writer) Abort() {
	if w.ended {
		return
	}
	w.ended = true
	if w.files != nil {
		w.files.abort()
	}
	w.t.renounce(context.WithoutCancel(w.ctx), w.creating)
}

// Discard removes the files of parts that are not going to be committed.
func (t *Table) Discard(ctx context.Context, parts ...*Part) error {
	var errs []error
	for _, p := range parts {
		errs = append(errs, t.removeAdds(ctx, p.Adds))
		t.renounce(ctx, p.Creating)
	}
	return errors.Join(errs...)
}
