package core

import (
	"context"

	"github.com/seojaeohcode/atio/core/delta"
)

// Tables, under the names callers of core use. See package delta for what they do.
type (
	// Table is a table with all its versions, in the Delta Lake format.
	Table = delta.Table
	// TableOptions say how a table is worked with.
	TableOptions = delta.Options
	// TableWriteOptions say how a version is written.
	TableWriteOptions = delta.WriteOptions
	// TableAt says which version is meant.
	TableAt = delta.At
	// Snapshot is a table at one version.
	Snapshot = delta.Snapshot
)

// OpenTable returns the table at a path. There need be nothing yet: the first
// write creates it.
//
//	t, err := core.OpenTable(ctx, "flights", core.TableOptions{})
//	...
//	result, err := t.Write(ctx, reader, core.TableWriteOptions{Mode: delta.Append, Message: "January"})
//	...
//	snapshot, err := t.Snapshot(ctx, core.TableAt{Tag: "gold"})
//	files, err := snapshot.Files(nil)
func OpenTable(ctx context.Context, path string, o TableOptions) (*Table, error) {
	return delta.Open(ctx, path, o)
}
