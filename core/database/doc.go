// Package database is what all databases share: what a target table is, what
// becomes of one that exists, the transaction that batches go into, and the
// errors that tell whether the data is there.
//
// A dialect is a folder below this one with an option struct that implements
// [Options], and a line in the registry of package core. Its transaction makes
// all rows visible at once in Commit, or none: until then nobody else sees
// anything of them, and whatever dies, the database itself goes back.
package database
