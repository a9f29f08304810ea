// Package parquet writes Arrow record batches as Apache Parquet.
//
// The work is cut into one task for each column chunk: a leaf column of the
// Parquet schema in one row group. Tasks run in parallel in an
// [encode.Pipeline], which writes their bytes in order, so a file is written
// front to back and never read again. Each task turns a leaf's Arrow arrays
// into definition and repetition levels and present values (levels.go,
// values.go) and hands them to a chunk encoder (chunk.go), which returns bytes
// and a chunkInfo. What a chunk encoder does inside is its own affair: today
// arrow-go's column writers do it for every type. The footer (footer.go) is put
// together from the chunkInfos in the order in which chunks reach the file.
//
// # Memory
//
// Batches are held, without being copied, until a row group is full. A stream
// therefore needs the memory of about one row group of Arrow data being
// gathered, one or two more being encoded, and the encoded column chunks that
// wait for their turn, at most 2×workers+2 of them. A batch with more rows than
// a row group is split.
//
// # Schema
//
// The Parquet schema is the one Arrow C++ writes: logical types, three-level
// lists, optional unless a field says otherwise. The Arrow schema is stored
// beside it under the key ARROW:schema, so that a reader that knows Arrow gets
// back the types that Parquet itself does not have: time zones, durations,
// dictionaries and their order, large and view types. The schema's key-value
// metadata, such as that of pandas, becomes the file's.
package parquet
