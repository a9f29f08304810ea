package delta

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/zeebo/xxh3"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/parquet"
	"github.com/seojaeohcode/atio/core/progress"
	"github.com/seojaeohcode/atio/core/store"
)

const (
	defaultFileSize = 128 << 20
	// mostOpen is how many files of different partitions are written at a time.
	mostOpen = 64
	// mostHeld is how many bytes of rows may wait in them for their row group.
	mostHeld = 512 << 20
	// fewCells is how many cells take less time to encode than it takes to wake
	// other threads for it.
	fewCells = 10_000
)

// checksumTag is the tag of a file that has the checksum of its bytes.
const checksumTag = "atio.checksum"

// fileSet are the data files of one write: one at a time, or one for each
// partition.
type fileSet struct {
	w        *Writer
	ctx      context.Context
	encoding parquet.Options
	schema   *arrow.Schema // of the files
	data     []int         // which of the writer's columns are in files
	keys     []int         // which are partition columns, in the table's order
	split    *splitter     // nil if the table is not partitioned
	types    map[string]Type
	indexed  int
	target   int64
	id       string

	open map[string]*dataFile // by the directory of the partition
	turn int
	held int64
	made int
	adds []Add
	done []store.ObjectWriter // whose files are complete, and perhaps not durable yet
}

// dataFile is a data file that is being written.
type dataFile struct {
	part partition
	key  string
	out  store.ObjectWriter
	enc  encode.Encoder
	sum  *xxh3.Hasher
	seen *seen
	size int64 // bytes written
	rows int64
	held int64 // bytes of rows that are not written yet, about
	used int   // when it was last written to
}

func newFileSet(w *Writer) (*fileSet, error) {
	s := &fileSet{
		w: w, ctx: w.ctx, open: map[string]*dataFile{}, id: newID(),
		types: leafTypes(w.target.schema), indexed: indexedColumns, target: w.o.TargetFileSize,
	}
	if s.target == 0 {
		s.target = defaultFileSize
	}
	if w.o.Encoding != nil {
		s.encoding = *w.o.Encoding
	}
	s.encoding.SkipArrowSchema = true
	if w.base != nil {
		if n, err := strconv.Atoi(w.base.Metadata.Configuration["delta.dataSkippingNumIndexedCols"]); err == nil && n >= -1 {
			s.indexed = n
		}
	}
	isKey := map[string]int{}
	for i, name := range w.target.partition {
		isKey[name] = i
	}
	s.keys = make([]int, len(isKey))
	for i := range s.keys {
		s.keys[i] = -1
	}
	var fields []arrow.Field
	for i, c := range w.target.columns {
		if k, ok := isKey[c.Name]; ok {
			s.keys[k] = i
			continue
		}
		s.data = append(s.data, i)
		fields = append(fields, arrow.Field{Name: c.Name, Type: w.target.plans[i].typ, Nullable: true})
	}
	if len(s.keys) > 0 {
		s.split = newSplitter(w.target.partition, w.target.schema)
		for i := range fields { // as takeable makes them
			switch fields[i].Type.ID() {
			case arrow.STRING_VIEW:
				fields[i].Type = arrow.BinaryTypes.LargeString
			case arrow.BINARY_VIEW:
				fields[i].Type = arrow.BinaryTypes.LargeBinary
			}
		}
	}
	if len(fields) == 0 {
		return nil, &OptionError{Path: w.t.path, Option: "schema", Reason: "of the table's columns the data have only those of partitions: the files would have none"}
	}
	s.schema = arrow.NewSchema(fields, nil)
	return s, s.check()
}

// check has the encoder refuse what it cannot write before there is a file.
func (s *fileSet) check() error {
	enc, err := s.encoding.NewEncoder(s.ctx, discard{}, s.schema, encode.Env{Workers: 1})
	if err != nil {
		return err
	}
	enc.Discard()
	return nil
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// write adds rows, given as the writer's columns. base is how many came before.
func (s *fileSet) write(columns []arrow.Array, rows, base int64) error {
	if rows == 0 {
		return nil
	}
	data := make([]arrow.Array, len(s.data))
	for i, k := range s.data {
		data[i] = columns[k]
	}
	if s.split == nil {
		rec := array.NewRecordBatch(s.schema, data, rows)
		defer rec.Release()
		return s.add(partition{values: map[string]*string{}}, rec)
	}
	keys := make([]arrow.Array, len(s.keys))
	for i, k := range s.keys {
		if k >= 0 {
			keys[i] = columns[k]
			continue
		}
		// The data lack the column: it is null.
		keys[i] = array.MakeArrayOfNull(memory.DefaultAllocator, arrow.BinaryTypes.String, int(rows))
		defer keys[i].Release()
	}
	raw := array.NewRecordBatch(arrow.NewSchema(fieldsLike(s.schema, data), nil), data, rows)
	rec := takeable(raw)
	raw.Release()
	defer rec.Release()
	return s.split.split(s.ctx, rec, keys, base, s.add)
}

func fieldsLike(schema *arrow.Schema, data []arrow.Array) []arrow.Field {
	fields := schema.Fields()
	for i := range fields {
		fields[i].Type = data[i].DataType()
	}
	return fields
}

// add writes rows of one partition.
func (s *fileSet) add(p partition, rec arrow.RecordBatch) error {
	f, err := s.file(p)
	if err != nil {
		return err
	}
	f.seen.add(rec)
	if err := f.enc.Write(rec); err != nil {
		return err
	}
	f.rows += rec.NumRows()
	s.turn++
	f.used = s.turn
	if s.split != nil {
		n := bytesOf(rec)
		f.held += n
		s.held += n
		for s.held > mostHeld {
			if err := s.complete(s.fullest()); err != nil {
				return err
			}
		}
	}
	if f.size >= s.target && s.open[p.dir] == f {
		return s.complete(f)
	}
	return nil
}

// fullest returns the file with the most rows waiting.
func (s *fileSet) fullest() *dataFile {
	var most *dataFile
	for _, f := range s.open {
		if most == nil || f.held > most.held {
			most = f
		}
	}
	return most
}

// bytesOf is about how many bytes the rows of a batch take.
func bytesOf(rec arrow.RecordBatch) int64 {
	n := int64(0)
	for _, c := range rec.Columns() {
		for _, b := range c.Data().Buffers() {
			if b != nil {
				n += int64(b.Len())
			}
		}
		for _, child := range c.Data().Children() {
			for _, b := range child.Buffers() {
				if b != nil {
					n += int64(b.Len())
				}
			}
		}
		if total := int64(c.Data().Len()) + int64(c.Data().Offset()); total > rec.NumRows() && total > 0 {
			n = n * rec.NumRows() / total // a slice
		}
	}
	return n
}

// file returns the open file of a partition.
func (s *fileSet) file(p partition) (*dataFile, error) {
	if f := s.open[p.dir]; f != nil {
		return f, nil
	}
	if len(s.open) >= mostOpen {
		var oldest *dataFile
		for _, f := range s.open {
			if oldest == nil || f.used < oldest.used {
				oldest = f
			}
		}
		if err := s.complete(oldest); err != nil {
			return nil, err
		}
	}
	codec := s.encoding.Compression
	switch codec {
	case "":
		codec = "snappy"
	case "none":
		codec = "uncompressed"
	}
	f := &dataFile{
		part: p, sum: xxh3.New(), seen: newSeen(),
		key: fmt.Sprintf("%spart-%05d-%s.%s.parquet", p.dir, s.made, s.id, codec),
	}
	var err error
	if f.out, err = s.w.t.objects.Create(s.ctx, f.key); err != nil {
		return nil, s.w.t.wrap("create", err)
	}
	s.made++
	s.open[p.dir] = f
	env := encode.Env{Workers: s.w.t.o.Workers, Progress: s.w.t.o.Progress}
	if env.Workers == 0 && s.w.o.Rows > 0 && s.w.o.Rows*int64(s.schema.NumFields()) <= fewCells {
		env.Workers = 1
	}
	f.enc, err = s.encoding.NewEncoder(s.ctx, (*counted)(nil).of(s, f), s.schema, env)
	return f, err
}

// counted is the way of a file's bytes: counted and checksummed.
type counted struct {
	s *fileSet
	f *dataFile
}

func (*counted) of(s *fileSet, f *dataFile) *counted { return &counted{s, f} }

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.f.out.Write(p)
	_, _ = c.f.sum.Write(p[:n])
	c.f.size += int64(n)
	c.s.w.t.o.Progress.AddBytes(int64(n))
	return n, c.s.w.t.wrap("write", err)
}

// complete ends a file: it is read back, synced, and described.
func (s *fileSet) complete(f *dataFile) error {
	delete(s.open, f.part.dir)
	s.held -= f.held
	add, err := s.describe(f)
	if err != nil {
		f.enc.Discard()
		f.out.Abort()
		return err
	}
	s.adds = append(s.adds, add)
	return nil
}

func (s *fileSet) describe(f *dataFile) (Add, error) {
	if err := f.enc.Close(); err != nil {
		return Add{}, err
	}
	if err := f.out.Flush(); err != nil {
		return Add{}, s.w.t.wrap("write", err)
	}
	if err := s.encoding.Check(f.out, f.size, f.rows); err != nil {
		return Add{}, err
	}
	footer, err := readFooter(f.out, f.size)
	if err != nil {
		return Add{}, err
	}
	stats, err := statistics(footer, s.types, f.seen, s.indexed)
	if err != nil {
		return Add{}, err
	}
	if err := f.out.Close(); err != nil {
		return Add{}, s.w.t.wrap("sync", err)
	}
	s.done = append(s.done, f.out)
	hash := f.sum.Sum128().Bytes()
	sum := "xxh3-128:" + hex.EncodeToString(hash[:])
	return Add{
		Path: encodePath(f.key), PartitionValues: f.part.values, Size: f.size,
		ModificationTime: time.Now().UnixMilli(), DataChange: true, Stats: stats,
		Tags: map[string]*string{checksumTag: &sum},
	}, nil
}

// finish completes all files; they and their names are durable then.
func (s *fileSet) finish() error {
	for len(s.open) > 0 {
		for _, f := range s.open {
			if err := s.complete(f); err != nil {
				return err
			}
			break
		}
	}
	s.w.t.o.Progress.Enter(progress.Syncing)
	// The files are being synced already; their directories are, meanwhile.
	err := s.w.t.wrap("sync a directory or", s.w.t.objects.Sync(s.ctx))
	return errors.Join(err, s.wait())
}

// wait waits for the files that are being synced.
func (s *fileSet) wait() error {
	var errs []error
	for _, out := range s.done {
		if err := out.Wait(); err != nil {
			errs = append(errs, s.w.t.wrap("sync", err))
		}
	}
	s.done = nil
	return errors.Join(errs...)
}

// abort removes all files, and directories of partitions that nothing else is in:
// where there is no table yet, the next write must find none.
func (s *fileSet) abort() {
	ctx := context.WithoutCancel(s.ctx)
	_ = s.wait() // they go, one way or the other
	for _, f := range s.open {
		if f.enc != nil {
			f.enc.Discard()
		}
		f.out.Abort()
		s.w.t.removeEmpty(ctx, f.key)
	}
	clear(s.open)
	_ = s.w.t.removeAdds(ctx, s.adds) // Clean does what this cannot
	s.adds = nil
}

// removeAdds removes files that no version has.
func (t *Table) removeAdds(ctx context.Context, adds []Add) error {
	var errs []error
	for _, a := range adds {
		key, ok := ownKey(a.Path)
		if !ok {
			continue
		}
		err := t.objects.Remove(ctx, key)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, t.wrap("remove", err))
			continue
		}
		t.removeEmpty(ctx, key)
	}
	return errors.Join(errs...)
}

// newID returns a random UUID of version 4.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0F|0x40, b[8]&0x3F|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
