package mongodb

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/seojaeohcode/atio/core/database"
)

// TransactionBytes is how large an append may be to go in one transaction: these
// are for little data, as a server ends them after a minute and keeps them in its
// cache until then (https://www.mongodb.com/docs/manual/core/transactions-production-consideration).
// The documents are kept in memory, as a transaction that collides with another
// one has to be begun again.
const TransactionBytes = 32 << 20

// appended adds documents to a collection that there is: in a transaction, or
// under a marker.
type appended struct {
	s      *server
	target string
	docs   *documents
	lost   context.CancelCauseFunc

	// In a transaction.
	kept      []*command
	keptBytes int
	session   *mongo.Session

	// Under a marker.
	claim  *claim
	marker marker
}

func (a *appended) collection() string { return a.target }

func (a *appended) onLost(f context.CancelCauseFunc) { a.lost = f }

func (a *appended) insert(ctx context.Context, c *command) (keeps bool, err error) {
	if a.claim == nil {
		if a.s.transactions && a.keptBytes+len(c.body) <= TransactionBytes {
			a.kept = append(a.kept, c)
			a.keptBytes += len(c.body)
			return true, nil
		}
		if err := a.mark(ctx); err != nil {
			return false, err
		}
		for _, k := range a.kept {
			if err := a.insertMarked(ctx, k); err != nil {
				return false, err
			}
		}
		a.kept = nil
	}
	return false, a.insertMarked(ctx, c)
}

// mark leaves the marker by which the documents can be removed.
func (a *appended) mark(ctx context.Context) error {
	a.marker = marker{ID: a.docs.ids.write(a.s.now()), Kind: kindAppend, Target: a.target, First: a.docs.ids.at(0)}
	if a.docs.id < 0 {
		a.marker.Spans = 1
	}
	var err error
	a.claim, err = a.s.claim(ctx, a.marker, func(err error) {
		if a.lost != nil {
			a.lost(err)
		}
	})
	if err != nil {
		return a.s.stopped(ctx, "mark the write", err)
	}
	return nil
}

func (a *appended) insertMarked(ctx context.Context, c *command) error {
	if a.marker.Spans == 0 {
		marked, err := c.marked(a.target, markOf(a.marker.ID))
		if err != nil {
			return err
		}
		return a.s.stoppedInsert(ctx, a.s.insert(ctx, marked))
	}
	// Identifiers go in order, so that rows tell which there are.
	if spans := int((c.row+int64(c.n)-1)/perSecond) + 1; spans > a.marker.Spans {
		if err := a.claim.set(ctx, bson.D{{Key: "spans", Value: spans}}, nil); err != nil {
			return a.s.stopped(ctx, "mark the write", err)
		}
		a.marker.Spans = spans
	}
	return a.s.stoppedInsert(ctx, a.s.insert(ctx, c))
}

func (a *appended) finish(ctx context.Context, documents int64) error {
	if a.claim != nil {
		return a.s.count(ctx, a.target, a.marker.filters(), documents)
	}
	if len(a.kept) == 0 {
		return nil // nothing to add
	}
	err := a.transact(ctx)
	for attempt := 0; attempt < 30 && hasLabel(err, "TransientTransactionError") && ctx.Err() == nil; attempt++ {
		select {
		case <-time.After(rand.N(10 * time.Millisecond << min(attempt, 7))):
		case <-ctx.Done():
		}
		err = a.transact(ctx)
	}
	return a.s.stoppedInsert(ctx, err)
}

// transact begins a transaction and inserts all that is kept.
func (a *appended) transact(ctx context.Context) error {
	a.endSession(ctx)
	var err error
	if a.session, err = a.s.client.StartSession(); err != nil {
		return err
	}
	if err := a.session.StartTransaction(options.Transaction()); err != nil {
		return err
	}
	inside := mongo.NewSessionContext(ctx, a.session)
	for _, c := range a.kept {
		if err := a.s.insert(inside, c); err != nil {
			return err
		}
	}
	return nil
}

func (a *appended) endSession(ctx context.Context) {
	if a.session != nil {
		_ = a.session.AbortTransaction(ctx) // which ends with its session, come what may
		a.session.EndSession(ctx)
		a.session = nil
	}
}

func (a *appended) commit(ctx context.Context) error {
	if a.claim != nil {
		return a.commitMarked(ctx)
	}
	if a.session == nil {
		return nil
	}
	var err error
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err = a.session.CommitTransaction(ctx)
		if hasLabel(err, "TransientTransactionError") && ctx.Err() == nil {
			// It has not taken place: another one was in its way.
			if err = a.transact(ctx); err == nil || hasLabel(err, "TransientTransactionError") {
				continue
			}
			return a.s.stoppedInsert(ctx, err)
		}
		// The command may be repeated: the server knows the transaction.
		if !hasLabel(err, "UnknownTransactionCommitResult") || ctx.Err() != nil {
			break
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	if err == nil {
		a.session.EndSession(ctx)
		a.session = nil
		return nil
	}
	if hasLabel(err, "UnknownTransactionCommitResult") || a.s.isLost(err) {
		return a.unknown(err)
	}
	return a.s.failure("commit", err)
}

func hasLabel(err error, label string) bool {
	var e mongo.LabeledError
	return errors.As(err, &e) && e.HasErrorLabel(label)
}

func (a *appended) unknown(err error) error {
	id := a.docs.ids.at(0)
	advice := fmt.Sprintf("look in collection %q for a document with the _id ObjectId(%q) before writing again", a.target, id.Hex())
	if a.docs.id >= 0 {
		advice = fmt.Sprintf("look in collection %q for the identifiers of the documents before writing again", a.target)
	}
	return &database.UnknownError{Server: a.s.name, Transaction: id.Hex(), Err: database.Redacted(err, a.s.secrets...), Advice: advice}
}

// commitMarked has the marker say that the documents stay.
func (a *appended) commitMarked(ctx context.Context) error {
	err := a.claim.set(ctx, bson.D{{Key: "state", Value: committed}}, a.s.concern)
	if err != nil && a.s.isLost(err) {
		err = a.outcome(err)
	}
	var unknown *database.UnknownError
	switch {
	case err == nil:
	case errors.As(err, &unknown):
		return err
	case errors.Is(err, errRemoved):
		return fmt.Errorf("%w: %w", database.ErrConflict, errRemoved)
	default:
		return a.s.failure("commit", err)
	}
	// From here on the documents are there for good. If the rest fails, the next
	// write does it.
	a.marker.State = committed
	if a.s.conclude(ctx, &a.marker) != nil {
		a.claim.end()
		return nil
	}
	_ = a.claim.release(ctx)
	return nil
}

// outcome finds out what became of a commit whose answer was lost, by making it
// impossible: either that succeeds, or the commit has taken place.
func (a *appended) outcome(lost error) error {
	ctx, cancel := context.WithTimeout(context.Background(), commitTime)
	defer cancel()
	for pause := 100 * time.Millisecond; ctx.Err() == nil; pause = min(2*pause, 2*time.Second) {
		err := a.claim.set(ctx, bson.D{{Key: "state", Value: aborted}}, a.s.concern)
		if err == nil {
			return lost
		}
		if errors.Is(err, errRemoved) {
			var m marker
			err := a.claim.marker.FindOne(ctx, bson.D{{Key: "_id", Value: a.claim.id}}).Decode(&m)
			switch {
			case err == nil && m.State == committed:
				return nil
			case err == nil, errors.Is(err, mongo.ErrNoDocuments):
				return lost
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	return a.unknown(lost)
}

func (a *appended) abort(ctx context.Context) {
	a.endSession(ctx)
	if a.claim == nil || a.marker.State == committed {
		return
	}
	err := a.claim.set(ctx, bson.D{{Key: "state", Value: aborted}}, nil)
	if err == nil || errors.Is(err, errRemoved) {
		err = a.s.conclude(ctx, &a.marker)
	}
	if err != nil {
		a.claim.end() // the next write finds the marker
		return
	}
	_ = a.claim.release(ctx)
}

func (a *appended) leave() {
	if a.claim != nil {
		a.claim.end()
	}
}
