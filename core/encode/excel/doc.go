// Package excel writes Arrow record batches as sheets of an Excel workbook
// (.xlsx, Office Open XML, ECMA-376 part 1, chapter 18).
//
// The parts around the rows, such as styles, relationships and content types, are
// made by package excelize. The rows are formatted here, straight from Arrow's
// buffers, cut into runs that are formatted and deflated on all cores and written in
// order: a sheet of any length takes the same memory.
//
// What a column may hold: signed and unsigned integers, floats, decimals, booleans,
// strings of every layout, dates (date32), timestamps without a time zone, times,
// durations, nulls, and dictionaries of these. All numbers have the digits they need
// to be read back as they are. Moments are numbers of days of the 1900 date system,
// which has none before 1900-01-01 ([encode.ValueError]). A string stays a string,
// also if it begins with "=": nothing becomes a formula but the totals of a [Table].
//
// The limits of the format are errors as well: 1,048,576 rows, 16,384 columns, 32,767
// UTF-16 units in a cell, and the rules for names of sheets.
package excel
