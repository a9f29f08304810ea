package database

import (
	"errors"
	"fmt"
	"strings"
)

// ErrExists says that there is a table of that name, in mode Fail; see [ExistsError].
var ErrExists = errors.New("table already exists")

// ExistsError names a table that is there, in mode Fail. It is ErrExists.
type ExistsError struct{ Table string }

func (e *ExistsError) Error() string { return fmt.Sprintf("Table '%s' already exists.", e.Table) }

// Is reports whether target is ErrExists.
func (e *ExistsError) Is(target error) bool { return target == ErrExists }

// ErrConflict says that another writer came between, so that nothing was written.
var ErrConflict = errors.New("another writer came between")

// ConnectError says that no connection could be made. Nothing has changed.
type ConnectError struct {
	Server  string // without credentials
	Timeout bool   // it took too long
	Err     error
}

func (e *ConnectError) Error() string {
	return fmt.Sprintf("cannot connect to %s: %v", e.Server, e.Err)
}
func (e *ConnectError) Unwrap() error { return e.Err }

// LostError says that the connection was lost before the commit, so that the
// server has undone the transaction: the table is as before.
type LostError struct {
	Server string // without credentials
	Op     string // what was being done, such as "copy"
	Err    error
}

func (e *LostError) Error() string {
	return fmt.Sprintf("%s: the connection was lost while trying to %s: %v; nothing was committed, the table is as before", e.Server, e.Op, e.Err)
}
func (e *LostError) Unwrap() error { return e.Err }

// UnknownError says that the connection was lost during the commit, and that
// whether it took place could not be found out.
type UnknownError struct {
	Server      string // without credentials
	Transaction string // its number, to ask the server for, "" if it has none
	Advice      string // how to find out
	Err         error
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("%s: the connection was lost during the commit (%v), and whether transaction %s took place could not be found out; %s",
		e.Server, e.Err, e.Transaction, e.Advice)
}
func (e *UnknownError) Unwrap() error { return e.Err }

// ServerError is what the server answered: the transaction is undone.
type ServerError struct {
	Op      string // what was being done, such as "copy"
	Code    string // of the server: an SQLSTATE, or the dialect's own
	Message string
	Detail  string // what else the server said
	Hint    string // what to do
	Column  string // if the server named one
}

func (e *ServerError) Error() string {
	s := fmt.Sprintf("%s: %s (%s)", e.Op, e.Message, e.Code)
	if e.Detail != "" {
		s += "; " + e.Detail
	}
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Redact takes secrets, such as a password, out of a text that others made.
func Redact(text string, secrets ...string) string {
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

// Redacted is err with secrets taken out of its text; errors.Is and As see
// what is below.
func Redacted(err error, secrets ...string) error {
	if err == nil {
		return nil
	}
	text := Redact(err.Error(), secrets...)
	if text == err.Error() {
		return err
	}
	return &redacted{text, err}
}

type redacted struct {
	text string
	err  error
}

func (e *redacted) Error() string { return e.text }
func (e *redacted) Unwrap() error { return e.err }
