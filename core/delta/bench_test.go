package delta_test

import (
	"path/filepath"
	"testing"

	"github.com/seojaeohcode/atio/core/delta"
)

// BenchmarkAppend is one append of a hundred rows, each with the table opened
// anew.
func BenchmarkAppend(b *testing.B) {
	for _, skipSync := range []bool{false, true} {
		name := "durable"
		if skipSync {
			name = "unsynced"
		}
		b.Run(name, func(b *testing.B) {
			dir := filepath.Join(b.TempDir(), "table")
			rec := rows(b, 0, 100)
			for b.Loop() {
				table := must(delta.Open(ctx, dir, delta.Options{SkipSync: skipSync}))
				must(table.Write(ctx, readerOf(b, rec), delta.WriteOptions{Rows: 100}))
			}
		})
	}
}
