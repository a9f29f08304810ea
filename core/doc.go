// Package core writes data safely: the target is always the whole old or the
// whole new file, whatever dies meanwhile, and a flag beside it, .NAME._SUCCESS,
// tells that it is complete.
//
// [Write] takes an Arrow record reader and a path. [NewWriter] takes record
// batches one by one. [NewDatasetWriter] writes a directory of files that is
// published as one. [NewStage] lets code that needs a file of its own write
// the bytes and publishes them the same way. [Verify] compares a file with its
// flag, and [Restore] puts back what a write with Options.Backups replaced.
//
//	result, err := core.Write(ctx, reader, "flights.parquet", core.Options{})
//
// How a file is encoded is chosen by Options.Encoding, an option struct of the
// format's package:
//
//	core.Options{Encoding: &parquet.Options{Compression: "zstd"}}
//
// # Errors
//
// A call that fails leaves everything as it was. Its error says which step
// failed, for which path, and what to do. Use [errors.Is] with [fs.ErrNotExist],
// [fs.ErrPermission], a [syscall.Errno] such as syscall.ENOSPC, [ErrCorrupt],
// [ErrConflict] or the context's errors, and [errors.As] with [*Error],
// [*UnsupportedError], [*OptionError] and [*ValueError].
//
// # Packages below
//
// Data flows one way: record batches -> encode -> publish -> store. An encoder
// knows no file names, publish no Arrow, a store no formats. The whole of core
// builds without cgo.
package core
