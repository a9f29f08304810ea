package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seojaeohcode/atio/core/database"
	"github.com/seojaeohcode/atio/core/progress"
)

const (
	// outcomeTimeout is how long it is tried to find out what became of a commit.
	outcomeTimeout = 30 * time.Second
	// outcomePatience is how long a session that does not know of its end is left
	// alone: the commit may still reach it.
	outcomePatience = 2 * time.Second
)

// Commit makes all rows visible.
func (t *transaction) Commit() (database.Result, error) {
	if t.ctx.Err() != nil {
		return database.Result{}, context.Cause(t.ctx)
	}
	results, err := t.conn.Exec(t.ctx, "COMMIT").ReadAll()
	result := database.Result{Rows: t.rows, Bytes: t.bytes}
	var pg *pgconn.PgError
	switch {
	case err == nil && len(results) == 1 && results[0].CommandTag.String() == "COMMIT":
	case err == nil: // the server rolled back
		return database.Result{}, &database.ServerError{Op: "commit", Code: "25P02", Message: "the transaction had failed and was rolled back"}
	case errors.As(err, &pg) && !isEnd(pg):
		return database.Result{}, t.conn.failure(t.ctx, "commit", err)
	default:
		if err := t.outcome(err); err != nil {
			return database.Result{}, err
		}
	}
	t.ended = true
	t.stop()
	t.cancel()
	t.conn.end()
	t.progress.Enter(progress.Done)
	return result, nil
}

// outcome asks what became of a commit whose answer was lost: nil if it took place.
func (t *transaction) outcome(lost error) error {
	lost = database.Redacted(lost, t.conn.secret)
	limit := t.o.OutcomeTimeout
	if limit == 0 {
		limit = outcomeTimeout
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	began, pid := time.Now(), t.conn.PID()
	for ctx.Err() == nil {
		switch t.ask(ctx, pid, time.Since(began) > outcomePatience) {
		case "committed":
			return nil
		case "aborted":
			if t.ctx.Err() != nil {
				return context.Cause(t.ctx)
			}
			return &database.LostError{Server: t.conn.server, Op: "commit", Err: lost}
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
	return &database.UnknownError{
		Server: t.conn.server, Transaction: t.xid, Err: lost,
		Advice: fmt.Sprintf("ask the server, when it answers again: SELECT "+t.conn.numbers().status, t.xid),
	}
}

// numbers are how a server tells the number of a transaction, and its status.
type numbers struct{ current, status string }

func (c *connection) numbers() numbers {
	if c.major() < 13 {
		return numbers{"pg_catalog.txid_current()", "pg_catalog.txid_status(%s)"}
	}
	return numbers{"pg_catalog.pg_current_xact_id()", "pg_catalog.pg_xact_status('%s')"}
}

// ask returns the status of the transaction, "" if the server does not tell. If
// it waits for a client that is gone, it is ended.
func (t *transaction) ask(ctx context.Context, pid uint32, impatient bool) string {
	c, err := connect(ctx, t.config)
	if err != nil {
		return ""
	}
	defer c.end()
	rows, err := c.query(ctx, "ask for the commit", fmt.Sprintf("SELECT "+c.numbers().status, t.xid))
	var server *database.ServerError
	switch {
	case errors.As(err, &server) && server.Code == "22023": // in the future: a crash lost all traces of it
		return "aborted"
	case err != nil:
		return ""
	case rows[0][0] == "in progress" && impatient:
		_, _ = c.query(ctx, "end the session", `
			SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
			WHERE pid = $1::int AND backend_xid = ($2::bigint % 4294967296)::text::xid`, fmt.Sprint(pid), t.xid)
	}
	return rows[0][0]
}
