package mysql

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seojaeohcode/atio/core/database"
	"github.com/seojaeohcode/atio/core/encode"
)

// Options say where and how to write.
type Options struct {
	// Network is "tcp" or "unix", and Address host:port or the path of the socket.
	Network string `json:"network"`
	Address string `json:"address"`

	User     string `json:"user"`
	Password string `json:"password"`
	Database string `json:"database"` // that the session uses
	// TLS is "" for none, "preferred" for as the server likes, without verifying
	// it, "skip-verify", or "true".
	TLS string `json:"tls"`
	// Settings of the session, such as time_zone.
	Settings map[string]string `json:"settings"`

	Schema string        `json:"schema"` // "" for Database
	Table  string        `json:"table"`
	Mode   database.Mode `json:"mode"`
	// Key are the columns that say which row an Upsert replaces. A table that is
	// there needs a unique index on just these.
	Key []string `json:"key"`

	// Columns of the table, if it is created; those of a table that is there are
	// its own. Nil to take types that hold what Arrow's do.
	Columns []Column `json:"columns"`
	// Indexes of the table, if it is created.
	Indexes []Index `json:"indexes"`

	// NaNIsNull makes a null of a float that is no number, as pandas means it.
	NaNIsNull bool `json:"nan_is_null"`
	// SkipSync is for other databases: how a commit gets to the disk is a setting of
	// the whole server here.
	SkipSync bool `json:"skip_sync"`
	// ConnectTimeout limits connecting; 0 means 30 seconds.
	ConnectTimeout time.Duration `json:"connect_timeout"`
}

// Column is a column of a table that is created.
type Column struct {
	Name string `json:"name"`
	SQL  string `json:"sql"` // its type, as in CREATE TABLE
}

// Index is an index of a table that is created.
type Index struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
}

// Dialect is "mysql".
func (o *Options) Dialect() string { return dialect }

const (
	dialect        = "mysql"
	connectTimeout = 30 * time.Second
	maxName        = 64 // characters of a name
)

func (o *Options) check() error {
	if !slices.Contains(database.Modes, o.Mode) {
		return &encode.OptionError{Format: dialect, Option: "mode", Value: o.Mode, Reason: fmt.Sprintf("there is %v", database.Modes)}
	}
	if (o.Mode == database.Upsert) != (len(o.Key) > 0) {
		return &encode.OptionError{Format: dialect, Option: "key", Value: o.Key, Reason: "an upsert needs the columns that identify a row, and only an upsert does"}
	}
	if o.Table == "" {
		return &encode.OptionError{Format: dialect, Option: "table", Value: o.Table, Reason: "name the table"}
	}
	names := append([]string{o.Schema, o.Table}, o.Key...)
	for _, c := range o.Columns {
		names = append(names, c.Name)
	}
	for _, name := range names {
		if strings.ContainsRune(name, 0) {
			return &encode.OptionError{Format: dialect, Option: "name", Value: fmt.Sprintf("%q", name), Reason: "a name cannot hold a NUL"}
		}
		if n := len([]rune(name)); n > maxName {
			return &encode.OptionError{Format: dialect, Option: "name", Value: name, Reason: fmt.Sprintf("it has %d characters, and the server takes %d", n, maxName)}
		}
	}
	for _, k := range o.Key {
		if !slices.ContainsFunc(o.Columns, func(c Column) bool { return c.Name == k }) && o.Columns != nil {
			return &encode.OptionError{Format: dialect, Option: "key", Value: k, Reason: "there is no such column"}
		}
	}
	return nil
}

// quote makes an identifier of a name, whatever is in it.
func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quote(name)
	}
	return strings.Join(quoted, ", ")
}

// table is a table in its schema.
type table struct{ schema, name string }

func (t table) String() string { return quote(t.schema) + "." + quote(t.name) }
