package postgres

import (
	"errors"
	"fmt"
	"time"

	"github.com/seojaeohcode/atio/core/database"
)

const (
	// lockTimeout is how long readers that come meanwhile have to wait for a swap
	// that waits for older readers.
	lockTimeout = 100 * time.Millisecond
	// lockPatience is how long a swap lets others go first.
	lockPatience = 60 * time.Second
)

// finishNew makes the indexes of a new table, and swaps it in if it is to replace
// another.
func (t *transaction) finishNew() error {
	names := make([]string, len(t.o.Indexes))
	for i, index := range t.o.Indexes {
		names[i] = index.Name
		if t.o.Mode == database.Replace {
			names[i] = fmt.Sprintf("%s_%d", t.into.name, i)
		}
		sql := fmt.Sprintf("CREATE INDEX %s ON %s (%s)", quote(names[i]), t.into, quoteAll(index.Columns))
		if err := t.conn.exec(t.ctx, "create an index", sql); err != nil {
			return err
		}
	}
	if t.o.Mode != database.Replace {
		return nil
	}
	if err := t.drop(); err != nil {
		return err
	}
	if err := t.rename("TABLE", t.into.name, t.o.Table); err != nil {
		return err
	}
	for i, index := range t.o.Indexes {
		if err := t.rename("INDEX", names[i], index.Name); err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) rename(what, from, to string) error {
	return t.conn.exec(t.ctx, "rename the new table", fmt.Sprintf("ALTER %s %s RENAME TO %s", what, table{t.o.Schema, from}, quote(to)))
}

// drop removes the table that is replaced, if there is one. It lets readers go
// first who would otherwise wait behind it for older ones.
func (t *transaction) drop() error {
	if err := t.lock(); err != nil {
		return err
	}
	for began := time.Now(); ; {
		there, err := find(t.ctx, t.conn, t.wanted)
		if err != nil || there == nil {
			return err
		}
		limit := lockTimeout
		if time.Since(began) > lockPatience || there.kind != "r" && there.kind != "p" {
			limit = 0 // none
		}
		err = t.conn.exec(t.ctx, "replace the table", fmt.Sprintf(
			"SAVEPOINT atio; SET LOCAL lock_timeout = %d; DROP TABLE %s; RELEASE atio", limit.Milliseconds(), there))
		var server *database.ServerError
		if err == nil || !errors.As(err, &server) || server.Code != lockNotAvailable && server.Code != deadlockDetected && server.Code != undefinedTable {
			return err
		}
		if err := t.conn.exec(t.ctx, "replace the table", "ROLLBACK TO atio; RELEASE atio"); err != nil {
			return err
		}
		select {
		case <-t.ctx.Done():
		case <-time.After(lockTimeout):
		}
	}
}

// SQLSTATEs after which another attempt may succeed.
const (
	lockNotAvailable = "55P03"
	deadlockDetected = "40P01"
	undefinedTable   = "42P01"
)
