// Package avro writes Arrow record batches as an Avro object container file, with the
// schema that polars' DataFrame.write_avro makes, and the same records.
//
// Every column is a field of one record. A column that may have nulls is a union of
// null and its type, in this order. Integers of up to 32 bits are int, of up to 64 bits
// long; floats, booleans, strings and bytes are what they are in Avro; a date is an
// int, a time of day or a timestamp a long with the logical type for its unit
// ("timestamp-..." with a time zone, "local-timestamp-..." without); decimals are bytes;
// lists are arrays, maps with string keys are maps, structs are records called r1, r2
// and so on; dictionaries are written by their values. What has no exact counterpart
// (unsigned integers of 64 bits, durations, nanoseconds of a day, ...) is an
// [encode.UnsupportedError].
//
// The schema, the header and the reading back are those of github.com/twmb/avro, which
// depends on nothing else. Its writer, as those of other Go libraries, takes records one
// by one and compresses on one core, so records and blocks are made here: the values of
// a row are appended straight from Arrow's buffers, and blocks of rows are formatted and
// compressed on all cores and written in order.
//
// Source: https://avro.apache.org/docs/1.12.0/specification/, "Binary Encoding",
// "Object Container Files" and "Logical Types".
package avro
