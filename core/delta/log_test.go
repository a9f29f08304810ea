package delta

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/seojaeohcode/atio/core/store"
	"github.com/seojaeohcode/atio/core/store/faultstore"
)

// fresh opens a table as another process does: without what this one remembers.
func fresh(t testing.TB, dir string) *Table {
	t.Helper()
	table, err := Open(context.Background(), dir, Options{Store: faultstore.New(store.Local{}, nil), SkipSync: true})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// logOf makes a table of the lines of its commits.
func logOf(t testing.TB, commits ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, logDir), 0o777); err != nil {
		t.Fatal(err)
	}
	for i, c := range commits {
		if c != "" {
			put1(t, filepath.Join(dir, commitKey(int64(i))), c)
		}
	}
	return dir
}

func put1(t testing.TB, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

const (
	protocolLine = `{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}` + "\n"
	metaLine     = `{"metaData":{"id":"m","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{}}}` + "\n"
)

func addLine(name string) string {
	return fmt.Sprintf(`{"add":{"path":%q,"partitionValues":{},"size":1,"modificationTime":1,"dataChange":true,"stats":"{\"numRecords\":2}"}}`+"\n", name)
}

func removeLine(name string) string {
	return fmt.Sprintf(`{"remove":{"path":%q,"deletionTimestamp":1,"dataChange":true}}`+"\n", name)
}

func pathsOf(t testing.TB, s *Snapshot) string {
	t.Helper()
	files, err := s.Files(nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		out = append(out, f.Path)
	}
	return strings.Join(out, " ")
}

func snapshotOf(t testing.TB, dir string) *Snapshot {
	t.Helper()
	s, err := fresh(t, dir).Snapshot(context.Background(), At{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestReplay(t *testing.T) {
	dir := logOf(t,
		protocolLine+metaLine+addLine("c"),
		`{"commitInfo":{"timestamp":"not a number","operation":"WRITE"}}`+"\n"+addLine("a")+addLine("b%20x")+`{"future":{"x":1}}`+"\n\n",
		removeLine("c")+addLine("d")+`{"txn":{"appId":"x","version":7}}`,
		`{"cdc":{"path":"y"}}`+"\n"+removeLine("a")+addLine("a")+`{"txn":{"appId":"x","version":3}}`)
	s := snapshotOf(t, dir)
	if got := pathsOf(t, s); s.Version != 3 || got != "b x d a" {
		t.Fatal(s.Version, got)
	}
	if v, ok := s.Txn("x"); !ok || v != 3 {
		t.Fatal("the latest txn wins:", v, ok)
	}
	if s.Totals() != (Totals{6, 3, 3}) {
		t.Fatal(s.Totals())
	}
}

// A damaged table is an error for readers and writers, and never a new one.
func TestDamage(t *testing.T) {
	ctx := context.Background()
	for name, dir := range map[string]string{
		"hole":             logOf(t, protocolLine+metaLine, "", addLine("a")),
		"beginning gone":   logOf(t, "", "", addLine("a")),
		"cut off":          logOf(t, protocolLine+metaLine, `{"add":{"path":"x","par`),
		"empty":            logOf(t, protocolLine+metaLine, ""+"\n"),
		"no metadata":      logOf(t, protocolLine),
		"no protocol":      logOf(t, metaLine),
		"add without path": logOf(t, protocolLine+metaLine, `{"add":{"size":1}}`),
		"no schema":        logOf(t, protocolLine+strings.Replace(metaLine, `\"type\":\"struct\"`, `\"type\":\"nothing\"`, 1)),
		"log emptied": func() string {
			dir := logOf(t)
			put1(t, filepath.Join(dir, "part-00000-x.snappy.parquet"), "x")
			put1(t, filepath.Join(dir, logDir, "_last_checkpoint"), `{"version":7,"size":1}`)
			return dir
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			before := tree(t, dir)
			if _, err := fresh(t, dir).Snapshot(ctx, At{}); !errors.Is(err, ErrCorrupt) && !errors.Is(err, errors.ErrUnsupported) {
				t.Error("read:", err)
			}
			for _, mode := range []Mode{Append, Overwrite, ErrorIfExists} {
				_, err := fresh(t, dir).NewWriter(ctx, arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64}}, nil), WriteOptions{Mode: mode})
				if !errors.Is(err, ErrCorrupt) && !errors.Is(err, errors.ErrUnsupported) {
					t.Error(mode, err)
				}
			}
			if after := tree(t, dir); after != before {
				t.Errorf("something was changed:\n%s\n%s", before, after)
			}
		})
	}
	dir := t.TempDir()
	put1(t, filepath.Join(dir, "letter.txt"), "x")
	if _, err := fresh(t, dir).NewWriter(ctx, arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64}}, nil), WriteOptions{}); !errors.As(err, new(*NotTableError)) {
		t.Error("a directory with other things:", err)
	}
	if _, err := fresh(t, dir).Snapshot(ctx, At{}); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a directory with other things:", err)
	}
}

func tree(t testing.TB, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			data, err := os.ReadFile(p)
			fmt.Fprintln(&b, p, len(data))
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A checkpoint of any kind is as good as the commits before it.
func TestCheckpoints(t *testing.T) {
	ctx := context.Background()
	commits := []string{
		protocolLine + metaLine + addLine("old"),
		addLine("z") + addLine("a%20b") + removeLine("old") + `{"txn":{"appId":"x","version":7,"lastUpdated":5}}`,
		`{"add":{"path":"p","partitionValues":{"k":"v","n":null},"size":3,"modificationTime":4,"dataChange":true,"tags":{"t":"u"}}}`,
		addLine("after"),
	}
	want := pathsOf(t, snapshotOf(t, logOf(t, commits...)))
	kinds := map[string]func(t *testing.T, dir string, classic []byte){
		"classic": func(t *testing.T, dir string, classic []byte) {
			put1(t, filepath.Join(dir, checkpointKey(2)), string(classic))
		},
		"multi-part": func(t *testing.T, dir string, classic []byte) {
			for i := 1; i <= 2; i++ {
				put1(t, filepath.Join(dir, logDir, fmt.Sprintf("%020d.checkpoint.%010d.%010d.parquet", 2, i, 2)), string(classic))
			}
		},
		"v2 in JSON with sidecar": func(t *testing.T, dir string, classic []byte) {
			if err := os.Mkdir(filepath.Join(dir, logDir, "_sidecars"), 0o777); err != nil {
				t.Fatal(err)
			}
			put1(t, filepath.Join(dir, logDir, "_sidecars", "s 1.parquet"), string(classic))
			put1(t, filepath.Join(dir, logDir, fmt.Sprintf("%020d.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json", 2)),
				`{"checkpointMetadata":{"version":2}}`+"\n"+protocolLine+metaLine+`{"txn":{"appId":"x","version":7}}`+"\n"+
					`{"sidecar":{"path":"s%201.parquet","sizeInBytes":1,"modificationTime":1}}`+"\n")
		},
		"v2 in Parquet": func(t *testing.T, dir string, classic []byte) {
			put1(t, filepath.Join(dir, logDir, fmt.Sprintf("%020d.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.parquet", 2)), string(classic))
		},
	}
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		t.Run(name, func(t *testing.T) {
			dir := logOf(t, commits...)
			if err := fresh(t, dir).Checkpoint(ctx, 2); err != nil {
				t.Fatal(err)
			}
			classic, err := os.ReadFile(filepath.Join(dir, checkpointKey(2)))
			if err != nil {
				t.Fatal(err)
			}
			for _, gone := range []string{checkpointKey(2), commitKey(0), commitKey(1)} {
				if err := os.Remove(filepath.Join(dir, gone)); err != nil {
					t.Fatal(err)
				}
			}
			kinds[name](t, dir, classic)
			s := snapshotOf(t, dir)
			if got := pathsOf(t, s); got != want {
				t.Fatalf("%s, want %s", got, want)
			}
			if v, _ := s.Txn("x"); v != 7 {
				t.Fatal(v)
			}
			p := s.files.byPath["p"]
			if *p.PartitionValues["k"] != "v" || p.PartitionValues["n"] != nil || *p.Tags["t"] != "u" || p.Size != 3 || p.ModificationTime != 4 {
				t.Fatalf("%+v", p)
			}
			light, err := fresh(t, dir).load(ctx, newest, false)
			if err != nil || light.Version != 3 || light.files != nil {
				t.Fatal(light, err)
			}
			// A hint that leads nowhere does no harm.
			put1(t, filepath.Join(dir, lastCheckpointKey), `{"version":77,"size":1}`)
			if got := pathsOf(t, snapshotOf(t, dir)); got != want {
				t.Fatal(got)
			}
		})
	}
	t.Run("damaged, and not needed", func(t *testing.T) {
		dir := logOf(t, commits...)
		put1(t, filepath.Join(dir, checkpointKey(2)), "PAR1 nonsense PAR1")
		put1(t, filepath.Join(dir, lastCheckpointKey), `{"version":2,"size":1}`)
		if got := pathsOf(t, snapshotOf(t, dir)); got != want {
			t.Fatal(got)
		}
	})
}

func TestGate(t *testing.T) {
	ctx := context.Background()
	table := func(protocol, configuration string) string {
		return logOf(t, `{"protocol":`+protocol+`}`+"\n"+strings.Replace(metaLine, `"configuration":{}`, `"configuration":`+configuration, 1)+addLine("a"))
	}
	for _, c := range []struct{ protocol, configuration, read, write string }{
		{`{"minReaderVersion":1,"minWriterVersion":2}`, `{}`, "", ""},
		{`{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["timestampNtz","v2Checkpoint"],"writerFeatures":["timestampNtz","v2Checkpoint","appendOnly","invariants","domainMetadata","inCommitTimestamp"]}`, `{}`, "", ""},
		{`{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"],"writerFeatures":["deletionVectors"]}`, `{}`, "", "deletionVectors"},
		{`{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["newFangled"],"writerFeatures":["newFangled"]}`, `{}`, "newFangled", "newFangled"},
		{`{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["rowTracking"]}`, `{}`, "", "rowTracking"},
		{`{"minReaderVersion":2,"minWriterVersion":5}`, `{}`, "", ""},
		{`{"minReaderVersion":2,"minWriterVersion":5}`, `{"delta.columnMapping.mode":"name"}`, "columnMapping", "columnMapping"},
		{`{"minReaderVersion":1,"minWriterVersion":4}`, `{"delta.enableChangeDataFeed":"true"}`, "", "changeDataFeed"},
		{`{"minReaderVersion":1,"minWriterVersion":3}`, `{"delta.constraints.x":"a > 0"}`, "", "checkConstraints"},
		{`{"minReaderVersion":4,"minWriterVersion":7}`, `{}`, "reader version 4", "reader version 4"},
		{`{"minReaderVersion":1,"minWriterVersion":8}`, `{}`, "", "writer version 8"},
	} {
		dir := table(c.protocol, c.configuration)
		check := func(what string, err error, want string) {
			t.Helper()
			var feature *FeatureError
			if want == "" && err != nil || want != "" && (!errors.As(err, &feature) || feature.Feature != want) {
				t.Errorf("%s %s %s: %v, want %q", what, c.protocol, c.configuration, err, want)
			}
		}
		_, err := fresh(t, dir).Snapshot(ctx, At{})
		check("read", err, c.read)
		w, err := fresh(t, dir).NewWriter(ctx, arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64}}, nil), WriteOptions{})
		check("write", err, c.write)
		if err == nil {
			w.Abort()
		}
	}
	dir := logOf(t, protocolLine+metaLine+strings.Replace(addLine("a"), `"size"`, `"deletionVector":{"storageType":"u"},"size"`, 1))
	if _, err := snapshotOf(t, dir).Files(nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Error("a file with deleted rows:", err)
	}
}

func TestStatistics(t *testing.T) {
	ctx := context.Background()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "f", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "nan", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "t", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true},
		{Name: "d", Type: &arrow.Decimal128Type{Precision: 5, Scale: 2}, Nullable: true},
		{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64), Nullable: true},
		{Name: "st", Type: arrow.StructOf(arrow.Field{Name: "i", Type: arrow.PrimitiveTypes.Int32, Nullable: true}), Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	if err := b.UnmarshalJSON([]byte(`{"f":1.5,"nan":1,"s":"` + strings.Repeat("é", 40) + `","t":"1969-12-31T23:59:59.999999Z","d":"-0.01","l":[1],"st":{"i":4}}`)); err != nil {
		t.Fatal(err)
	}
	if err := b.UnmarshalJSON([]byte(`{"f":null,"nan":0,"s":null,"t":null,"d":null,"l":null,"st":null}`)); err != nil {
		t.Fatal(err)
	}
	b.Field(0).(*array.Float64Builder).AppendEmptyValue()
	b.Field(1).(*array.Float64Builder).Append(math.NaN())
	for _, f := range b.Fields()[2:] {
		f.AppendNull()
	}
	rec := b.NewRecordBatch()
	r, err := array.NewRecordReader(schema, []arrow.RecordBatch{rec})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "table")
	if _, err := fresh(t, dir).Write(ctx, r, WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	files, err := snapshotOf(t, dir).Files(nil)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(files[0].Stats), &got); err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(got)
	want := `{"maxValues":{"d":-0.01,"f":1.5,"s":"` + strings.Repeat("é", 31) + `ê","st":{"i":4},"t":"1970-01-01T00:00:00.000Z"},` +
		`"minValues":{"d":-0.01,"f":0,"nan":0,"s":"` + strings.Repeat("é", 32) + `","st":{"i":4},"t":"1969-12-31T23:59:59.999Z"},` +
		`"nullCount":{"d":2,"f":1,"l":2,"nan":0,"s":2,"st":{"i":2},"t":2},"numRecords":3}`
	if strings.ReplaceAll(string(text), `:-0,`, `:0,`) != want {
		t.Errorf("\n%+q\n%+q", text, want)
	}
}

// FuzzLog has the reader read any commit: it must not fail but by an error, and
// what it accepts it must be able to write and read again.
func FuzzLog(f *testing.F) {
	f.Add([]byte(protocolLine + metaLine + addLine("a") + removeLine("b")))
	f.Add([]byte(`{"commitInfo":{"operationMetrics":[1]}}` + "\n" + `{"domainMetadata":{"domain":"d","configuration":"","removed":true}}`))
	f.Add([]byte(`{"add":{"path":"%zz","partitionValues":null,"size":1,"stats":"{\"numRecords\":1e9}"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := decodeEntry(1, data)
		if err != nil {
			return
		}
		text, err := encodeEntry(e)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) > 0 {
			again, err := decodeEntry(1, text)
			if err != nil || len(again.Adds) != len(e.Adds) || len(again.Removes) != len(e.Removes) {
				t.Fatal(err, string(text))
			}
		}
		s := &Snapshot{Version: 0, table: &Table{}, txns: map[string]Txn{}, domains: map[string]DomainMetadata{}, files: newLiveFiles(), removed: map[string]*Remove{}}
		if err := s.apply(e); err != nil {
			return
		}
		s.Totals()
		if s.Metadata.SchemaString != "" && s.setSchema() == nil {
			_, _ = s.ArrowSchema()
			_, _ = s.OriginalSchema()
			if len(s.schema.Fields) > 0 {
				_, _ = s.Files(Filter{{{Column: s.schema.Fields[0].Name, Op: "<", Value: 3}}})
			}
		}
	})
}

// FuzzCheckpoint has the reader read any Parquet file as a checkpoint.
func FuzzCheckpoint(f *testing.F) {
	dir := logOf(f, protocolLine+metaLine+addLine("a"))
	if err := fresh(f, dir).Checkpoint(context.Background(), 0); err != nil {
		f.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, checkpointKey(0)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = readActions(context.Background(), bytes.NewReader(data), true, func(*action) error { return nil })
	})
}

// Where the hint of the last checkpoint is believed without a listing, damage
// behind it, and a log that has gone on or been cleaned without it, are still seen.
func TestHint(t *testing.T) {
	ctx := context.Background()
	table := func(t *testing.T, versions int) string {
		lines := []string{protocolLine + metaLine}
		for i := range versions {
			lines = append(lines, addLine(fmt.Sprintf("f%d", i+1)))
		}
		dir := logOf(t, lines...)
		if err := fresh(t, dir).Checkpoint(ctx, 3); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	remove := func(t *testing.T, dir string, key string) {
		t.Helper()
		if err := os.Remove(filepath.Join(dir, key)); err != nil {
			t.Fatal(err)
		}
	}
	for _, files := range []bool{false, true} {
		t.Run(fmt.Sprint("right, files ", files), func(t *testing.T) {
			for _, newestVersion := range []int{3, 4, 5, 9} {
				dir := table(t, newestVersion)
				one := fresh(t, dir)
				s := one.loadOn(ctx, one.lastCheckpoint(ctx), files)
				listed, err := one.loadAnew(ctx, int64(newestVersion), files)
				if s == nil || err != nil || s.Version != int64(newestVersion) || s.Version != listed.Version || s.Metadata.ID != listed.Metadata.ID || !s.Time.Equal(listed.Time) {
					t.Fatal(newestVersion, s, listed, err)
				}
				if files && pathsOf(t, s) != pathsOf(t, listed) {
					t.Error(pathsOf(t, s), pathsOf(t, listed))
				}
			}
		})
		t.Run(fmt.Sprint("hole, files ", files), func(t *testing.T) {
			for _, hole := range []int64{4, 5, 8} {
				dir := table(t, 9)
				remove(t, dir, commitKey(hole))
				if s, err := fresh(t, dir).load(ctx, newest, files); !errors.Is(err, ErrCorrupt) {
					t.Error(hole, s, err)
				}
			}
		})
		t.Run(fmt.Sprint("cleaned, files ", files), func(t *testing.T) {
			// A later checkpoint has no hint, and the log before it is gone, but for the
			// old checkpoint, which another engine may leave.
			dir := table(t, 205)
			if err := fresh(t, dir).Checkpoint(ctx, 200); err != nil {
				t.Fatal(err)
			}
			put1(t, filepath.Join(dir, lastCheckpointKey), `{"version":3,"size":5}`)
			for v := range int64(200) {
				remove(t, dir, commitKey(v))
			}
			if s, err := fresh(t, dir).load(ctx, newest, files); err != nil || s.Version != 205 {
				t.Error(s, err)
			}
		})
		t.Run(fmt.Sprint("broken checkpoint, files ", files), func(t *testing.T) {
			dir := table(t, 9)
			put1(t, filepath.Join(dir, checkpointKey(3)), "PAR1")
			if s, err := fresh(t, dir).load(ctx, newest, files); err != nil || s.Version != 9 {
				t.Error(s, err)
			}
		})
	}
}
