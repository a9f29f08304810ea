package mongodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/seojaeohcode/atio/core/database"
)

// staged fills a collection beside the target, which then takes its place.
type staged struct {
	s      *server
	target string
	mode   database.Mode
	claim  *claim
	data   string // name of the collection
	old    *found // what it replaces, may be nil
	docs   *documents
	lost   context.CancelCauseFunc
}

// destination decides how documents get into a collection.
func (s *server) destination(ctx context.Context, target string, mode database.Mode, docs *documents) (destination, error) {
	if err := s.sweep(ctx); err != nil && !hasCode(err, codeUnauthorized) {
		return nil, s.stopped(ctx, "look for what earlier writes have left", err)
	}
	old, err := s.find(ctx, target)
	if err != nil {
		return nil, s.stopped(ctx, "look for the collection", err)
	}
	if old != nil {
		if mode == database.Fail {
			return nil, s.exists(target)
		}
		if old.Type != "" && old.Type != "collection" {
			return nil, &database.ServerError{Op: "look at the collection", Code: old.Type,
				Message: fmt.Sprintf("%q is a %s, and only collections can be written to", target, old.Type)}
		}
		if mode == database.Append {
			return &appended{s: s, target: target, docs: docs}, nil
		}
	}
	d := &staged{s: s, target: target, mode: mode, old: old, docs: docs, lost: func(error) {}}
	m := marker{ID: docs.ids.write(s.now()), Kind: kindStage, Target: target}
	d.data = prefix + m.ID.Hex() + dataSuffix
	if d.claim, err = s.claim(ctx, m, func(err error) { d.lost(err) }); err != nil {
		return nil, s.stopped(ctx, "mark the write", err)
	}
	if err := d.create(ctx); err != nil {
		d.undo()
		return nil, s.stopped(ctx, "create the new collection", err)
	}
	return d, nil
}

// stopped is a failure, or the reason for which the caller has ended the write.
func (s *server) stopped(ctx context.Context, op string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return s.failure(op, err)
}

func (s *server) exists(target string) error {
	return &database.ExistsError{Table: target}
}

func (d *staged) onLost(f context.CancelCauseFunc) { d.lost = f }

func (d *staged) undo() {
	ctx, cancel := context.WithTimeout(context.Background(), undoTime)
	defer cancel()
	d.abort(ctx)
}

// create creates the collection with the options of the one that it replaces, for
// its documents to be as valid.
func (d *staged) create(ctx context.Context) error {
	command := bson.D{{Key: "create", Value: d.data}}
	if d.old != nil && len(d.old.Options) > 0 {
		elements, err := d.old.Options.Elements()
		if err != nil {
			return err
		}
		for _, e := range elements {
			command = append(command, bson.E{Key: e.Key(), Value: e.Value()})
		}
	}
	return d.s.db.RunCommand(ctx, command).Err()
}

func (d *staged) collection() string { return d.data }

func (d *staged) insert(ctx context.Context, c *command) (bool, error) {
	return false, d.s.stoppedInsert(ctx, d.s.insert(ctx, c))
}

// stoppedInsert is what is told of the failure of an insert.
func (s *server) stoppedInsert(ctx context.Context, err error) error {
	var known *database.ServerError
	if err == nil || errors.As(err, &known) {
		return err
	}
	return s.stopped(ctx, "insert documents", err)
}

// finish makes the indexes of the collection that is replaced, and counts.
func (d *staged) finish(ctx context.Context, documents int64) error {
	if d.old != nil {
		if err := d.copyIndexes(ctx); err != nil {
			return d.s.stopped(ctx, "create the indexes of the old collection on the new one", err)
		}
	}
	return d.s.count(ctx, d.data, []bson.D{{}}, documents)
}

func (d *staged) copyIndexes(ctx context.Context) error {
	cursor, err := d.s.db.Collection(d.target).Indexes().List(ctx)
	if hasCode(err, codeNamespaceNotFound) {
		return nil // dropped meanwhile
	}
	if err != nil {
		return err
	}
	defer cursor.Close(ctx)
	var indexes bson.A
	for cursor.Next(ctx) {
		var index bson.D
		if err := cursor.Decode(&index); err != nil {
			return err
		}
		kept := index[:0]
		own := false
		for _, e := range index {
			own = own || (e.Key == "name" && e.Value == "_id_")
			if e.Key != "ns" {
				kept = append(kept, e)
			}
		}
		if !own {
			indexes = append(indexes, kept)
		}
	}
	if err := cursor.Err(); err != nil || len(indexes) == 0 {
		return err
	}
	return d.s.db.RunCommand(ctx, bson.D{{Key: "createIndexes", Value: d.data}, {Key: "indexes", Value: indexes}}).Err()
}

// count makes sure that all documents are there which are to be: the server may
// have lost some with a primary that was not followed, or with the collection.
func (s *server) count(ctx context.Context, collection string, filters []bson.D, documents int64) error {
	var n int64
	for _, filter := range filters {
		some, err := s.db.Collection(collection).CountDocuments(ctx, filter)
		if err != nil {
			return s.stopped(ctx, "count the documents", err)
		}
		n += some
	}
	if n != documents {
		return fmt.Errorf("%w: %d of the %d documents are there: the collection was replaced, or the server has lost some by a failover. "+
			"Nothing was changed; write again", database.ErrConflict, n, documents)
	}
	return nil
}

// commit renames, which on a server of MongoDB is atomic
// (https://www.mongodb.com/docs/manual/reference/command/renameCollection).
func (d *staged) commit(ctx context.Context) error {
	err := d.rename(ctx)
	if err != nil && d.s.isLost(err) {
		err = d.outcome(err)
	}
	switch {
	case err == nil:
		// Whatever becomes of the marker: without its collection it means nothing.
		_ = d.claim.release(ctx)
		return nil
	case hasCode(err, codeNamespaceExists) && d.mode == database.Append:
		return d.merge(ctx)
	case hasCode(err, codeNamespaceExists) && d.mode == database.Fail:
		return d.s.exists(d.target)
	case hasCode(err, codeNamespaceNotFound):
		return fmt.Errorf("%w: %w", database.ErrConflict, errRemoved)
	}
	var unknown *database.UnknownError
	if errors.As(err, &unknown) {
		return err
	}
	return d.s.failure("rename the new collection", err)
}

func (d *staged) rename(ctx context.Context) error {
	return d.move(ctx, d.target, d.mode == database.Replace)
}

func (d *staged) move(ctx context.Context, to string, dropTarget bool) error {
	name := d.s.db.Name() + "."
	return d.s.admin(ctx, bson.D{
		{Key: "renameCollection", Value: name + d.data}, {Key: "to", Value: name + to},
		{Key: "dropTarget", Value: dropTarget}, {Key: "writeConcern", Value: d.s.concern},
	})
}

// outcome finds out what became of a rename whose answer was lost, by taking the
// collection out of its reach: if that succeeds it has not taken place and never
// will; if there is none any more, it has.
func (d *staged) outcome(lost error) error {
	ctx, cancel := context.WithTimeout(context.Background(), commitTime)
	defer cancel()
	away := prefix + d.claim.id.Hex() + goneSuffix
	var err error
	for pause := 100 * time.Millisecond; ctx.Err() == nil; pause = min(2*pause, 2*time.Second) {
		err = d.move(ctx, away, true)
		if err == nil {
			_ = d.s.drop(ctx, away)
			return lost
		}
		if hasCode(err, codeNamespaceNotFound) || isSourceMissing(err) {
			gone, err := d.s.find(ctx, away)
			if err == nil && gone != nil { // an earlier attempt whose answer was lost too
				_ = d.s.drop(ctx, away)
				return lost
			}
			if err == nil {
				return nil
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	return &database.UnknownError{
		Server: d.s.name, Transaction: d.claim.id.Hex(), Err: database.Redacted(lost, d.s.secrets...),
		Advice: fmt.Sprintf("look whether collection %q holds the new documents before writing them again", d.target),
	}
}

// isSourceMissing recognizes what servers that are not MongoDB's answer for want
// of a code.
func isSourceMissing(err error) bool {
	var e mongo.CommandError
	return errors.As(err, &e) && e.Message == "source namespace does not exist"
}

// merge appends the documents to a collection that another write has created in
// the meantime.
func (d *staged) merge(ctx context.Context) error {
	a := &appended{s: d.s, target: d.target, docs: d.docs}
	if err := d.copyTo(ctx, a); err != nil {
		a.abort(ctx)
		return err
	}
	d.abort(ctx)
	return nil
}

func (d *staged) copyTo(ctx context.Context, a *appended) error {
	cursor, err := d.s.db.Collection(d.data).Find(ctx, bson.D{})
	if err != nil {
		return d.s.failure("read the new documents back", err)
	}
	defer cursor.Close(ctx)
	c := newCommand(nil, d.target, 0)
	send := func() error {
		row := c.row + int64(c.n)
		c.seal()
		_, err := a.insert(ctx, c)
		c = newCommand(nil, d.target, row)
		return err
	}
	for cursor.Next(ctx) {
		if c.n > 0 && (c.isFull() || len(c.body)+len(cursor.Current) > maxCommand) {
			if err := send(); err != nil {
				return err
			}
		}
		c.addRaw(cursor.Current)
	}
	if err := cursor.Err(); err != nil {
		return d.s.failure("read the new documents back", err)
	}
	if c.n > 0 {
		if err := send(); err != nil {
			return err
		}
	}
	if err := a.finish(ctx, d.docs.rows); err != nil {
		return err
	}
	return a.commit(ctx)
}

func (d *staged) abort(ctx context.Context) {
	if d.s.drop(ctx, d.data) != nil {
		d.claim.end() // the next write finds the marker
		return
	}
	_ = d.claim.release(ctx)
}

func (d *staged) leave() { d.claim.end() }
