package delta_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/seojaeohcode/atio/core/delta"
)

func version(v int64) delta.At { return delta.At{Version: &v} }

// dataFiles are the data files that are there.
func dataFiles(t testing.TB, dir string) []string {
	t.Helper()
	return must(filepath.Glob(filepath.Join(dir, "*.parquet")))
}

func written(t testing.TB, dir string, n int) *delta.Table {
	t.Helper()
	table := open(t, dir)
	for i := range n {
		must(table.Write(ctx, readerOf(t, rows(t, i, 1)), delta.WriteOptions{Mode: delta.Overwrite}))
	}
	return table
}

func TestRollback(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "table")
	table := open(t, dir)
	for i := range 3 {
		must(table.Write(ctx, readerOf(t, rows(t, i, 10)), delta.WriteOptions{}))
	}
	want := must(must(table.Snapshot(ctx, version(2))).Files(nil))
	must(table.Write(ctx, readerOf(t, rows(t, 7, 1)), delta.WriteOptions{Mode: delta.Overwrite}))
	r := must(table.Rollback(ctx, version(2), delta.WriteOptions{Message: "back"}))
	if r.Version != 5 || r.Operation != "RESTORE" || r.Totals.Rows != 20 {
		t.Fatalf("%+v", r)
	}
	for _, opened := range []*delta.Table{table, open(t, dir)} {
		s := must(opened.Snapshot(ctx, delta.At{}))
		if got := must(s.Files(nil)); len(got) != 2 || got[0].Path != want[0].Path || got[1].Path != want[1].Path {
			t.Fatalf("files %v, want %v", got, want)
		}
	}
	if _, err := table.Rollback(ctx, version(9), delta.WriteOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if _, err := table.Rollback(ctx, version(1), delta.WriteOptions{ExpectedVersion: new(int64)}); !errors.Is(err, delta.ErrConflict) {
		t.Fatal(err)
	}
}

func TestRollbackKeepsOrder(t *testing.T) {
	table := open(t, filepath.Join(t.TempDir(), "table"))
	for i := range 3 {
		must(table.Write(ctx, readerOf(t, rows(t, i, 10)), delta.WriteOptions{}))
	}
	want := must(must(table.Snapshot(ctx, version(3))).Files(nil))
	s := must(table.Snapshot(ctx, version(3)))
	if _, err := table.Apply(ctx, delta.Change{Operation: "DELETE", Remove: []string{want[0].Path}, DataChange: true, ReadVersion: s.Version}); err != nil {
		t.Fatal(err)
	}
	must(table.Rollback(ctx, version(3), delta.WriteOptions{}))
	got := must(must(table.Snapshot(ctx, delta.At{})).Files(nil))
	if !slices.EqualFunc(got, want, func(a, b delta.File) bool { return a.Path == b.Path }) {
		t.Fatalf("%v, want %v", got, want)
	}
}

func TestTags(t *testing.T) {
	table := written(t, filepath.Join(t.TempDir(), "table"), 3)
	if err := table.Tag(ctx, "gold / 2024", 2); err != nil {
		t.Fatal(err)
	}
	if err := table.Tag(ctx, "gold / 2024", 2); err != nil {
		t.Fatal("the same tag again:", err)
	}
	if err := table.Tag(ctx, "gold / 2024", 3); !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	if err := table.Tag(ctx, "x", 8); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if s := must(table.Snapshot(ctx, delta.At{Tag: "gold / 2024"})); s.Version != 2 {
		t.Fatal(s.Version)
	}
	if h := must(table.History(ctx, 0)); !slices.Equal(h[1].Tags, []string{"gold / 2024"}) {
		t.Fatal(h[1])
	}
	if err := table.Untag(ctx, "gold / 2024"); err != nil {
		t.Fatal(err)
	}
	if err := table.Untag(ctx, "gold / 2024"); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if _, err := table.Snapshot(ctx, delta.At{Tag: "gold / 2024"}); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

func TestExpire(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "table")
	table := written(t, dir, 6)
	if err := table.Tag(ctx, "kept", 2); err != nil {
		t.Fatal(err)
	}
	reading, release, err := table.Hold(ctx, version(4))
	if err != nil || reading.Version != 4 {
		t.Fatal(reading, err)
	}
	if r := must(table.Expire(ctx, delta.ExpireOptions{KeepFor: time.Hour})); len(r.Versions)+len(r.Files) != 0 {
		t.Fatalf("all are young: %+v", r)
	}
	dry := must(table.Expire(ctx, delta.ExpireOptions{DryRun: true}))
	if !slices.Equal(dry.Versions, []int64{1, 3, 5}) || len(dry.Files) != 3 || dry.Bytes == 0 || dry.Kept[2] == "" || dry.Kept[4] == "" {
		t.Fatalf("%+v", dry)
	}
	if len(dataFiles(t, dir)) != 6 {
		t.Fatal("a dry run has removed files")
	}
	r := must(open(t, dir).Expire(ctx, delta.ExpireOptions{}))
	if !slices.Equal(r.Versions, dry.Versions) || !slices.Equal(r.Files, dry.Files) || r.Bytes != dry.Bytes {
		t.Fatalf("%+v, the dry run said %+v", r, dry)
	}
	if len(dataFiles(t, dir)) != 3 {
		t.Fatal(dataFiles(t, dir))
	}
	if _, err := table.Snapshot(ctx, version(3)); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if err := table.Tag(ctx, "late", 3); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var left []int64
	for _, c := range must(table.History(ctx, 0)) {
		left = append(left, c.Version)
	}
	if !slices.Equal(left, []int64{6, 4, 2}) {
		t.Fatal(left)
	}
	release()
	if err := table.Untag(ctx, "kept"); err != nil {
		t.Fatal(err)
	}
	if r := must(table.Expire(ctx, delta.ExpireOptions{KeepLast: 1})); !slices.Equal(r.Versions, []int64{2, 4}) || len(dataFiles(t, dir)) != 1 {
		t.Fatalf("%+v", r)
	}
	if entries := must(os.ReadDir(filepath.Join(dir, "_atio"))); len(entries) == 0 {
		t.Fatal("no marks")
	}
	must(table.Write(ctx, readerOf(t, rows(t, 0, 1)), delta.WriteOptions{}))
}

// The log goes as well, once it is old, and what is left is a table for all.
func TestExpireCleansLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "table")
	table := written(t, dir, 8)
	if err := table.Tag(ctx, "kept", 5); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * time.Hour)
	for _, name := range must(filepath.Glob(filepath.Join(dir, "_delta_log", "*.json"))) {
		if err := os.Chtimes(name, old, old); err != nil {
			t.Fatal(err)
		}
	}
	r := must(table.Expire(ctx, delta.ExpireOptions{}))
	if len(r.LogFiles) != 5 {
		t.Fatalf("%+v", r)
	}
	for _, opened := range []*delta.Table{table, open(t, dir)} {
		for _, v := range []int64{5, 8} {
			if s := must(opened.Snapshot(ctx, version(v))); s.Totals().Rows != 1 {
				t.Fatal(v, s.Totals())
			}
		}
		if _, err := opened.Snapshot(ctx, version(3)); !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if h := must(opened.History(ctx, 0)); len(h) != 2 {
			t.Fatalf("%+v", h)
		}
	}
	if r := must(table.Write(ctx, readerOf(t, rows(t, 0, 1)), delta.WriteOptions{})); r.Version != 9 {
		t.Fatal(r)
	}
}

func TestDeleteVersion(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "table")
	table := written(t, dir, 3)
	if _, err := table.DeleteVersion(ctx, 3, false); !errors.Is(err, fs.ErrExist) {
		t.Fatal("the newest:", err)
	}
	if r := must(table.DeleteVersion(ctx, 2, true)); len(r.Files) != 1 || len(dataFiles(t, dir)) != 3 {
		t.Fatalf("%+v", r)
	}
	if r := must(table.DeleteVersion(ctx, 2, false)); len(r.Files) != 1 || len(dataFiles(t, dir)) != 2 {
		t.Fatalf("%+v", r)
	}
	if _, err := table.DeleteVersion(ctx, 2, false); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal("deleted already:", err)
	}
	for _, v := range []int64{1, 3} {
		must(table.Snapshot(ctx, version(v)))
	}
}

func TestClean(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "table")
	table := written(t, dir, 2)
	w := must(table.NewWriter(ctx, simple, delta.WriteOptions{}))
	if err := w.Write(rows(t, 0, 3)); err != nil {
		t.Fatal(err)
	}
	part := must(w.Finish())
	if r := must(table.Clean(ctx, delta.CleanOptions{})); len(r.Orphans) != 0 {
		t.Fatalf("a file that is about to be committed: %+v", r)
	}
	r := must(table.Clean(ctx, delta.CleanOptions{OlderThan: time.Nanosecond}))
	if len(r.Orphans) != 1 || r.Bytes != part.Bytes || len(dataFiles(t, dir)) != 2 {
		t.Fatalf("%+v", r)
	}
}
