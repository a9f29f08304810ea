package mongodb

import (
	"fmt"
	"reflect"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

// A command holds about so many bytes and at most so many documents: enough to
// make its cost negligible, and within what servers take.
const (
	commandBytes     = 4 << 20
	commandDocuments = 5_000
	maxCommand       = maxDocument + 8<<10 // of the 16 KB that a server grants beyond
)

// command is an insert command, to which documents are added in place
// (https://www.mongodb.com/docs/manual/reference/command/insert).
type command struct {
	body  bson.Raw
	array int   // where documents begins
	n     int   // documents
	row   int64 // of the first document
}

func newCommand(buf []byte, collection string, row int64) *command {
	b := append(buf[:0], 0, 0, 0, 0)
	b = appendString(b, []byte("insert\x00"), collection)
	b = append(start(b, bson.TypeBoolean, []byte("ordered\x00")), 1)
	b = start(b, bson.TypeArray, []byte("documents\x00"))
	return &command{body: append(b, 0, 0, 0, 0), array: len(b), row: row}
}

// add adds the document of a row, and reports whether there is room: if not, it
// has to go into another one.
func (c *command) add(r *rows, row int) (fits bool, err error) {
	at := len(c.body)
	var digits [24]byte
	b := start(c.body, bson.TypeEmbeddedDocument, appendIndex(digits[:0], int64(c.n)))
	next := r.ids.next
	if b, err = r.appendRow(b, row); err != nil {
		return false, err
	}
	if c.n > 0 && len(b) > maxCommand {
		c.body, r.ids.next = b[:at], next
		return false, nil
	}
	c.body = b
	c.n++
	return true, nil
}

// addRaw adds a document.
func (c *command) addRaw(document bson.Raw) {
	c.body = append(start(c.body, bson.TypeEmbeddedDocument, appendIndex(nil, int64(c.n))), document...)
	c.n++
}

func (c *command) isFull() bool { return len(c.body) >= commandBytes || c.n >= commandDocuments }

// seal completes the command.
func (c *command) seal() { c.body = end(end(c.body, c.array), 0) }

// marked is the same sealed command with an element added to each document.
func (c *command) marked(collection string, element []byte) (*command, error) {
	values, err := bson.Raw(c.body).Lookup("documents").Array().Values()
	if err != nil {
		return nil, fmt.Errorf("a command of our own: %w", err)
	}
	out := newCommand(make([]byte, 0, len(c.body)+c.n*len(element)), collection, c.row)
	for _, v := range values {
		b := start(out.body, bson.TypeEmbeddedDocument, appendIndex(nil, int64(out.n)))
		at := len(b)
		b = append(append(b, v.Value[:len(v.Value)-1]...), element...)
		out.body = end(b, at)
		out.n++
	}
	out.seal()
	return out, nil
}

// concernOf is a write concern as the server takes it.
func concernOf(wc *writeconcern.WriteConcern) (bson.D, error) {
	var d bson.D
	switch w := wc.W.(type) {
	case nil:
	case int:
		d = append(d, bson.E{Key: "w", Value: int32(w)})
	case string:
		d = append(d, bson.E{Key: "w", Value: w})
	default:
		return nil, fmt.Errorf("w is a %s, not a number or a name", reflect.TypeOf(w))
	}
	if wc.Journal != nil {
		d = append(d, bson.E{Key: "j", Value: *wc.Journal})
	}
	return d, nil
}

// markOf is the element that documents of a write get which have identifiers of
// their own.
func markOf(id bson.ObjectID) []byte {
	return append(start(nil, bson.TypeObjectID, []byte(markField+"\x00")), id[:]...)
}
