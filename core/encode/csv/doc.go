// Package csv writes Arrow record batches as CSV, byte for byte as pandas'
// DataFrame.to_csv or polars' DataFrame.write_csv does.
//
// The two differ in the notation of numbers, in booleans, in dates and in what
// they quote; [Options.Dialect] chooses. What a column may hold: signed and
// unsigned integers, floats of 16, 32 and 64 bits, booleans, strings of every
// layout, dates (date32), timestamps without a time zone, nulls, and
// dictionaries of these.
//
// A matrix of numbers is written as numpy.savetxt does; see [Matrix].
//
// Columns are read straight from Arrow's buffers. A batch is cut into runs of
// rows, which are formatted on all cores and written in order.
package csv
