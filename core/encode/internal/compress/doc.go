// Package compress has the codecs of the encoders, each compressing whole blocks
// of memory. Parquet's pages are such blocks; what is written as a stream, like a
// CSV file, is compressed block by block too, on all cores.
package compress
