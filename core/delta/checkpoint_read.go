package delta

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// readCheckpoint fills a new snapshot with what a checkpoint holds: a classic
// one, one of many parts, or one of version 2 with its sidecars, in Parquet or
// JSON ("Checkpoints").
func (t *Table) readCheckpoint(ctx context.Context, c checkpointFiles, s *Snapshot) error {
	var sidecars []string
	for _, name := range c.names {
		more, err := t.readCheckpointFile(ctx, logDir+"/"+name, s)
		if err != nil {
			return err
		}
		sidecars = append(sidecars, more...)
	}
	if s.Metadata.SchemaString == "" || s.Protocol.MinReaderVersion == 0 {
		return errors.New("it has no metaData or no protocol action")
	}
	if s.files == nil {
		return nil
	}
	for _, name := range sidecars {
		if _, err := t.readCheckpointFile(ctx, logDir+"/_sidecars/"+name, s); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) readCheckpointFile(ctx context.Context, key string, s *Snapshot) (sidecars []string, err error) {
	data, err := t.objects.Read(ctx, key)
	if err != nil {
		return nil, t.wrap("read", err)
	}
	take := func(a *action) error {
		if a.Sidecar != nil {
			name, err := decodePath(path.Base(a.Sidecar.Path))
			if err != nil {
				return err
			}
			sidecars = append(sidecars, name)
			return nil
		}
		return s.take(a)
	}
	if strings.HasSuffix(key, ".json") {
		return sidecars, decodeActions(data, take)
	}
	err = readActions(ctx, data, s.files != nil, take)
	return sidecars, err
}

// take adds an action of a checkpoint, which come in no order.
func (s *Snapshot) take(a *action) error {
	if err := a.check(); err != nil {
		return err
	}
	switch {
	case a.Protocol != nil:
		s.Protocol = *a.Protocol
	case a.MetaData != nil:
		s.Metadata = *a.MetaData
	case a.Txn != nil:
		s.txns[a.Txn.AppID] = *a.Txn
	case a.DomainMetadata != nil:
		s.setDomain(*a.DomainMetadata)
	case a.Add != nil && s.files != nil:
		s.files.add(a.Add)
	case a.Remove != nil && s.files != nil:
		s.removed[a.Remove.Path] = a.Remove
	}
	return nil
}

// readActions calls f with the actions of a checkpoint in Parquet, those of files
// only if they are asked for.
func readActions(ctx context.Context, data []byte, files bool, f func(*action) error) (err error) {
	defer func() {
		if p := recover(); p != nil { // arrow-go on a broken file
			err = fmt.Errorf("it is no Parquet file: %v", p)
		}
	}()
	pf, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		return err
	}
	defer pf.Close()
	rd, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{BatchSize: 1 << 16}, memory.DefaultAllocator)
	if err != nil {
		return err
	}
	var columns, groups []int
	schema := pf.MetaData().Schema
	for i := range schema.NumColumns() {
		if wanted(schema.Column(i).ColumnPath(), files) {
			columns = append(columns, i)
		}
	}
	for i := range pf.NumRowGroups() {
		groups = append(groups, i)
	}
	rr, err := rd.GetRecordReader(ctx, columns, groups)
	if err != nil {
		return err
	}
	defer rr.Release()
	for rr.Next() {
		if err := batchActions(rr.RecordBatch(), f); err != nil {
			return err
		}
	}
	if err := rr.Err(); err != nil && ctx.Err() == nil {
		return err
	}
	return context.Cause(ctx)
}

// wanted says whether a leaf of a checkpoint has to be read.
func wanted(p parquet.ColumnPath, files bool) bool {
	switch p[0] {
	case "txn", "protocol", "metaData", "domainMetadata", "sidecar":
		return true
	case "add", "remove":
		return files && len(p) > 1 && p[1] != "stats_parsed" && p[1] != "partitionValues_parsed"
	}
	return false
}

func batchActions(rec arrow.RecordBatch, f func(*action) error) error {
	for c, field := range rec.Schema().Fields() {
		col, ok := rec.Column(c).(*array.Struct)
		if !ok {
			return fmt.Errorf("its column %s is no struct", field.Name)
		}
		decode := genericAction(field.Name, col)
		switch field.Name {
		case "add":
			decode = addReader(col)
		case "remove":
			decode = removeReader(col)
		}
		for i := range col.Len() {
			if col.IsNull(i) {
				continue
			}
			a, err := decode(i)
			if err == nil {
				err = f(a)
			}
			if err != nil {
				return fmt.Errorf("row %d, %s: %w", i, field.Name, err)
			}
		}
	}
	return nil
}

// genericAction reads rare actions by way of JSON.
func genericAction(name string, col *array.Struct) func(int) (*action, error) {
	return func(i int) (*action, error) {
		b, err := json.Marshal(map[string]any{name: valueAt(col, i)})
		if err != nil {
			return nil, err
		}
		a := new(action)
		return a, json.Unmarshal(b, a)
	}
}

func addReader(col *array.Struct) func(int) (*action, error) {
	at := columnsOf(col)
	return func(i int) (*action, error) {
		a := &Add{
			Path:             textAt(at["path"], i),
			PartitionValues:  mapAt(at["partitionValues"], i),
			Size:             longAt(at["size"], i),
			ModificationTime: longAt(at["modificationTime"], i),
			Stats:            textAt(at["stats"], i),
			Tags:             mapAt(at["tags"], i),
		}
		var err error
		a.DeletionVector, err = rawAt(at["deletionVector"], i)
		return &action{Add: a}, err
	}
}

func removeReader(col *array.Struct) func(int) (*action, error) {
	at := columnsOf(col)
	return func(i int) (*action, error) {
		r := &Remove{
			Path:              textAt(at["path"], i),
			DeletionTimestamp: longAt(at["deletionTimestamp"], i),
			PartitionValues:   mapAt(at["partitionValues"], i),
			Size:              longAt(at["size"], i),
		}
		extended, ok := at["extendedFileMetadata"].(*array.Boolean)
		r.ExtendedFileMetadata = ok && extended.IsValid(i) && extended.Value(i)
		var err error
		r.DeletionVector, err = rawAt(at["deletionVector"], i)
		return &action{Remove: r}, err
	}
}

func columnsOf(col *array.Struct) map[string]arrow.Array {
	at := map[string]arrow.Array{}
	for i, f := range col.DataType().(*arrow.StructType).Fields() {
		at[f.Name] = col.Field(i)
	}
	return at
}

// textAt returns a text, "" for null.
func textAt(a arrow.Array, i int) string {
	if a == nil || a.IsNull(i) {
		return ""
	}
	switch a := a.(type) {
	case *array.String:
		return strings.Clone(a.Value(i))
	case *array.LargeString:
		return strings.Clone(a.Value(i))
	case *array.StringView:
		return strings.Clone(a.Value(i))
	case *array.Binary: // a file that does not say its bytes are UTF-8
		return string(a.Value(i))
	case *array.Dictionary:
		return textAt(a.Dictionary(), a.GetValueIndex(i))
	}
	return ""
}

// longAt returns a number, 0 for null.
func longAt(a arrow.Array, i int) int64 {
	if a == nil || a.IsNull(i) {
		return 0
	}
	switch a := a.(type) {
	case *array.Int64:
		return a.Value(i)
	case *array.Int32:
		return int64(a.Value(i))
	case *array.Timestamp:
		return int64(a.Value(i))
	}
	return 0
}

// mapAt returns a map of texts, nil for null.
func mapAt(a arrow.Array, i int) map[string]*string {
	m, ok := a.(*array.Map)
	if !ok || m.IsNull(i) {
		return nil
	}
	from, to := m.ValueOffsets(i)
	out := make(map[string]*string, to-from)
	for j := int(from); j < int(to); j++ {
		key := textAt(m.Keys(), j)
		if m.Items().IsNull(j) {
			out[key] = nil
			continue
		}
		v := textAt(m.Items(), j)
		out[key] = &v
	}
	return out
}

func rawAt(a arrow.Array, i int) (json.RawMessage, error) {
	if a == nil || a.IsNull(i) {
		return nil, nil
	}
	return json.Marshal(valueAt(a, i))
}

// valueAt returns a value as encoding/json writes it; nulls in structs are left
// out.
func valueAt(a arrow.Array, i int) any {
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.Struct:
		m := map[string]any{}
		for k, f := range a.DataType().(*arrow.StructType).Fields() {
			if v := valueAt(a.Field(k), i); v != nil {
				m[f.Name] = v
			}
		}
		return m
	case *array.Map:
		return mapAt(a, i)
	case array.ListLike:
		from, to := a.ValueOffsets(i)
		out := []any{}
		for j := from; j < to; j++ {
			out = append(out, valueAt(a.ListValues(), int(j)))
		}
		return out
	case *array.Boolean:
		return a.Value(i)
	case *array.Int64, *array.Int32, *array.Timestamp:
		return longAt(a, i)
	}
	return textAt(a, i)
}
