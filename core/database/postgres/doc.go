// Package postgres writes record batches into a table of PostgreSQL, in one
// transaction, by COPY in binary format.
//
// A new table that replaces an old one is filled under a hidden name, which
// nobody else sees, and swapped in at the end of the same transaction: readers
// of the old one wait for milliseconds. Rows of a new table are frozen, so that
// even a reader whose snapshot is older than the commit sees all of them rather
// than none.
//
// If the connection is lost during the commit, a new one asks pg_xact_status
// what became of it.
package postgres
