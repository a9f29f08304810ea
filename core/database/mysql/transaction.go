package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/database"
	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/mysqltext"
	"github.com/seojaeohcode/atio/core/progress"
)

// transaction is one write under way.
type transaction struct {
	ctx      context.Context
	o        *Options
	conn     *connection
	progress *progress.Counter
	hidden   hidden

	wanted  table // as the caller names it
	target  table // what gets the rows in the end: the table, or one to be renamed
	into    table // what is loaded into: the target, or a stage
	old     *relation
	names   []string
	created bool // target is new, and to be renamed
	staged  bool // into is a temporary table
	logged  bool // there is a log table, with a row in the transaction

	encoder *mysqltext.Encoder
	load    *load
	columns []mysqltext.Column
	own     []string // names of the columns of the table

	rows, bytes int64
	ended       bool
}

// Begin connects, prepares the table and starts to load.
func (o *Options) Begin(ctx context.Context, schema *arrow.Schema, p *progress.Counter) (database.Transaction, error) {
	if schema.NumFields() == 0 {
		return nil, &encode.UnsupportedError{Format: dialect, Type: "no column", Reason: "a table has at least one"}
	}
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
	p.Enter(progress.Encoding)
	t := &transaction{ctx: ctx, o: o, progress: p, hidden: newHidden()}
	for _, f := range schema.Fields() {
		t.names = append(t.names, f.Name)
	}
	var err error
	if t.conn, err = connect(ctx, o, o.ConnectTimeout); err != nil {
		return nil, err
	}
	if err := t.begin(schema, columns); err != nil {
		t.Abort()
		return nil, err
	}
	return t, nil
}

func (t *transaction) begin(schema *arrow.Schema, columns []database.Column) error {
	rows, err := t.conn.query(t.ctx, "look at the session", "SELECT COALESCE(DATABASE(), ''), @@local_infile")
	if err != nil {
		return err
	}
	t.wanted = table{t.o.Schema, t.o.Table}
	if t.wanted.schema == "" {
		if t.wanted.schema = rows[0][0]; t.wanted.schema == "" {
			return &database.ServerError{Op: "look at the session", Code: "1046", Message: "No database selected"}
		}
	}
	if _, err := t.conn.lock(t.ctx, t.hidden.lock(), 0); err != nil {
		return err
	}
	if err := sweep(t.ctx, t.conn, t.wanted.schema); err != nil {
		return err
	}
	if t.old, err = find(t.ctx, t.conn, t.wanted); err != nil {
		return err
	}
	if err := t.prepare(columns); err != nil {
		return err
	}
	if t.columns, t.own, err = columnsOf(t.ctx, t.conn, t.target, t.names); err != nil {
		return err
	}
	style := mysqltext.Insert
	if rows[0][1] == "1" {
		style = mysqltext.Load
	}
	o := &mysqltext.Options{Style: style, Columns: t.columns, NaNIsNull: t.o.NaNIsNull}
	if err := o.Check(schema); err != nil {
		return err
	}
	if err := t.open(); err != nil {
		return err
	}
	t.load = startLoad(t.ctx, t.conn, t.into, t.columns, t.own, style)
	t.encoder, err = mysqltext.NewEncoder(t.ctx, t.load, o, encode.Env{Progress: t.progress})
	return t.cause(err)
}

// prepare decides what gets the rows, and creates it if it has to.
func (t *transaction) prepare(columns []database.Column) error {
	switch {
	case t.o.Mode == database.Replace, t.old == nil:
		if t.old != nil && !t.old.isTable() {
			return t.old.takesRows(t.ctx, t.conn) // which it does not
		}
		t.target = table{t.wanted.schema, t.hidden.table(newKind)}
		return t.create(columns)
	case t.o.Mode == database.Fail:
		return &database.ExistsError{Table: t.o.Table}
	}
	t.target = t.old.table
	return t.old.takesRows(t.ctx, t.conn)
}

func (t *transaction) create(columns []database.Column) error {
	t.created = true
	parts := make([]string, len(columns))
	for i, c := range columns {
		null := " NULL" // which is not the default of every type
		if slices.Contains(t.o.Key, c.Name) {
			null = " NOT NULL"
			if upper := strings.ToUpper(c.SQL); strings.HasSuffix(upper, "TEXT") {
				c.SQL = "VARCHAR(255)" // as a text is none for a key
			}
		}
		parts[i] = quote(c.Name) + " " + c.SQL + null
	}
	if t.o.Mode == database.Upsert {
		parts = append(parts, "PRIMARY KEY ("+quoteAll(t.o.Key)+")")
	}
	if err := t.mayDrop(t.target); err != nil {
		return err
	}
	return t.conn.exec(t.ctx, "create the table", fmt.Sprintf("CREATE TABLE %s (%s)", t.target, strings.Join(parts, ", ")))
}

// mayDrop returns an error if a hidden table could not be dropped again: it would
// stay for good.
func (t *transaction) mayDrop(hidden table) error {
	return t.conn.exec(t.ctx, "make sure that a temporary table can be dropped", "DROP TABLE IF EXISTS "+hidden.String())
}

// open opens the transaction that takes the rows.
func (t *transaction) open() error {
	t.into = t.target
	if t.o.Mode == database.Upsert {
		if !t.created {
			if err := checkKey(t.ctx, t.conn, t.target, t.o.Key, t.names); err != nil {
				return err
			}
		}
		t.into, t.staged = table{t.wanted.schema, t.hidden.table(stageKind)}, true
		// Servers may take no table without a primary key (sql_require_primary_key), and
		// rows have an order by it.
		if err := t.conn.exec(t.ctx, "create a temporary table", fmt.Sprintf(
			"CREATE TEMPORARY TABLE %s (%s BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY) ENGINE = InnoDB AS SELECT %s FROM %s WHERE FALSE",
			t.into, t.number(), quoteAll(t.own), t.target)); err != nil {
			return err
		}
	}
	if t.created {
		// Of a table that nobody sees nothing needs to be undone row by row.
		if !t.staged {
			if err := t.conn.exec(t.ctx, "set up the session", "SET SESSION unique_checks = 0, foreign_key_checks = 0"); err != nil {
				return err
			}
		}
	} else if err := t.log(); err != nil {
		return err
	}
	if err := t.conn.exec(t.ctx, "begin", "START TRANSACTION"); err != nil {
		return err
	}
	if t.logged {
		if err := t.conn.exec(t.ctx, "log the transaction", fmt.Sprintf("INSERT INTO %s VALUES (1)", t.logTable())); err != nil {
			return err
		}
	}
	if t.o.Mode == database.Delete && !t.created {
		return t.conn.exec(t.ctx, "delete the rows", "DELETE FROM "+t.target.String())
	}
	return nil
}

func (t *transaction) logTable() table { return table{t.wanted.schema, t.hidden.table(logKind)} }

// log makes a table for the row that tells whether the transaction took place. A
// user who may not has to do without.
func (t *transaction) log() error {
	err := t.mayDrop(t.logTable())
	if err == nil {
		err = t.conn.exec(t.ctx, "create a log", fmt.Sprintf("CREATE TABLE %s (done TINYINT PRIMARY KEY) ENGINE = InnoDB", t.logTable()))
	}
	var refused *database.ServerError
	if errors.As(err, &refused) {
		return nil
	}
	t.logged = err == nil
	return err
}

// cause is why the encoder failed with err: because the server did, perhaps.
func (t *transaction) cause(err error) error {
	if err == nil {
		return nil
	}
	if t.ctx.Err() != nil {
		return context.Cause(t.ctx)
	}
	if errors.Is(err, errLoadEnded) || errors.Is(err, io.ErrClosedPipe) {
		if ended := t.load.wait(); ended != nil {
			return ended
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
	if err := t.load.finish(t.encoder.Rows()); err != nil {
		return err
	}
	t.rows = t.encoder.Rows()
	t.bytes = t.progress.Snapshot().Bytes
	t.progress.Enter(progress.Publishing)
	if t.staged {
		if err := t.merge(); err != nil {
			return err
		}
	}
	if !t.created {
		return nil
	}
	if err := t.conn.exec(t.ctx, "commit the new table", "COMMIT"); err != nil {
		return err
	}
	for _, index := range t.o.Indexes {
		sql := fmt.Sprintf("CREATE INDEX %s ON %s (%s)", quote(index.Name), t.target, quoteAll(index.Columns))
		if err := t.conn.exec(t.ctx, "create an index", sql); err != nil {
			return err
		}
	}
	return t.checkReferences()
}

// number is the column of the stage that numbers its rows, which has no name of the
// table's.
func (t *transaction) number() string { return quote(t.hidden.table("row")) }

// merge puts the rows of the stage into the target of an upsert. It names their
// columns by the stage, as VALUES(column) is on its way out of MySQL
// (https://dev.mysql.com/doc/refman/8.4/en/insert-on-duplicate.html).
func (t *transaction) merge() error {
	const stage = "atio_stage"
	set, from := []string{}, make([]string, len(t.own))
	for i, name := range t.own {
		from[i] = stage + "." + quote(name)
		if !slices.Contains(t.o.Key, t.names[i]) {
			set = append(set, quote(name)+" = "+from[i])
		}
	}
	if len(set) == 0 {
		set = append(set, quote(t.own[0])+" = "+from[0])
	}
	return t.conn.exec(t.ctx, "upsert", fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s AS %s ON DUPLICATE KEY UPDATE %s",
		t.target, quoteAll(t.own), strings.Join(from, ", "), t.into, stage, strings.Join(set, ", ")))
}

// checkReferences returns an error if another table refers to the one that is
// replaced: a rename would have it refer to the old one.
func (t *transaction) checkReferences() error {
	if t.old == nil {
		return nil
	}
	rows, err := t.conn.query(t.ctx, "look for foreign keys", `SELECT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME FROM information_schema.KEY_COLUMN_USAGE
		WHERE REFERENCED_TABLE_SCHEMA = ? AND REFERENCED_TABLE_NAME = ? AND NOT (TABLE_SCHEMA = ? AND TABLE_NAME = ?)`,
		t.old.schema, t.old.name, t.old.schema, t.old.name)
	if err != nil || len(rows) == 0 {
		return err
	}
	return &database.ServerError{Op: "replace the table", Code: fmt.Sprint(errReferenced),
		Message: fmt.Sprintf("Cannot replace a parent table: a foreign key constraint fails (`%s`.`%s`, CONSTRAINT `%s`)", rows[0][0], rows[0][1], rows[0][2]),
		Hint:    "delete_rows keeps the table, or drop the foreign key first"}
}
