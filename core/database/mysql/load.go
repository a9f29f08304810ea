package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/seojaeohcode/atio/core/database"
	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/mysqltext"
)

// load takes the text of rows and has the server load it: as a stream of one
// statement, or as a statement for each piece.
type load struct {
	parent context.Context
	ctx    context.Context // of the statements: when the parent ends, they may end too
	conn   *connection
	insert string // what comes before the rows; "" for a stream

	cancel   context.CancelFunc
	pipe     *io.PipeWriter
	stop     func() bool
	done     chan struct{}
	err      error // of the statement, when done
	affected int64
}

var (
	errLoadEnded = errors.New("the load has ended")
	errAborted   = errors.New("the write was aborted")
)

func startLoad(ctx context.Context, c *connection, into table, columns []mysqltext.Column, own []string, style mysqltext.Style) *load {
	l := &load{parent: ctx, conn: c, done: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if style == mysqltext.Insert {
		l.insert = fmt.Sprintf("INSERT INTO %s (%s) VALUES ", into, quoteAll(own))
		close(l.done)
		return l
	}
	fields, set := make([]string, len(own)), []string{}
	for i, name := range own {
		fields[i] = quote(name)
		if columns[i].IsBinary() {
			fields[i] = fmt.Sprintf("@atio_%d", i)
			set = append(set, fmt.Sprintf("%s = UNHEX(@atio_%d)", quote(name), i))
		}
	}
	handler := newHidden().id
	sql := fmt.Sprintf(`LOAD DATA LOCAL INFILE 'Reader::%s' INTO TABLE %s CHARACTER SET utf8mb4
		FIELDS TERMINATED BY '\t' ENCLOSED BY '' ESCAPED BY '\\' LINES STARTING BY '' TERMINATED BY '\n' (%s)`, handler, into, strings.Join(fields, ", "))
	if len(set) > 0 {
		sql += " SET " + strings.Join(set, ", ")
	}
	from, to := io.Pipe()
	l.pipe = to
	// Without more data the statement ends, and the session can drop what it has
	// made; a cut connection would have to be waited for.
	l.stop = context.AfterFunc(ctx, func() {
		_ = to.CloseWithError(context.Cause(ctx))
		time.AfterFunc(endTimeout, l.cancel)
	})
	mysql.RegisterReaderHandler(handler, func() io.Reader { return from })
	go func() {
		defer close(l.done)
		defer mysql.DeregisterReaderHandler(handler)
		defer func() {
			if r := recover(); r != nil {
				l.err = &encode.PanicError{Value: r, Stack: debug.Stack()}
			}
			_ = from.CloseWithError(errLoadEnded)
		}()
		l.affected, l.err = c.affected(l.ctx, "load the rows", sql)
	}()
	return l
}

// Write takes whole rows.
func (l *load) Write(p []byte) (int, error) {
	if l.insert == "" {
		return l.pipe.Write(p)
	}
	if l.parent.Err() != nil {
		return 0, context.Cause(l.parent)
	}
	n, err := l.conn.affected(l.ctx, "insert rows", l.insert+string(p[1:])) // without its first comma
	if err != nil {
		return 0, err
	}
	l.affected += n
	return len(p), nil
}

// wait returns the error of a statement that has ended by itself.
func (l *load) wait() error {
	<-l.done
	return l.err
}

// finish ends the stream and makes sure that the server took all of it: to LOAD
// DATA LOCAL a row that it cannot take is no error but a warning, since the server
// cannot stop the client.
func (l *load) finish(rows int64) error {
	if l.pipe != nil {
		_ = l.pipe.Close()
	}
	err := l.wait()
	if l.pipe != nil {
		l.stop()
	}
	if l.parent.Err() != nil {
		return context.Cause(l.parent)
	}
	if err != nil {
		return err
	}
	if l.insert == "" {
		warnings, err := l.conn.query(l.ctx, "look for warnings", "SHOW WARNINGS LIMIT 1")
		if err != nil {
			return err
		}
		if len(warnings) > 0 {
			return &database.ServerError{Op: "load the rows", Code: warnings[0][1], Message: warnings[0][2]}
		}
	}
	if l.affected != rows {
		return &database.ServerError{Op: "load the rows", Code: "1105", Message: fmt.Sprintf("the server took %d of %d rows, and did not say why", l.affected, rows)}
	}
	return nil
}

// abort stops a stream.
func (l *load) abort() {
	defer l.cancel()
	if l.pipe != nil {
		l.stop()
		_ = l.pipe.CloseWithError(errAborted)
	}
	late := time.AfterFunc(endTimeout, l.cancel)
	defer late.Stop()
	<-l.done
}
