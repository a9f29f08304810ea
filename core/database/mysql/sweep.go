package mysql

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"regexp"
)

// hidden are the names of one write.
type hidden struct{ id string }

func newHidden() hidden {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // which never fails
	return hidden{hex.EncodeToString(b)}
}

func (h hidden) lock() string             { return "atio_" + h.id }
func (h hidden) table(kind string) string { return "_atio_" + h.id + "_" + kind }

// Kinds of hidden tables.
const (
	newKind   = "new"   // what is to take the place of the target
	oldKind   = "old"   // what it replaced, to be dropped
	stageKind = "stage" // temporary: rows of an upsert
	logKind   = "log"   // tells that a transaction took place
)

var hiddenName = regexp.MustCompile(`^_atio_([0-9a-f]{16})_(new|old|log)$`)

// sweep drops the hidden tables of writers that have died.
func sweep(ctx context.Context, c *connection, schema string) error {
	rows, err := c.query(ctx, "look for what earlier writes have left",
		`SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME LIKE '\_atio\_%'`, schema)
	if err != nil {
		return err
	}
	for _, row := range rows {
		m := hiddenName.FindStringSubmatch(row[0])
		if m == nil {
			continue
		}
		name := hidden{m[1]}.lock()
		free, err := c.lock(ctx, name, 0)
		if err != nil {
			return err
		}
		if !free {
			continue
		}
		// What may not be dropped by this user stays for one who may.
		err = c.exec(ctx, "drop what an earlier write has left", "DROP TABLE IF EXISTS "+table{schema, row[0]}.String())
		if err != nil && (isLost(err) || ctx.Err() != nil) {
			return err
		}
		if _, err := c.query(ctx, "release a lock", "SELECT RELEASE_LOCK(?)", name); err != nil {
			return err
		}
	}
	return nil
}
