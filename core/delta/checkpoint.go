package delta

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/parquet"
)

// checkpointInterval is how many commits a reader has to read at most, about: a
// hundred small files take a few milliseconds.
const checkpointInterval = 100

// checkpointIfDue writes a checkpoint where readers would have to read too many
// commits.
func (t *Table) checkpointIfDue(ctx context.Context, s *Snapshot) error {
	interval := int64(checkpointInterval)
	if n, err := strconv.ParseInt(s.Metadata.Configuration["delta.checkpointInterval"], 10, 64); err == nil && n > 0 {
		interval = n
	}
	behind := s.Version - s.checkpoint
	if behind < interval || s.Version%interval != 0 && behind < 2*interval {
		return nil
	}
	if s.checkpoint < 0 || s.Version%interval != 0 { // another process may have written one
		if last := t.lastCheckpoint(ctx); s.Version-last < interval && last > 0 {
			s.checkpoint = last
			return nil
		}
	}
	if err := t.Checkpoint(ctx, s.Version); err != nil {
		return fmt.Errorf("checkpoint of version %d: %w", s.Version, err)
	}
	s.checkpoint = s.Version
	return nil
}

// Checkpoint writes a checkpoint of a version, which spares readers the commits
// before it. It changes nothing of what the table is. Tables that ask for
// statistics as columns in their checkpoints get none.
func (t *Table) Checkpoint(ctx context.Context, version int64) error {
	s, err := t.load(ctx, version, true)
	if err != nil {
		return err
	}
	return t.writeCheckpoint(ctx, s, nil)
}

// writeCheckpoint writes a classic checkpoint ("V1 Spec"). Tombstones of files
// that are gone are left out.
func (t *Table) writeCheckpoint(ctx context.Context, s *Snapshot, gone map[string]bool) error {
	conf := s.Metadata.Configuration
	if strings.EqualFold(conf["delta.checkpoint.writeStatsAsStruct"], "true") || strings.EqualFold(conf["delta.checkpoint.writeStatsAsJson"], "false") {
		return nil
	}
	if err := mayWrite(t.path, &s.Protocol, &s.Metadata, s.schema); err != nil {
		return err
	}
	data, actions, err := encodeCheckpoint(ctx, s, gone)
	if err != nil {
		return err
	}
	put := t.objects.PutIfAbsent
	if gone != nil {
		put = t.objects.Put // one that is there has the tombstones still
	}
	if err := put(ctx, checkpointKey(s.Version), data); err != nil && !errors.Is(err, fs.ErrExist) {
		return t.wrap("write", err)
	}
	if t.lastCheckpoint(ctx) > s.Version {
		return nil
	}
	h, err := json.Marshal(hint{Version: s.Version, Size: actions, SizeInBytes: int64(len(data)), NumOfAddFiles: int64(len(s.files.byPath))})
	if err != nil {
		return err
	}
	return t.wrap("write", t.objects.Put(ctx, lastCheckpointKey, h))
}

var (
	textType    = arrow.BinaryTypes.String
	longType    = arrow.PrimitiveTypes.Int64
	intType     = arrow.PrimitiveTypes.Int32
	boolType    = arrow.FixedWidthTypes.Boolean
	textMapType = arrow.MapOf(textType, textType)
	textsType   = arrow.ListOfField(nullable("element", textType))
)

func nullable(name string, t arrow.DataType) arrow.Field {
	return arrow.Field{Name: name, Type: t, Nullable: true}
}

// checkpointSchema is the one of the protocol ("Checkpoint Schema").
var checkpointSchema = arrow.NewSchema([]arrow.Field{
	nullable("txn", arrow.StructOf(nullable("appId", textType), nullable("version", longType), nullable("lastUpdated", longType))),
	nullable("add", arrow.StructOf(
		nullable("path", textType), nullable("partitionValues", textMapType), nullable("size", longType),
		nullable("modificationTime", longType), nullable("dataChange", boolType), nullable("stats", textType), nullable("tags", textMapType))),
	nullable("remove", arrow.StructOf(
		nullable("path", textType), nullable("deletionTimestamp", longType), nullable("dataChange", boolType),
		nullable("extendedFileMetadata", boolType), nullable("partitionValues", textMapType), nullable("size", longType))),
	nullable("metaData", arrow.StructOf(
		nullable("id", textType), nullable("name", textType), nullable("description", textType),
		nullable("format", arrow.StructOf(nullable("provider", textType), nullable("options", textMapType))),
		nullable("schemaString", textType), nullable("partitionColumns", textsType), nullable("createdTime", longType),
		nullable("configuration", textMapType))),
	nullable("protocol", arrow.StructOf(
		nullable("minReaderVersion", intType), nullable("minWriterVersion", intType),
		nullable("readerFeatures", textsType), nullable("writerFeatures", textsType))),
	nullable("domainMetadata", arrow.StructOf(nullable("domain", textType), nullable("configuration", textType), nullable("removed", boolType))),
}, nil)

// encodeCheckpoint returns a checkpoint as Parquet, and how many actions it has.
func encodeCheckpoint(ctx context.Context, s *Snapshot, gone map[string]bool) ([]byte, int64, error) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, checkpointSchema)
	defer b.Release()
	n := int64(0)
	row := func(column string, values ...any) {
		for i, f := range checkpointSchema.Fields() {
			if f.Name == column {
				appendValue(b.Field(i), values)
			} else {
				b.Field(i).AppendNull()
			}
		}
		n++
	}
	p, m := s.Protocol, s.Metadata
	var readers, writers any // null unless the version says that there are such
	if p.MinReaderVersion >= 3 {
		readers = append([]string{}, p.ReaderFeatures...)
	}
	if p.MinWriterVersion >= 7 {
		writers = append([]string{}, p.WriterFeatures...)
	}
	row("protocol", int32(p.MinReaderVersion), int32(p.MinWriterVersion), readers, writers)
	row("metaData", m.ID, orNull(m.Name), orNull(m.Description), []any{m.Format.Provider, m.Format.Options}, m.SchemaString,
		append([]string{}, m.PartitionColumns...), pointee(m.CreatedTime), m.Configuration)
	for _, x := range s.Txns() {
		row("txn", x.AppID, x.Version, orNull(x.LastUpdated))
	}
	for _, k := range slices.Sorted(maps.Keys(s.domains)) {
		row("domainMetadata", s.domains[k].Domain, s.domains[k].Configuration, false)
	}
	head := n
	for _, a := range s.files.inOrder() {
		row("add", a.Path, a.PartitionValues, a.Size, a.ModificationTime, false, orNull(a.Stats), a.Tags)
	}
	kept := s.retention()
	for _, k := range slices.Sorted(maps.Keys(s.removed)) {
		r := s.removed[k]
		if gone[r.Path] || time.Since(time.UnixMilli(r.DeletionTimestamp)) > kept {
			continue
		}
		row("remove", r.Path, orNull(r.DeletionTimestamp), false, r.ExtendedFileMetadata, r.PartitionValues, orNull(r.Size))
	}
	rec := b.NewRecordBatch()
	defer rec.Release()
	var buf bytes.Buffer
	enc, err := parquet.Options{SkipArrowSchema: true}.NewEncoder(ctx, &buf, checkpointSchema, encode.Env{})
	if err != nil {
		return nil, 0, err
	}
	defer enc.Discard()
	// What is not of files is in a row group of its own, so that who only wants
	// to append need not read through those of all files.
	for _, part := range [][2]int64{{0, head}, {head, n}} {
		rows := rec.NewSlice(part[0], part[1])
		err := enc.Write(rows)
		rows.Release()
		if err == nil {
			err = enc.(parquet.RowGroupEnder).EndRowGroup()
		}
		if err != nil {
			return nil, 0, err
		}
	}
	if err := enc.Close(); err != nil {
		return nil, 0, err
	}
	return buf.Bytes(), n, nil
}

// retention is how long tombstones are kept.
func (s *Snapshot) retention() time.Duration {
	if d, ok := parseInterval(s.Metadata.Configuration["delta.deletedFileRetentionDuration"]); ok {
		return d
	}
	return 7 * 24 * time.Hour
}

// parseInterval reads an interval as Spark writes it, such as "interval 2 weeks".
func parseInterval(text string) (time.Duration, bool) {
	words := strings.Fields(strings.ToLower(text))
	if len(words) > 0 && words[0] == "interval" {
		words = words[1:]
	}
	if len(words) == 0 || len(words)%2 != 0 {
		return 0, false
	}
	units := map[string]time.Duration{
		"week": 7 * 24 * time.Hour, "day": 24 * time.Hour, "hour": time.Hour, "minute": time.Minute,
		"second": time.Second, "millisecond": time.Millisecond, "microsecond": time.Microsecond,
	}
	total := time.Duration(0)
	for i := 0; i < len(words); i += 2 {
		n, err := strconv.ParseInt(words[i], 10, 64)
		unit, ok := units[strings.TrimSuffix(words[i+1], "s")]
		if err != nil || !ok || n < 0 || n > int64((1<<63-1-total)/unit) {
			return 0, false
		}
		total += time.Duration(n) * unit
	}
	return total, true
}

func orNull[T cmp.Ordered](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

func pointee(v *int64) any {
	if v == nil {
		return nil
	}
	return *v
}

// appendValue appends a value to a builder of its type.
func appendValue(b array.Builder, v any) {
	if v == nil {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.StringBuilder:
		b.Append(v.(string))
	case *array.Int64Builder:
		b.Append(v.(int64))
	case *array.Int32Builder:
		b.Append(v.(int32))
	case *array.BooleanBuilder:
		b.Append(v.(bool))
	case *array.ListBuilder:
		b.Append(true)
		for _, s := range v.([]string) {
			appendValue(b.ValueBuilder(), s)
		}
	case *array.MapBuilder:
		appendMap(b, v)
	case *array.StructBuilder:
		b.Append(true)
		for i, x := range v.([]any) {
			appendValue(b.FieldBuilder(i), x)
		}
	}
}

func appendMap(b *array.MapBuilder, v any) {
	switch m := v.(type) {
	case map[string]string:
		b.Append(true)
		for _, k := range slices.Sorted(maps.Keys(m)) {
			appendValue(b.KeyBuilder(), k)
			appendValue(b.ItemBuilder(), m[k])
		}
	case map[string]*string:
		if m == nil {
			b.AppendNull()
			return
		}
		b.Append(true)
		for _, k := range slices.Sorted(maps.Keys(m)) {
			appendValue(b.KeyBuilder(), k)
			if m[k] == nil {
				b.ItemBuilder().AppendNull()
			} else {
				appendValue(b.ItemBuilder(), *m[k])
			}
		}
	}
}
