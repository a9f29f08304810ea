// Package delta keeps tables with all their versions, in the open Delta Lake
// format: a directory of Parquet files, and a log, _delta_log, that says which
// of them make up which version
// (https://github.com/delta-io/delta/blob/master/PROTOCOL.md, "the protocol"
// below).
//
// A version is one JSON file of the log, named by its number. Whoever puts that
// file there first has made the version; all others notice that the name is
// taken, look at what happened, and try the next number. So writers need no
// server and no lock, and may be of any make: Spark, delta-rs, polars.
//
// # Layers
//
//   - actions.go, schema.go, protocol.go: what stands in the log
//   - list.go, replay.go, checkpoint*.go, snapshot.go: reading it
//   - commit.go, conflict.go: adding a version
//   - types.go, convert.go, stats.go, partition.go, write.go: record batches to data files
//   - restore.go, history.go, tags.go, expire.go, success.go: versions and what is around them
//
// # Durability
//
// Data files and the directories they are in are synced before the version that
// names them is, and that before a call returns. A kill or power cut leaves the
// version before or after, and at most files that no version names, which
// [Table.Clean] removes.
package delta
