// Package ipc writes Arrow IPC files, which are also called Feather V2, by the writer
// of arrow-go. The bytes are those that the batches have in memory.
//
// Source: https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format
package ipc
