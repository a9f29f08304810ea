package mongodb

import (
	"crypto/rand"
	"encoding/binary"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// identifiers makes the ObjectIDs of the documents of one write
// (https://www.mongodb.com/docs/manual/reference/bson-types/#objectid): the
// second in which it began, five random bytes that no other write has, and a
// number. So all of them are in a few ranges, and its documents can be found by
// the index that every collection has. After 2^24 documents the second goes up
// by one.
type identifiers struct {
	prefix [9]byte // of the first
	next   uint64  // number of the next one
}

// perSecond is how many identifiers there are with one second.
const perSecond = 1 << 24

func newIdentifiers() *identifiers {
	ids := &identifiers{}
	binary.BigEndian.PutUint32(ids.prefix[:], uint32(time.Now().Unix()))
	rand.Read(ids.prefix[4:]) // never fails
	return ids
}

// write is the identifier of the write itself, which began at now by the server's
// clock: no document's.
func (ids *identifiers) write(now time.Time) bson.ObjectID {
	var id bson.ObjectID
	binary.BigEndian.PutUint32(id[:], uint32(now.Unix()))
	rand.Read(id[4:])
	return id
}

func (ids *identifiers) at(n uint64) (id bson.ObjectID) {
	second := binary.BigEndian.Uint32(ids.prefix[:]) + uint32(n/perSecond)
	binary.BigEndian.PutUint32(id[:], second)
	copy(id[4:], ids.prefix[4:])
	n %= perSecond
	id[9], id[10], id[11] = byte(n>>16), byte(n>>8), byte(n)
	return id
}

// appendNext appends the element _id with the next identifier.
func (ids *identifiers) appendNext(b []byte) []byte {
	id := ids.at(ids.next)
	ids.next++
	return append(append(b, "\x07_id\x00"...), id[:]...)
}

// filters find the documents with identifiers of so many spans from first on.
func filters(first bson.ObjectID, spans int) []bson.D {
	ids := &identifiers{}
	copy(ids.prefix[:], first[:])
	out := make([]bson.D, spans)
	for i := range out {
		lo, hi := ids.at(uint64(i)*perSecond), ids.at(uint64(i+1)*perSecond-1)
		out[i] = bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: lo}, {Key: "$lte", Value: hi}}}}
	}
	return out
}
