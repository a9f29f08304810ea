package mongodb

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seojaeohcode/atio/core/database"
)

// replicaSet is a double of a server with transactions, which no server that can be
// had here has: it knows what an append needs of the protocol (OP_MSG,
// https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol), keeps what
// is inserted in a transaction apart until its commit, and fails as it is told.
type replicaSet struct {
	t        *testing.T
	listener net.Listener

	mu       sync.Mutex
	there    []bson.Raw            // documents of the collection
	open     map[string][]bson.Raw // by session and number of the transaction
	done     map[string]bool       // committed
	commands []string

	// execute has the effect of a command and makes the answer.
	execute func(command string, c bson.Raw) bson.D
	// fail is asked before a command is executed, and after it: what it returns is
	// the answer; "cut" cuts the connection.
	fail func(command string, n int, executed bool) string
}

func newReplicaSet(t *testing.T) *replicaSet {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &replicaSet{t: t, listener: l, open: map[string][]bson.Raw{}, done: map[string]bool{},
		fail: func(string, int, bool) string { return "" }}
	r.execute = r.transact
	var wg sync.WaitGroup
	t.Cleanup(func() { l.Close(); wg.Wait() })
	wg.Add(1)
	go func() {
		defer wg.Done()
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Add(1)
			go func() {
				defer wg.Done()
				defer conn.Close()
				stop := context.AfterFunc(t.Context(), func() { conn.Close() })
				defer stop()
				r.serve(conn)
			}()
		}
	}()
	return r
}

func (r *replicaSet) uri() string {
	return fmt.Sprintf("mongodb://%s/d?replicaSet=rs&serverSelectionTimeoutMS=3000&heartbeatFrequencyMS=500", r.listener.Addr())
}

func (r *replicaSet) serve(conn net.Conn) {
	for {
		header := make([]byte, 16)
		if _, err := io.ReadFull(conn, header); err != nil {
			return
		}
		body := make([]byte, binary.LittleEndian.Uint32(header)-16)
		if _, err := io.ReadFull(conn, body); err != nil {
			return
		}
		opcode := binary.LittleEndian.Uint32(header[12:])
		var command bson.Raw
		if opcode == 2004 { // OP_QUERY, with which drivers say hello: flags, name, skip, limit
			end := 4 + strings.IndexByte(string(body[4:]), 0) + 1 + 8
			command = bson.Raw(body[end:])
		} else { // OP_MSG: flags, the kind of the section, which is 0
			command = bson.Raw(body[5 : 5+binary.LittleEndian.Uint32(body[5:])])
		}
		answer := r.answer(command)
		if answer == nil {
			return
		}
		doc, err := bson.Marshal(answer)
		if err != nil {
			panic(err)
		}
		var out []byte
		if opcode == 2004 {
			out = append(make([]byte, 16+4+8+4), 1, 0, 0, 0) // flags, cursor, start, number of documents
			binary.LittleEndian.PutUint32(out[12:], 1)
		} else {
			out = make([]byte, 16+4+1)
			binary.LittleEndian.PutUint32(out[12:], 2013)
		}
		out = append(out, doc...)
		binary.LittleEndian.PutUint32(out, uint32(len(out)))
		copy(out[8:12], header[4:8])
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

func (r *replicaSet) answer(c bson.Raw) bson.D {
	first, err := c.IndexErr(0)
	if err != nil {
		panic(err)
	}
	name := first.Key()
	switch strings.ToLower(name) {
	case "hello", "ismaster":
		address := r.listener.Addr().String()
		return bson.D{{Key: "ok", Value: 1}, {Key: "isWritablePrimary", Value: true}, {Key: "ismaster", Value: true}, {Key: "setName", Value: "rs"},
			{Key: "hosts", Value: bson.A{address}}, {Key: "me", Value: address}, {Key: "primary", Value: address}, {Key: "maxWireVersion", Value: 21},
			{Key: "minWireVersion", Value: 0}, {Key: "logicalSessionTimeoutMinutes", Value: 30}, {Key: "localTime", Value: time.Now()},
			{Key: "maxBsonObjectSize", Value: 16 << 20}, {Key: "maxMessageSizeBytes", Value: 48_000_000}, {Key: "maxWriteBatchSize", Value: 100_000}}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.commands = append(r.commands, name)
	n := 0
	for _, other := range r.commands {
		if other == name {
			n++
		}
	}
	refused := func(how string) bson.D {
		if how == "cut" {
			return nil
		}
		code, labels := 112, bson.A{}
		if how != "" {
			labels = bson.A{how}
		}
		return bson.D{{Key: "ok", Value: 0}, {Key: "code", Value: code}, {Key: "codeName", Value: "WriteConflict"}, {Key: "errmsg", Value: "told to"}, {Key: "errorLabels", Value: labels}}
	}
	if how := r.fail(name, n, false); how != "" {
		return refused(how)
	}
	ok := r.execute(name, c)
	if how := r.fail(name, n, true); how != "" {
		return refused(how)
	}
	return ok
}

func (r *replicaSet) transact(name string, c bson.Raw) bson.D {
	transaction := ""
	if lsid, err := c.LookupErr("lsid"); err == nil {
		if number, err := c.LookupErr("txnNumber"); err == nil {
			transaction = lsid.String() + number.String()
		}
	}
	switch name {
	case "listCollections":
		return bson.D{{Key: "ok", Value: 1}, {Key: "cursor", Value: bson.D{{Key: "id", Value: int64(0)}, {Key: "ns", Value: "d.$cmd"}, {Key: "firstBatch", Value: bson.A{
			bson.D{{Key: "name", Value: "c"}, {Key: "type", Value: "collection"}, {Key: "options", Value: bson.D{}}}}}}}}
	case "insert":
		if _, err := c.LookupErr("autocommit"); err != nil || transaction == "" {
			r.t.Errorf("an insert outside of a transaction: %v", c)
		}
		if start, err := c.LookupErr("startTransaction"); err == nil && start.Boolean() {
			r.open[transaction] = nil
		}
		values, err := c.Lookup("documents").Array().Values()
		if err != nil {
			panic(err)
		}
		for _, v := range values {
			r.open[transaction] = append(r.open[transaction], append(bson.Raw{}, v.Document()...))
		}
		return bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: len(values)}}
	case "commitTransaction":
		if !r.done[transaction] {
			r.there = append(r.there, r.open[transaction]...)
			r.done[transaction] = true
		}
		delete(r.open, transaction)
	case "abortTransaction":
		delete(r.open, transaction)
	case "endSessions":
	default:
		r.t.Errorf("command %s is not expected", name)
	}
	return bson.D{{Key: "ok", Value: 1}}
}

func (r *replicaSet) append(t *testing.T, rows int) (database.Result, error) {
	t.Helper()
	batch := batchOf(t, arrow.PrimitiveTypes.Int32, "["+strings.TrimSuffix(strings.Repeat("1,", rows), ",")+"]")
	reader, err := array.NewRecordReader(batch.Schema(), []arrow.RecordBatch{batch})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Release()
	return database.Write(t.Context(), reader, &Options{URI: r.uri(), Collection: "c", Mode: database.Append}, nil)
}

func (r *replicaSet) state() (there, open int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.there), len(r.open)
}

func TestAppendInOneTransaction(t *testing.T) {
	r := newReplicaSet(t)
	const rows = 3*commandDocuments + 7
	result, err := r.append(t, rows)
	if err != nil || result.Rows != rows {
		t.Fatal(result, err)
	}
	if there, open := r.state(); there != rows || open != 0 {
		t.Fatal(there, open)
	}
	ids := map[string]bool{}
	for _, d := range r.there {
		ids[d.Lookup("_id").String()] = true
	}
	if len(ids) != rows {
		t.Errorf("%d identifiers", len(ids))
	}
}

func TestTransactionsThatCollideAreRepeated(t *testing.T) {
	for _, in := range []string{"insert", "commitTransaction"} {
		r := newReplicaSet(t)
		r.fail = func(command string, n int, executed bool) string {
			if command == in && n <= 3 && !executed {
				return "TransientTransactionError"
			}
			return ""
		}
		if _, err := r.append(t, 10); err != nil {
			t.Fatal(in, err)
		}
		if there, _ := r.state(); there != 10 {
			t.Fatal(in, there)
		}
	}
}

func TestAFailedTransactionLeavesNothing(t *testing.T) {
	r := newReplicaSet(t)
	r.fail = func(command string, n int, _ bool) string {
		if command == "insert" && n == 2 {
			return "SomeOtherLabel"
		}
		return ""
	}
	_, err := r.append(t, 2*commandDocuments)
	var refused *database.ServerError
	if !errors.As(err, &refused) || refused.Code != "112" {
		t.Fatal(err)
	}
	if there, open := r.state(); there != 0 || open != 0 {
		t.Fatal(there, open)
	}
}

// The answer to a commit is lost, but the server is there: the command is repeated.
func TestALostAnswerToACommit(t *testing.T) {
	r := newReplicaSet(t)
	r.fail = func(command string, n int, executed bool) string {
		if command == "commitTransaction" && n <= 2 && executed {
			return "cut"
		}
		return ""
	}
	if result, err := r.append(t, 10); err != nil || result.Rows != 10 {
		t.Fatal(result, err)
	}
	if there, _ := r.state(); there != 10 {
		t.Fatal(there)
	}
}
