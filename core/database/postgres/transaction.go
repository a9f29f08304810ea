package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seojaeohcode/atio/core/database"
	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/pgcopy"
	"github.com/seojaeohcode/atio/core/progress"
)

// transaction is one write under way.
type transaction struct {
	ctx      context.Context
	cancel   context.CancelFunc
	o        *Options
	config   *pgconn.Config
	conn     *connection
	progress *progress.Counter

	wanted  table // as the caller names it
	into    table // what is copied into: the table, one to be swapped in, or a stage
	target  table // of an upsert, what the stage goes into
	names   []string
	created bool // into is new
	xid     string

	encoder *pgcopy.Encoder
	pipe    *io.PipeWriter
	copied  chan struct{} // closed when the copy has ended
	copyErr error
	stop    func() bool

	rows, bytes int64
	ended       bool
}

// Begin connects, prepares the table and starts to copy.
func (o *Options) Begin(ctx context.Context, schema *arrow.Schema, p *progress.Counter) (database.Transaction, error) {
	columns := o.Columns
	if columns == nil {
		var err error
		if columns, err = database.ColumnsFor(dialect, schema, typeFor); err != nil {
			return nil, err
		}
	}
	if err := o.check(columns); err != nil {
		return nil, err
	}
	config, err := o.config()
	if err != nil {
		return nil, err
	}
	p.Enter(progress.Encoding)
	t := &transaction{o: o, config: config, progress: p, wanted: table{o.Schema, o.Table}}
	for _, f := range schema.Fields() {
		t.names = append(t.names, f.Name)
	}
	if t.conn, err = connect(ctx, config); err != nil {
		return nil, err
	}
	t.ctx, t.cancel = context.WithCancel(ctx)
	if err := t.begin(schema, columns); err != nil {
		t.Abort()
		return nil, err
	}
	return t, nil
}

func (t *transaction) begin(schema *arrow.Schema, columns []database.Column) error {
	// Each statement has to see what other writers, whom it has waited for, have made.
	if err := t.conn.exec(t.ctx, "begin", "BEGIN ISOLATION LEVEL READ COMMITTED"); err != nil {
		return err
	}
	if err := t.settle(); err != nil {
		return err
	}
	if err := t.prepare(columns); err != nil {
		return err
	}
	target, err := columnsOf(t.ctx, t.conn, t.into, t.names)
	if err != nil {
		return err
	}
	o := &pgcopy.Options{Columns: target, NaNIsNull: t.o.NaNIsNull}
	if err := o.Check(schema); err != nil {
		return err
	}
	return t.copy(o)
}

// settle makes the session what the caller's are.
func (t *transaction) settle() error {
	if t.o.Role != "" {
		if err := t.conn.exec(t.ctx, "set the role", "SET LOCAL ROLE "+quote(t.o.Role)); err != nil {
			return err
		}
	}
	for name, value := range t.o.Settings {
		if _, err := t.conn.query(t.ctx, "set "+name, "SELECT pg_catalog.set_config($1, $2, true)", name, value); err != nil {
			return err
		}
	}
	if t.o.SkipSync {
		return t.conn.exec(t.ctx, "set synchronous_commit", "SET LOCAL synchronous_commit = off")
	}
	return nil
}

// prepare decides what is copied into, and creates it if it has to.
func (t *transaction) prepare(columns []database.Column) error {
	if t.o.Mode == database.Replace {
		t.into = table{t.o.Schema, hiddenName()}
		return t.create(columns)
	}
	there, err := find(t.ctx, t.conn, t.wanted)
	if err == nil && there == nil {
		// Of all who find none, one creates it, and the others find it then.
		if err = t.lock(); err == nil {
			there, err = find(t.ctx, t.conn, t.wanted)
		}
	}
	switch {
	case err != nil:
		return err
	case there == nil:
		t.into = t.wanted
		return t.create(columns)
	case t.o.Mode == database.Fail:
		return &database.ExistsError{Table: t.o.Table}
	}
	if err := there.takesCopy(); err != nil {
		return err
	}
	t.into = there.table
	switch t.o.Mode {
	case database.Delete:
		return t.conn.exec(t.ctx, "delete the rows", "DELETE FROM "+there.String())
	case database.Upsert:
		t.target, t.into = there.table, table{"pg_temp", hiddenName()}
		if _, err := columnsOf(t.ctx, t.conn, t.target, t.names); err != nil {
			return err
		}
		return t.conn.exec(t.ctx, "create a temporary table", fmt.Sprintf("CREATE TEMPORARY TABLE %s ON COMMIT DROP AS SELECT %s FROM %s WITH NO DATA",
			quote(t.into.name), quoteAll(t.names), there))
	}
	return nil
}

// lock has writers of one table take turns in creating or replacing it.
func (t *transaction) lock() error {
	_, err := t.conn.query(t.ctx, "wait for other writers", `
		SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(
			'atio ' || COALESCE(NULLIF($2, ''), pg_catalog.current_schema()::text) || '.' || $1, 0))`, t.o.Table, t.o.Schema)
	return err
}

func (t *transaction) create(columns []database.Column) error {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = quote(c.Name) + " " + c.SQL
	}
	if t.o.Mode == database.Upsert {
		parts = append(parts, "PRIMARY KEY ("+quoteAll(t.o.Key)+")")
	}
	t.created = true
	return t.conn.exec(t.ctx, "create the table", fmt.Sprintf("CREATE TABLE %s (%s)", t.into, strings.Join(parts, ", ")))
}

// hiddenName is a name that nobody else uses.
func hiddenName() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // which never fails
	return ".atio_" + hex.EncodeToString(b)
}

// copy starts the COPY, which reads what the encoder writes.
func (t *transaction) copy(o *pgcopy.Options) error {
	names := make([]string, len(o.Columns))
	for i, c := range o.Columns {
		names[i] = c.Name
	}
	options := "FORMAT binary"
	if t.created {
		options += ", FREEZE"
	}
	sql := fmt.Sprintf("COPY %s (%s) FROM STDIN WITH (%s)", t.into, quoteAll(names), options)
	from, to := io.Pipe()
	t.pipe, t.copied = to, make(chan struct{})
	t.stop = context.AfterFunc(t.ctx, func() { _ = to.CloseWithError(context.Cause(t.ctx)) })
	go func() {
		defer close(t.copied)
		defer func() {
			if r := recover(); r != nil {
				t.copyErr = &encode.PanicError{Value: r, Stack: debug.Stack()}
			}
			_ = from.CloseWithError(errCopyEnded)
		}()
		_, err := t.conn.CopyFrom(t.ctx, from, sql)
		t.copyErr = t.conn.failure(t.ctx, "copy", err)
	}()
	var err error
	t.encoder, err = pgcopy.NewEncoder(t.ctx, to, o, encode.Env{Progress: t.progress})
	return t.cause(err)
}

var errCopyEnded = errors.New("the copy has ended")

// cause is why the encoder failed with err: because the copy did, perhaps.
func (t *transaction) cause(err error) error {
	if errors.Is(err, errCopyEnded) || errors.Is(err, io.ErrClosedPipe) {
		<-t.copied
		if t.copyErr != nil {
			return t.copyErr
		}
	}
	return err
}

// Write encodes a batch, which is sent while the next one is encoded.
func (t *transaction) Write(batch arrow.RecordBatch) error {
	if t.ctx.Err() != nil {
		return context.Cause(t.ctx)
	}
	return t.cause(t.encoder.Write(batch))
}

// Finish waits for the server to have all rows, and does all that comes after
// them but the commit.
func (t *transaction) Finish() error {
	if err := t.cause(t.encoder.Close()); err != nil {
		return err
	}
	_ = t.pipe.Close()
	<-t.copied
	if t.copyErr != nil {
		return t.copyErr
	}
	t.rows = t.encoder.Rows()
	t.bytes = t.progress.Snapshot().Bytes
	t.progress.Enter(progress.Publishing)
	if t.target.name != "" {
		if err := t.merge(); err != nil {
			return err
		}
	}
	if t.created {
		if err := t.finishNew(); err != nil {
			return err
		}
	}
	rows, err := t.conn.query(t.ctx, "ask for the transaction's number", "SELECT "+t.conn.numbers().current)
	if err != nil {
		return err
	}
	t.xid = rows[0][0]
	return nil
}

// merge puts the rows of the stage into the table of an upsert.
func (t *transaction) merge() error {
	var set []string
	for _, name := range t.names {
		if !slices.Contains(t.o.Key, name) {
			set = append(set, quote(name)+" = EXCLUDED."+quote(name))
		}
	}
	action := "NOTHING"
	if len(set) > 0 {
		action = "UPDATE SET " + strings.Join(set, ", ")
	}
	names := quoteAll(t.names)
	return t.conn.exec(t.ctx, "upsert", fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s ON CONFLICT (%s) DO %s",
		t.target, names, names, t.into, quoteAll(t.o.Key), action))
}

// Abort undoes everything.
func (t *transaction) Abort() {
	if t.ended {
		return
	}
	t.ended = true
	t.cancel() // so that a copy under way does not wait for a server that is gone
	if t.pipe != nil {
		_ = t.pipe.CloseWithError(errAborted)
		t.stop()
		<-t.copied // which ends, as its input has
	}
	if t.encoder != nil {
		t.encoder.Discard()
	}
	if !t.conn.IsClosed() {
		ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
		_, _ = t.conn.Exec(ctx, "ROLLBACK").ReadAll()
		cancel()
	}
	t.conn.end()
}

var errAborted = errors.New("the write was aborted")
