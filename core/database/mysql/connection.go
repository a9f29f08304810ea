package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"sort"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/seojaeohcode/atio/core/database"
)

// endTimeout is how long a server has to answer when a write is undone.
const endTimeout = 3 * time.Second

// connection is a session with the server.
type connection struct {
	db     *sql.DB
	conn   *sql.Conn
	server string // for messages, without credentials
	secret string // what messages must not show
}

func (o *Options) server() string {
	return fmt.Sprintf("MySQL at %s, database %q, user %q", o.Address, o.Database, o.User)
}

// connect begins a session.
func connect(ctx context.Context, o *Options, timeout time.Duration) (*connection, error) {
	if timeout == 0 {
		timeout = connectTimeout
	}
	config := mysql.NewConfig()
	config.Net, config.Addr = o.Network, o.Address
	config.User, config.Passwd, config.DBName, config.TLSConfig = o.User, o.Password, o.Database, o.TLS
	config.Timeout = timeout
	config.InterpolateParams = true
	config.Logger = &mysql.NopLogger{}
	c := &connection{server: o.server(), secret: o.Password}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, &database.ConnectError{Server: c.server, Err: database.Redacted(err, c.secret)}
	}
	c.db = sql.OpenDB(connector)
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if c.conn, err = c.db.Conn(limited); err != nil {
		_ = c.db.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		var slow net.Error
		return nil, &database.ConnectError{
			Server: c.server, Err: database.Redacted(err, c.secret),
			Timeout: limited.Err() != nil || errors.As(err, &slow) && slow.Timeout(),
		}
	}
	if err := c.settle(ctx, o); err != nil {
		c.end()
		return nil, err
	}
	return c, nil
}

// settle makes the session what the caller's are, and one in which a text means
// the same whatever the server's settings are.
func (c *connection) settle(ctx context.Context, o *Options) error {
	names := make([]string, 0, len(o.Settings))
	for name := range o.Settings {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if err := c.exec(ctx, "set "+name, "SET SESSION "+quote(name)+" = ?", o.Settings[name]); err != nil {
			return err
		}
	}
	// Data may be long in coming. Notes, such as that a decimal was rounded, are no
	// warnings.
	return c.exec(ctx, "set up the session", `SET SESSION
		sql_mode = REPLACE(@@SESSION.sql_mode, 'NO_BACKSLASH_ESCAPES', ''),
		net_read_timeout = 86400, wait_timeout = 86400, sql_notes = 0, autocommit = 1`)
}

// exec runs a statement.
func (c *connection) exec(ctx context.Context, op, sql string, args ...any) error {
	_, err := c.affected(ctx, op, sql, args...)
	return err
}

// affected runs a statement and returns how many rows it changed.
func (c *connection) affected(ctx context.Context, op, sql string, args ...any) (int64, error) {
	r, err := c.conn.ExecContext(ctx, sql, args...)
	if err != nil {
		return 0, c.failure(ctx, op, err)
	}
	return r.RowsAffected()
}

// query returns the rows of a statement, as text; null is "".
func (c *connection) query(ctx context.Context, op, text string, args ...any) ([][]string, error) {
	rows, err := c.conn.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, c.failure(ctx, op, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, c.failure(ctx, op, err)
	}
	var out [][]string
	for rows.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, c.failure(ctx, op, err)
		}
		row := make([]string, len(columns))
		for i, v := range values {
			row[i] = v.String
		}
		out = append(out, row)
	}
	return out, c.failure(ctx, op, rows.Err())
}

// lock takes a lock of the server by its name, and reports whether it was free
// within so many seconds.
func (c *connection) lock(ctx context.Context, name string, seconds int) (bool, error) {
	rows, err := c.query(ctx, "take a lock", "SELECT GET_LOCK(?, ?)", name, seconds)
	return err == nil && len(rows) == 1 && rows[0][0] == "1", err
}

// failure is what err, of a statement that was to do op, means to the caller.
func (c *connection) failure(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var e *mysql.MySQLError
	if errors.As(err, &e) && !isEnd(e.Number) {
		return serverError(op, e, c.secret)
	}
	return &database.LostError{Server: c.server, Op: op, Err: database.Redacted(err, c.secret)}
}

// isEnd reports whether the server ended the session with an error
// (https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html,
// https://mariadb.com/kb/en/mariadb-error-codes).
func isEnd(number uint16) bool {
	switch number {
	case 1053, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 3169, 4031:
		return true
	}
	return false
}

// Numbers of the server's errors.
const (
	errTableExists   = 1050
	errNoTable       = 1146
	errBadColumn     = 1054
	errNotBaseTable  = 1347
	errReferenced    = 1451
	errInvalidString = 1300
	errGenerated     = 1906 // of MariaDB; 3105 of MySQL
)

func serverError(op string, e *mysql.MySQLError, secret string) error {
	return &database.ServerError{Op: op, Code: strconv.Itoa(int(e.Number)), Message: database.Redact(e.Message, secret)}
}

func hasNumber(err error, numbers ...int) bool {
	var e *database.ServerError
	if !errors.As(err, &e) {
		return false
	}
	for _, n := range numbers {
		if e.Code == strconv.Itoa(n) {
			return true
		}
	}
	return false
}

func isLost(err error) bool {
	var lost *database.LostError
	return errors.As(err, &lost)
}

// end closes the connection.
func (c *connection) end() {
	_ = c.conn.Close()
	_ = c.db.Close()
}
