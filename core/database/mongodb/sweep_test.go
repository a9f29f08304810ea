package mongodb

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// catalog is a server that has collections of markers, and that creates a collection
// for an update, as de.bwaldvogel's mongo-java-server does and MongoDB does not.
type catalog struct {
	*replicaSet
	collections map[string]any // the marker in it, or nil
	read        func()         // called when a marker has been read, before its reader knows
}

func newCatalog(t *testing.T) *catalog {
	k := &catalog{replicaSet: newReplicaSet(t), collections: map[string]any{}, read: func() {}}
	k.execute = k.command
	return k
}

func (k *catalog) command(command string, c bson.Raw) bson.D {
	cursor := func(found bson.A) bson.D {
		return bson.D{{Key: "ok", Value: 1}, {Key: "cursor", Value: bson.D{{Key: "id", Value: int64(0)}, {Key: "ns", Value: "d.c"}, {Key: "firstBatch", Value: found}}}}
	}
	name, _ := c.Index(0).Value().StringValueOK()
	switch found := (bson.A{}); command {
	case "listCollections":
		only, _ := c.Lookup("filter", "name").StringValueOK()
		for _, name := range slices.Sorted(maps.Keys(k.collections)) {
			if only == "" || name == only {
				found = append(found, bson.D{{Key: "name", Value: name}, {Key: "type", Value: "collection"}})
			}
		}
		return cursor(found)
	case "find":
		if m := k.collections[name]; m != nil {
			found = append(found, m)
			k.read()
		}
		return cursor(found)
	case "update":
		if _, ok := k.collections[name]; !ok {
			k.collections[name] = nil
		}
		return bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: 0}, {Key: "nModified", Value: 0}}
	case "drop":
		if _, ok := k.collections[name]; !ok {
			return bson.D{{Key: "ok", Value: 0}, {Key: "errmsg", Value: "Collection [d." + name + "] not found."}}
		}
		delete(k.collections, name)
	case "endSessions":
	default:
		k.t.Errorf("command %s is not expected", command)
	}
	return bson.D{{Key: "ok", Value: 1}}
}

func (k *catalog) sweep() []string {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(k.t.Context(), 20*time.Second)
	defer cancel()
	s, err := connect(ctx, &Options{URI: k.uri()})
	if err != nil {
		k.t.Fatal(err)
	}
	defer s.disconnect()
	if err := s.sweep(ctx); err != nil {
		k.t.Fatal(err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Sorted(maps.Keys(k.collections))
}

// A write that ends while another one looks at its marker is not taken for dead.
func TestSweepOfAWriteThatEnds(t *testing.T) {
	k := newCatalog(t)
	me, id := self(), bson.NewObjectID()
	name := prefix + id.Hex() + markerSuffix
	k.collections[name] = marker{ID: id, Kind: kindStage, Target: "c", State: open,
		Machine: me.machine, PID: me.pid, Started: me.started, Beat: time.Now()}
	running.Store(id, nil)
	ends := func() { delete(k.collections, name); running.Delete(id) }
	k.read = ends
	if left := k.sweep(); len(left) != 1 || left[0] != name {
		t.Fatalf("%q, and the write runs", left)
	}
	if commands := strings.Join(k.commands, " "); strings.Contains(commands, "update") {
		t.Fatalf("a write that runs was touched: %s", commands)
	}
	ends()
	if left := k.sweep(); len(left) != 0 {
		t.Fatalf("%q", left)
	}
}

// Two writers find the same dead one, and one is slower: what its update creates on
// such a server does not stay, and that the other has dropped it is no error.
func TestSweepOfAWriteThatAnotherSweeps(t *testing.T) {
	k := newCatalog(t)
	id := bson.NewObjectID()
	name := prefix + id.Hex() + markerSuffix
	k.collections[name] = marker{ID: id, Kind: kindStage, Target: "c", State: open, Beat: time.Now().Add(-2 * lease)}
	k.read = func() { delete(k.collections, name) }
	if left := k.sweep(); len(left) != 0 {
		t.Fatalf("%q", left)
	}
	if commands := strings.Join(k.commands, " "); !strings.Contains(commands, "update") {
		t.Fatalf("nobody tried: %s", commands)
	}
}

// A drop that somebody else was quicker with has done what it should.
func TestDropOfWhatIsGone(t *testing.T) {
	k := newCatalog(t)
	s, err := connect(t.Context(), &Options{URI: k.uri()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.disconnect()
	if err := s.drop(t.Context(), prefix+"gone"); err != nil {
		t.Fatal(err)
	}
}

// A marker that is on its way has its collection first.
func TestSweepLeavesAMarkerThatMayCome(t *testing.T) {
	k := newCatalog(t)
	fresh := prefix + bson.NewObjectID().Hex() + markerSuffix
	old := prefix + bson.NewObjectIDFromTimestamp(time.Now().Add(-2*lease)).Hex() + markerSuffix
	k.collections[fresh], k.collections[old] = nil, nil
	if left := k.sweep(); len(left) != 1 || left[0] != fresh {
		t.Fatalf("%q", left)
	}
}
