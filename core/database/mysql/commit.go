package mysql

import (
	"context"
	"fmt"
	"time"

	"github.com/seojaeohcode/atio/core/database"
)

// How long the steps may take that go on when the caller has given up.
const (
	commitTime  = 10 * time.Minute // a rename waits for readers of the old table
	outcomeTime = 30 * time.Second
)

// Commit makes all rows visible: by a commit, or by putting the new table into its
// place.
func (t *transaction) Commit() (database.Result, error) {
	if t.ctx.Err() != nil {
		return database.Result{}, context.Cause(t.ctx)
	}
	// From here on it is the server that decides.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), commitTime)
	defer cancel()
	var err error
	if t.created {
		err = t.rename(ctx)
	} else {
		err = t.conn.exec(ctx, "commit", "COMMIT")
	}
	if err != nil && isLost(err) {
		t.conn.end()
		t.ended = true
		if err = t.outcome(err); err != nil {
			return database.Result{}, err
		}
		return t.result(), nil
	}
	if err != nil {
		return database.Result{}, err
	}
	t.ended = true
	t.clean(ctx, t.conn)
	t.conn.end()
	return t.result(), nil
}

func (t *transaction) result() database.Result { return database.Result{Rows: t.rows, Bytes: t.bytes} }

// rename puts the new table into its place. That waits for those who use the old
// one, and others who come meanwhile wait behind it; so it lets them go first
// again and again.
func (t *transaction) rename(ctx context.Context) error {
	old := table{t.wanted.schema, t.hidden.table(oldKind)}
	patience := time.Now().Add(time.Minute)
	for {
		there, err := find(ctx, t.conn, t.wanted)
		if err != nil {
			return err
		}
		seconds := 1
		if time.Now().After(patience) {
			seconds = 3600
		}
		if err := t.conn.exec(ctx, "set up the session", fmt.Sprintf("SET SESSION lock_wait_timeout = %d", seconds)); err != nil {
			return err
		}
		t.old = there
		switch {
		case there == nil:
			err = t.conn.exec(ctx, "rename the new table", fmt.Sprintf("RENAME TABLE %s TO %s", t.target, t.wanted))
		case t.o.Mode == database.Fail:
			return &database.ExistsError{Table: t.o.Table}
		case t.o.Mode != database.Replace:
			return t.moveRows(ctx, there)
		default:
			err = t.conn.exec(ctx, "rename the new table", fmt.Sprintf("RENAME TABLE %s TO %s, %s TO %s", there.table, old, t.target, t.wanted))
		}
		// Another writer was quicker, or readers were slow.
		if err == nil || !hasNumber(err, errTableExists, errNoTable, errLockTimeout) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

const errLockTimeout = 1205

// moveRows adds the rows of the new table to one that another writer has created
// meanwhile.
func (t *transaction) moveRows(ctx context.Context, there *relation) error {
	if err := there.takesRows(ctx, t.conn); err != nil {
		return err
	}
	if err := t.conn.exec(ctx, "set up the session", "SET SESSION unique_checks = 1, foreign_key_checks = 1"); err != nil {
		return err
	}
	if err := t.conn.exec(ctx, "begin", "START TRANSACTION"); err != nil {
		return err
	}
	if t.o.Mode == database.Delete {
		if err := t.conn.exec(ctx, "delete the rows", "DELETE FROM "+there.String()); err != nil {
			return err
		}
	}
	if t.o.Mode == database.Upsert {
		if err := checkKey(ctx, t.conn, there.table, t.o.Key, t.names); err != nil {
			return err
		}
		from := t.target
		t.into, t.target = from, there.table
		err := t.merge()
		t.target = from
		if err != nil {
			return err
		}
	} else {
		names := quoteAll(t.own)
		sql := fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s", there, names, names, t.target)
		if err := t.conn.exec(ctx, "add the rows", sql); err != nil {
			return err
		}
	}
	return t.conn.exec(ctx, "commit", "COMMIT")
}

// clean drops what is hidden. What cannot be dropped the next write finds.
func (t *transaction) clean(ctx context.Context, c *connection) {
	kinds := []string{newKind, oldKind}
	if !t.created {
		kinds = []string{logKind}
		if !t.logged {
			return
		}
	}
	for _, kind := range kinds {
		_ = c.exec(ctx, "drop a hidden table", "DROP TABLE IF EXISTS "+table{t.wanted.schema, t.hidden.table(kind)}.String())
	}
}

// outcome finds out what became of a commit whose answer was lost, when the
// session has ended: its lock is free then.
func (t *transaction) outcome(lost error) error {
	ctx, cancel := context.WithTimeout(context.Background(), outcomeTime)
	defer cancel()
	unknown := func(err error) error {
		return &database.UnknownError{Server: t.conn.server, Transaction: t.hidden.id, Err: err,
			Advice: fmt.Sprintf("look whether the rows are in table %s before writing them again", t.wanted)}
	}
	for pause := 50 * time.Millisecond; ctx.Err() == nil; pause = min(2*pause, time.Second) {
		c, err := connect(ctx, t.o, 5*time.Second)
		if err == nil {
			var free, committed, known bool
			if free, err = c.lock(ctx, t.hidden.lock(), 20); err == nil && free {
				if committed, known, err = t.look(ctx, c); err == nil {
					t.clean(ctx, c)
				}
			}
			c.end()
			switch {
			case err != nil || !free:
			case committed:
				return nil
			case known:
				return lost
			default:
				return unknown(lost)
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	return unknown(lost)
}

// look looks whether the write took place.
func (t *transaction) look(ctx context.Context, c *connection) (committed, known bool, err error) {
	is := func(kind string) bool {
		var r *relation
		if err == nil {
			r, err = find(ctx, c, table{t.wanted.schema, t.hidden.table(kind)})
		}
		return r != nil
	}
	if !t.created {
		if !t.logged || !is(logKind) || err != nil {
			return false, false, err
		}
		rows, err := c.query(ctx, "look at the log", "SELECT COUNT(*) FROM "+t.logTable().String())
		return err == nil && rows[0][0] == "1", err == nil, err
	}
	if t.old != nil && t.o.Mode != database.Replace {
		return false, false, nil // lost while rows were moved
	}
	switch {
	case is(newKind):
		return false, true, err
	case t.old != nil:
		return is(oldKind), false, err
	}
	there, err := find(ctx, c, t.wanted)
	return there != nil, there == nil, err
}

// undo undoes everything in the session of the write.
func (t *transaction) undo(ctx context.Context) error {
	if t.created { // what is in it needs no rollback, which takes longer than the drop
		return t.conn.exec(ctx, "drop the new table", "DROP TABLE IF EXISTS "+t.target.String())
	}
	if err := t.conn.exec(ctx, "roll back", "ROLLBACK"); err != nil {
		return err
	}
	t.clean(ctx, t.conn)
	return nil
}

// Abort undoes everything.
func (t *transaction) Abort() {
	if t.ended {
		return
	}
	t.ended = true
	if t.load != nil {
		t.load.abort()
	}
	if t.encoder != nil {
		t.encoder.Discard()
	}
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	err := t.undo(ctx)
	t.conn.end()
	if err == nil {
		return
	}
	if !t.created && !t.logged {
		return
	}
	c, err := connect(ctx, t.o, endTimeout)
	if err != nil {
		return
	}
	defer c.end()
	if free, err := c.lock(ctx, t.hidden.lock(), 2); err == nil && free {
		t.clean(ctx, c)
	}
}
