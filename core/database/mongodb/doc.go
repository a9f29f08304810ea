// Package mongodb writes Arrow record batches into a MongoDB collection, all or
// nothing.
//
// A collection that is new or replaced is filled under a hidden name beside the
// target and put in its place by one renameCollection, so that readers see all
// of the old or all of the new documents. Documents that are appended to a
// collection go in one transaction where the server has them, which replica
// sets and sharded clusters do, as long as they take no more than
// [TransactionBytes]. Otherwise they are inserted under identifiers of one
// range, which a marker names until the last of them is there: a write that
// fails removes them again, and one that was killed is removed by the next
// write into that database. Readers may see a part of such an append before it
// ends.
//
// What is temporary is in collections named _atio.ID.write (the marker) and
// _atio.ID.data (the documents to come).
//
// Each row is one document and each column a field; see [Options] for how types
// are mapped. Documents are made from the columns directly
// (https://bsonspec.org/spec.html) and sent by the official driver.
package mongodb
