// Package json writes Arrow record batches as JSON, byte for byte as polars'
// DataFrame.write_json and write_ndjson do, and as pandas' DataFrame.to_json does: in
// any of its orients, or an object on each line.
//
// In the polars dialect a column may hold signed and unsigned integers, floats of 16,
// 32 and 64 bits, booleans, strings of every layout, dates (date32), times, durations,
// timestamps in UTC or without a time zone, decimals, nulls, dictionaries of these, and
// lists, fixed-size lists and structs of all. The pandas dialect has no dates, times
// and decimals. NaN and infinities are null, which JSON has in their place.
//
// Columns are read straight from Arrow's buffers. A batch is cut into runs of
// rows, which are formatted on all cores and written in order.
package json
