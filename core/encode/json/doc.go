// Package json writes Arrow record batches as JSON, byte for byte as polars'
// DataFrame.write_json and write_ndjson do: an array of objects, or an object on
// each line.
//
// What a column may hold: signed and unsigned integers, floats of 32 and 64 bits,
// booleans, strings of every layout, dates (date32), times, timestamps without a
// time zone, nulls, dictionaries of strings, and lists, fixed-size lists and
// structs of all of these. NaN and infinities are null, which JSON has in their
// place.
//
// Columns are read straight from Arrow's buffers. A batch is cut into runs of
// rows, which are formatted on all cores and written in order.
package json
