// Package mysqltext encodes record batches as the text that MySQL and MariaDB
// load: fields of LOAD DATA, or rows of INSERT.
//
// LOAD DATA reads UTF-8 with a tab between fields, a newline behind rows, \ before
// what would be one of these, and \N for NULL
// (https://dev.mysql.com/doc/refman/8.4/en/load-data.html). Bytes are hexadecimal,
// for the statement to convert. INSERT reads literals
// (https://dev.mysql.com/doc/refman/8.4/en/literals.html) in a session whose SQL
// mode has no NO_BACKSLASH_ESCAPES.
//
// The server converts the text to the type of the column, as it does with an INSERT
// by another client. What it would convert differently from a value of its own type
// is an [*encode.UnsupportedError].
package mysqltext
