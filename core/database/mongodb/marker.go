package mongodb

import (
	"context"
	"errors"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/seojaeohcode/atio/core/encode"
)

const (
	prefix       = "_atio."      // of the names of temporary collections
	markerSuffix = ".write"      // of a collection that holds a marker
	dataSuffix   = ".data"       // of a collection that is to take the place of another
	goneSuffix   = ".gone"       // of one that was to, and will not
	markField    = "_atio_write" // of documents with identifiers of their own, while they may be removed
)

const (
	beat  = 20 * time.Second // how often a marker is renewed
	lease = 2 * time.Minute  // after which nobody is behind a marker that was not
)

// States of a marker. Whoever wants to remove a write first makes it aborted, so
// that its writer, if it lives after all, cannot commit it any more.
const (
	open      = "open"
	committed = "committed" // its documents stay
	aborted   = "aborted"   // they go
)

// marker is what a write leaves in the database for as long as it may have to be
// undone: the one document of a collection of its own.
type marker struct {
	ID      bson.ObjectID `bson:"_id"`
	Kind    string        `bson:"kind"` // kindStage or kindAppend
	Target  string        `bson:"target"`
	State   string        `bson:"state"`
	First   bson.ObjectID `bson:"first"`   // of an append: its first identifier
	Spans   int           `bson:"spans"`   // of them that it may have, 0 if documents have markField
	Machine string        `bson:"machine"` // see identity
	PID     int           `bson:"pid"`
	Started string        `bson:"started"`
	Beat    time.Time     `bson:"beat"` // by the server's clock
}

const (
	kindStage  = "stage"  // documents are in a collection of their own
	kindAppend = "append" // documents are in the target
)

// running are the writes of this process, by the ids of their markers.
var running sync.Map

// claim is a marker of a write of this process, renewed until it is released.
type claim struct {
	s      *server
	id     bson.ObjectID
	marker *mongo.Collection
	stop   context.CancelFunc
	done   chan struct{}
}

var errRemoved = errors.New("another write has taken this one for dead, as it had not been heard of for two minutes, and removed it")

// claim leaves a marker. lost is called if it turns out to have been removed.
func (s *server) claim(ctx context.Context, m marker, lost context.CancelCauseFunc) (*claim, error) {
	me := self()
	m.State, m.Machine, m.PID, m.Started, m.Beat = open, me.machine, me.pid, me.started, s.now()
	c := &claim{s: s, id: m.ID, marker: s.db.Collection(prefix + m.ID.Hex() + markerSuffix), done: make(chan struct{})}
	running.Store(m.ID, nil)
	if _, err := c.marker.InsertOne(ctx, m); err != nil {
		c.end()
		return nil, err
	}
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	go c.renew(renewing, lost)
	return c, nil
}

func (c *claim) renew(ctx context.Context, lost context.CancelCauseFunc) {
	defer close(c.done)
	defer func() {
		if r := recover(); r != nil {
			lost(&encode.PanicError{Value: r, Stack: debug.Stack()})
		}
	}()
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		r, err := c.marker.UpdateOne(ctx, bson.D{{Key: "_id", Value: c.id}, {Key: "state", Value: open}},
			bson.D{{Key: "$currentDate", Value: bson.D{{Key: "beat", Value: true}}}})
		if err == nil && r.MatchedCount == 0 {
			lost(errRemoved)
			return
		}
	}
}

// set changes the marker if it is still open.
func (c *claim) set(ctx context.Context, change bson.D, concern bson.D) error {
	command := bson.D{
		{Key: "update", Value: c.marker.Name()},
		{Key: "updates", Value: bson.A{bson.D{
			{Key: "q", Value: bson.D{{Key: "_id", Value: c.id}, {Key: "state", Value: open}}},
			{Key: "u", Value: bson.D{{Key: "$set", Value: change}}},
		}}},
	}
	if concern != nil {
		command = append(command, bson.E{Key: "writeConcern", Value: concern})
	}
	var answer struct {
		N int `bson:"n"`
	}
	if err := c.s.db.RunCommand(ctx, command).Decode(&answer); err != nil {
		return err
	}
	if answer.N == 0 {
		return errRemoved
	}
	return nil
}

// release removes the marker.
func (c *claim) release(ctx context.Context) error {
	defer c.end() // after the marker is gone: it would be taken for dead
	c.stop()
	<-c.done
	return c.s.drop(ctx, c.marker.Name())
}

// end leaves the marker to the next write.
func (c *claim) end() {
	if c.stop != nil {
		c.stop()
		<-c.done
	}
	running.Delete(c.id)
}

// drop drops a collection, if there is one, and makes sure that nothing which was
// still under way has made it anew. It does not matter who drops it: when two do at
// once, some servers have an error for the second.
func (s *server) drop(ctx context.Context, name string) error {
	for pause := 50 * time.Millisecond; ; pause *= 2 {
		refused := s.db.Collection(name).Drop(ctx)
		if refused != nil && s.isLost(refused) {
			return refused
		}
		found, err := s.find(ctx, name)
		switch {
		case err == nil && found == nil:
			return nil
		case refused != nil:
			return refused
		case err != nil:
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// sweep removes what writes that have died have left in the database.
func (s *server) sweep(ctx context.Context) error {
	names, err := s.temporary(ctx)
	if err != nil {
		return err
	}
	for name := range names {
		hex, kind, _ := strings.Cut(strings.TrimPrefix(name, prefix), ".")
		id, err := bson.ObjectIDFromHex(hex)
		if err != nil {
			continue // not ours
		}
		_, marked := names[prefix+hex+markerSuffix]
		switch {
		case "."+kind == markerSuffix:
			err = s.sweepOne(ctx, id)
		case !marked && s.isOld(id):
			// Left by an insert that reached the server after the write had been removed.
			err = s.drop(ctx, name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// temporary are the names of all temporary collections.
func (s *server) temporary(ctx context.Context) (map[string]struct{}, error) {
	found := map[string]struct{}{}
	names, err := s.db.ListCollectionNames(ctx, bson.D{{Key: "name", Value: bson.D{{Key: "$regex", Value: "^_atio\\."}}}})
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if strings.HasPrefix(name, prefix) {
			found[name] = struct{}{}
		}
	}
	return found, nil
}

func (s *server) isOld(id bson.ObjectID) bool { return s.now().Sub(id.Timestamp()) > lease }

// isDead reports whether nobody is behind a marker any more.
func (s *server) isDead(m *marker) bool {
	me := self()
	if me.machine != "" && m.Machine == me.machine {
		if m.PID == me.pid && m.Started == me.started {
			return true // it was not running when its marker was read
		}
		if !isAlive(m.PID, m.Started) {
			return true
		}
	}
	return s.now().Sub(m.Beat) > lease
}

// sweepOne removes a write if it is dead.
func (s *server) sweepOne(ctx context.Context, id bson.ObjectID) error {
	// Asked before the marker is read: a write of this process which ends in between
	// has taken its marker with it, and is not mistaken for one that left it.
	if _, runs := running.Load(id); runs {
		return nil
	}
	coll := s.db.Collection(prefix + id.Hex() + markerSuffix)
	for seen := false; ; seen = true {
		var m marker
		err := coll.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&m)
		if errors.Is(err, mongo.ErrNoDocuments) {
			if !seen && !s.isOld(id) {
				return nil // it may come
			}
			// One that was there and is gone does not come again, and has taken its
			// collection with it. But the update below makes that anew on servers
			// which, other than MongoDB, create what an update does not find.
			return s.drop(ctx, coll.Name())
		}
		if err != nil {
			return err
		}
		if !s.isDead(&m) {
			return nil
		}
		if m.State == open {
			r, err := coll.UpdateOne(ctx, bson.D{{Key: "_id", Value: id}, {Key: "state", Value: open}},
				bson.D{{Key: "$set", Value: bson.D{{Key: "state", Value: aborted}}}})
			if err != nil {
				return err
			}
			if r.MatchedCount == 0 {
				continue // it lives, or somebody else is at it
			}
			m.State = aborted
		}
		if err := s.conclude(ctx, &m); err != nil {
			return err
		}
		return s.drop(ctx, coll.Name())
	}
}

// conclude goes the way that the state of a marker says, on or back.
func (s *server) conclude(ctx context.Context, m *marker) error {
	if m.Kind == kindStage {
		for _, suffix := range []string{dataSuffix, goneSuffix} {
			if err := s.drop(ctx, prefix+m.ID.Hex()+suffix); err != nil {
				return err
			}
		}
		return nil
	}
	target := s.db.Collection(m.Target)
	if m.State == committed {
		if m.Spans > 0 {
			return nil
		}
		_, err := target.UpdateMany(ctx, bson.D{{Key: markField, Value: m.ID}},
			bson.D{{Key: "$unset", Value: bson.D{{Key: markField, Value: ""}}}})
		return err
	}
	for _, filter := range m.filters() {
		for pause := 50 * time.Millisecond; ; pause *= 2 {
			r, err := target.DeleteMany(ctx, filter)
			if err != nil {
				return err
			}
			if r.DeletedCount == 0 {
				break
			}
			select { // for what may be still under way
			case <-time.After(pause):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	return nil
}

// filters find the documents of an append.
func (m *marker) filters() []bson.D {
	if m.Spans == 0 {
		return []bson.D{{{Key: markField, Value: m.ID}}}
	}
	return filters(m.First, m.Spans)
}

// found is what the server says of a collection.
type found struct {
	Name    string   `bson:"name"`
	Type    string   `bson:"type"`
	Options bson.Raw `bson:"options"`
}

// find returns a collection, or nil if there is none of that name.
func (s *server) find(ctx context.Context, name string) (*found, error) {
	cursor, err := s.db.ListCollections(ctx, bson.D{{Key: "name", Value: name}})
	if err != nil {
		return nil, err
	}
	defer cursor.Close(ctx)
	for cursor.Next(ctx) {
		f := &found{}
		if err := cursor.Decode(f); err != nil {
			return nil, err
		}
		if f.Name == name {
			return f, nil
		}
	}
	return nil, cursor.Err()
}
