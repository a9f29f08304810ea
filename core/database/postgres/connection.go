package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/seojaeohcode/atio/core/database"
)

const (
	// endTimeout is how long a server has to answer a request to cancel, and a
	// rollback: then the connection is cut, which the server takes for one.
	endTimeout = 2 * time.Second
	// stallTimeout is how long sent bytes may stay without an acknowledgement of
	// the server's machine.
	stallTimeout = 60 * time.Second
)

// connection is a session with the server.
type connection struct {
	*pgconn.PgConn
	server string // for messages, without credentials
	secret string // what messages must not show
}

// config reads how to connect.
func (o *Options) config() (*pgconn.Config, error) {
	c, err := pgconn.ParseConfig(o.Connection)
	if err != nil {
		return nil, &database.ConnectError{Server: "PostgreSQL", Err: withoutParameters(err)}
	}
	if c.ConnectTimeout == 0 {
		if c.ConnectTimeout = o.ConnectTimeout; c.ConnectTimeout == 0 {
			c.ConnectTimeout = connectTimeout
		}
	}
	c.DialFunc = (&net.Dialer{Timeout: c.ConnectTimeout, KeepAlive: 15 * time.Second, Control: limitStall}).DialContext
	c.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: endTimeout}
	}
	// Whatever the session's settings, what is sent and looked at is the same.
	c.RuntimeParams["client_encoding"] = "UTF8"
	return c, nil
}

// withoutParameters is why a connection string cannot be read, without the string,
// which pgx puts first: it leaves the end of a password that has a quote in it.
func withoutParameters(err error) error {
	text := err.Error()
	if at := strings.LastIndex(text, "`: "); at >= 0 {
		text = text[at+len("`: "):]
	}
	return errors.New("its connection string or parameters: " + text)
}

// serverOf names the server that a configuration connects to.
func serverOf(c *pgconn.Config) string {
	return fmt.Sprintf("PostgreSQL at %s, database %q, user %q", net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))), c.Database, c.User)
}

func connect(ctx context.Context, c *pgconn.Config) (*connection, error) {
	limited, cancel := context.WithTimeout(ctx, c.ConnectTimeout*time.Duration(1+len(c.Fallbacks)))
	defer cancel()
	conn, err := pgconn.ConnectConfig(limited, c)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		var timeout net.Error
		e := &database.ConnectError{Server: serverOf(c), Err: database.Redacted(err, c.Password)}
		e.Timeout = limited.Err() != nil || errors.As(err, &timeout) && timeout.Timeout()
		return nil, e
	}
	return &connection{PgConn: conn, server: serverOf(c), secret: c.Password}, nil
}

// exec runs statements without parameters.
func (c *connection) exec(ctx context.Context, op, sql string) error {
	_, err := c.Exec(ctx, sql).ReadAll()
	return c.failure(ctx, op, err)
}

// query returns the rows of one statement, as text.
func (c *connection) query(ctx context.Context, op, sql string, args ...string) ([][]string, error) {
	params := make([][]byte, len(args))
	for i, arg := range args {
		params[i] = []byte(arg)
	}
	r := c.ExecParams(ctx, sql, params, nil, nil, nil).Read()
	if r.Err != nil {
		return nil, c.failure(ctx, op, r.Err)
	}
	rows := make([][]string, len(r.Rows))
	for i, row := range r.Rows {
		rows[i] = make([]string, len(row))
		for j, v := range row {
			rows[i][j] = string(v)
		}
	}
	return rows, nil
}

// failure is what err, of a statement that was to do op, means to the caller.
func (c *connection) failure(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && !isEnd(pg) {
		return serverError(op, pg, c.secret)
	}
	return &database.LostError{Server: c.server, Op: op, Err: database.Redacted(err, c.secret)}
}

// isEnd reports whether the server ended the session with an error.
func isEnd(pg *pgconn.PgError) bool {
	return pg.Severity == "FATAL" || pg.SeverityUnlocalized == "FATAL" || pg.SeverityUnlocalized == "PANIC" ||
		strings.HasPrefix(pg.Code, "57P") || strings.HasPrefix(pg.Code, "08")
}

func serverError(op string, pg *pgconn.PgError, secret string) error {
	e := &database.ServerError{Op: op, Code: pg.Code, Message: pg.Message, Detail: pg.Detail, Hint: pg.Hint, Column: pg.ColumnName}
	if e.Detail == "" {
		e.Detail = pg.Where
	}
	switch pg.Code {
	case "21000": // cardinality_violation, of ON CONFLICT
		e.Hint = "two rows of the data have the same key: leave one of them out"
	case "42P10": // invalid_column_reference, of ON CONFLICT
		e.Hint = "the table needs a primary key or a unique index on the columns of the key: create one"
	}
	for _, s := range []*string{&e.Message, &e.Detail, &e.Hint} {
		*s = database.Redact(*s, secret)
	}
	return e
}

// end closes the connection, without waiting for a server that is gone.
func (c *connection) end() {
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	_ = c.Close(ctx)
}

// major is the server's major version; that of the newest for one that does not
// tell it in this way.
func (c *connection) major() int {
	digits, _, _ := strings.Cut(c.ParameterStatus("server_version"), ".")
	if n, err := strconv.Atoi(digits); err == nil {
		return n
	}
	return math.MaxInt
}
