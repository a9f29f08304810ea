// Package mysql writes record batches into tables of MySQL and MariaDB, all or
// nothing, by LOAD DATA LOCAL of text that is made from the columns while it is
// sent, or by INSERTs of many rows where the server does not allow that.
//
// Statements that create or rename tables are not part of transactions there. So
// a table that is new or replaced is filled under a hidden name, _atio_ID_new, and
// takes its place by one RENAME TABLE, which is atomic. Rows are added to a table
// that is there in one transaction. Each write holds a lock of the server named
// atio_ID for as long as its session lives: hidden tables whose lock nobody holds
// were left by writers that died, and the next write into that schema drops them.
//
// An append puts a row into a table _atio_ID_log in the same transaction: if the
// connection is lost during the COMMIT, that row tells what became of it.
package mysql
