// Package pgcopy encodes record batches in the binary format of PostgreSQL's
// COPY, straight from the columns' memory.
//
// What the server's types take is said by their receive functions (typreceive in
// pg_type); the format around them is in the documentation of COPY, section
// "Binary Format": https://www.postgresql.org/docs/current/sql-copy.html
//
// Values are converted as an INSERT with the value as a parameter would do it:
// what the server casts on assignment without looking at its settings is cast
// here. Everything else is an [*encode.UnsupportedError].
package pgcopy
