package delta

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
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
	if !strings.HasSuffix(key, ".json") && s.files == nil { // little of the file is wanted
		f, err := t.objects.Open(ctx, key)
		if err != nil {
			return nil, t.wrap("open", err)
		}
		defer f.Close()
		err = readActions(ctx, io.NewSectionReader(f, 0, f.Size()), false, take)
		return sidecars, err
	}
	data, err := t.objects.Read(ctx, key)
	if err != nil {
		return nil, t.wrap("read", err)
	}
	if strings.HasSuffix(key, ".json") {
		return sidecars, decodeActions(data, take)
	}
	err = readActions(ctx, bytes.NewReader(data), true, take)
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
func readActions(ctx context.Context, data parquet.ReaderAtSeeker, files bool, f func(*action) error) (err error) {
	defer func() {
		if p := recover(); p != nil { // arrow-go on a broken file
			err = fmt.Errorf("it is no whole Parquet file: %v", p)
		}
	}()
	rd, err := file.NewParquetReader(data)
	if err != nil {
		return err
	}
	defer rd.Close()
	want := func(p parquet.ColumnPath) bool { return wanted(p, files) }
	for i := range rd.NumRowGroups() {
		g, err := readRowGroup(ctx, rd, i, want)
		if err != nil {
			return err
		}
		if err := g.actions(f); err != nil {
			return err
		}
	}
	return nil
}

// wanted says whether a leaf of a checkpoint has to be read.
func wanted(p parquet.ColumnPath, files bool) bool {
	switch p[0] {
	case "txn", "protocol", "metaData", "domainMetadata", "sidecar":
		return true
	case "add", "remove":
		return files && len(p) > 1 && slices.Contains(fileColumns, p[1])
	}
	return false
}

var fileColumns = []string{
	"path", "partitionValues", "size", "modificationTime", "stats", "tags", "deletionVector", "deletionTimestamp", "extendedFileMetadata",
}

// actions calls f with the actions of a row group. A row has one.
func (g *rowGroup) actions(f func(*action) error) error {
	kinds := []struct {
		present func(int) bool
		read    func(row int) *action
	}{
		{g.present("add"), g.adds()},
		{g.present("remove"), g.removes()},
		{g.present("txn"), g.txns()},
		{g.present("protocol"), g.protocols()},
		{g.present("metaData"), g.metadata()},
		{g.present("domainMetadata"), g.domains()},
		{g.present("sidecar"), g.sidecars()},
	}
	if len(g.leaves) == 0 {
		return nil
	}
	for row := range g.rows {
		for _, k := range kinds {
			if !k.present(row) {
				continue
			}
			if err := f(k.read(row)); err != nil {
				return fmt.Errorf("row %d: %w", row, err)
			}
			break
		}
	}
	return nil
}

func (g *rowGroup) adds() func(int) *action {
	path, size, modified, stats := g.leaf("add.path"), g.leaf("add.size"), g.leaf("add.modificationTime"), g.leaf("add.stats")
	values, tags, deleted := g.dict("add.partitionValues"), g.dict("add.tags"), g.vectors("add.deletionVector")
	return func(i int) *action {
		return &action{Add: &Add{
			Path: path.text(i), PartitionValues: values.of(i), Size: size.long(i), ModificationTime: modified.long(i),
			Stats: stats.text(i), Tags: tags.of(i), DeletionVector: deleted(i),
		}}
	}
}

func (g *rowGroup) removes() func(int) *action {
	path, size, at, extended := g.leaf("remove.path"), g.leaf("remove.size"), g.leaf("remove.deletionTimestamp"), g.leaf("remove.extendedFileMetadata")
	values, deleted := g.dict("remove.partitionValues"), g.vectors("remove.deletionVector")
	return func(i int) *action {
		return &action{Remove: &Remove{
			Path: path.text(i), DeletionTimestamp: at.long(i), ExtendedFileMetadata: extended.flag(i),
			PartitionValues: values.of(i), Size: size.long(i), DeletionVector: deleted(i),
		}}
	}
}

// vectors returns what of a deletion vector tells that it is there.
func (g *rowGroup) vectors(path string) func(int) json.RawMessage {
	present, kind := g.present(path), g.leaf(path+".storageType")
	return func(i int) json.RawMessage {
		if !present(i) {
			return nil
		}
		b, _ := json.Marshal(map[string]string{"storageType": kind.text(i)})
		return b
	}
}

func (g *rowGroup) txns() func(int) *action {
	id, version, updated := g.leaf("txn.appId"), g.leaf("txn.version"), g.leaf("txn.lastUpdated")
	return func(i int) *action {
		return &action{Txn: &Txn{AppID: id.text(i), Version: version.long(i), LastUpdated: updated.long(i)}}
	}
}

func (g *rowGroup) protocols() func(int) *action {
	reader, writer := g.leaf("protocol.minReaderVersion"), g.leaf("protocol.minWriterVersion")
	readers, writers := g.list("protocol.readerFeatures"), g.list("protocol.writerFeatures")
	return func(i int) *action {
		return &action{Protocol: &Protocol{
			MinReaderVersion: int(reader.long(i)), MinWriterVersion: int(writer.long(i)),
			ReaderFeatures: readers.list(i), WriterFeatures: writers.list(i),
		}}
	}
}

func (g *rowGroup) metadata() func(int) *action {
	at := func(name string) *leaf { return g.leaf("metaData." + name) }
	id, name, description, schema, created := at("id"), at("name"), at("description"), at("schemaString"), at("createdTime")
	provider, options := at("format.provider"), g.dict("metaData.format.options")
	columns, configuration := g.list("metaData.partitionColumns"), g.dict("metaData.configuration")
	return func(i int) *action {
		m := &Metadata{
			ID: id.text(i), Name: name.text(i), Description: description.text(i), SchemaString: schema.text(i),
			Format:           Format{Provider: provider.text(i), Options: options.texts(i)},
			PartitionColumns: columns.list(i), Configuration: configuration.texts(i),
		}
		if m.Format.Options == nil {
			m.Format.Options = map[string]string{}
		}
		if created.at(i) >= 0 {
			ms := created.long(i)
			m.CreatedTime = &ms
		}
		return &action{MetaData: m}
	}
}

func (g *rowGroup) domains() func(int) *action {
	domain, configuration, removed := g.leaf("domainMetadata.domain"), g.leaf("domainMetadata.configuration"), g.leaf("domainMetadata.removed")
	return func(i int) *action {
		return &action{DomainMetadata: &DomainMetadata{Domain: domain.text(i), Configuration: configuration.text(i), Removed: removed.flag(i)}}
	}
}

func (g *rowGroup) sidecars() func(int) *action {
	path := g.leaf("sidecar.path")
	return func(i int) *action { return &action{Sidecar: &sidecar{Path: path.text(i)}} }
}
