package mysql

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seojaeohcode/atio/core/database"
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
	Columns []database.Column `json:"columns"`
	// Indexes of the table, if it is created.
	Indexes []database.Index `json:"indexes"`

	// NaNIsNull makes a null of a float that is no number, as pandas means it.
	NaNIsNull bool `json:"nan_is_null"`
	// SkipSync is for other databases: how a commit gets to the disk is a setting of
	// the whole server here.
	SkipSync bool `json:"skip_sync"`
	// ConnectTimeout limits connecting; 0 means 30 seconds.
	ConnectTimeout time.Duration `json:"connect_timeout"`
}

// Dialect is "mysql".
func (o *Options) Dialect() string { return dialect }

const (
	dialect        = "mysql"
	connectTimeout = 30 * time.Second
	maxName        = 64 // characters of a name
)

// check looks at the options, and at the names of the columns that a new table
// would have.
func (o *Options) check(columns []database.Column) error {
	t := database.Table{Schema: o.Schema, Name: o.Table, Mode: o.Mode, Key: o.Key, Columns: columns}
	if err := t.Check(dialect, tooLong); err != nil {
		return err
	}
	names := []string{o.Schema, o.Table}
	for _, c := range columns {
		names = append(names, c.Name)
	}
	for _, index := range o.Indexes {
		names = append(names, index.Name)
	}
	for _, name := range names {
		if i := strings.IndexFunc(name, isSupplementary); i >= 0 {
			r, _ := utf8.DecodeRuneInString(name[i:])
			return &database.ServerError{Op: "look at the names", Code: strconv.Itoa(errInvalidString), Message: fmt.Sprintf(
				"the name %q has the character %U, and names of schemas, tables and columns in MySQL and MariaDB take none beyond U+FFFF, such as emoji: rename it. Nothing was written", name, r)}
		}
	}
	return nil
}

// isSupplementary reports whether a character is none of the Basic Multilingual
// Plane (https://dev.mysql.com/doc/refman/8.4/en/identifiers.html).
func isSupplementary(r rune) bool { return r > 0xFFFF }

// tooLong says why a name is.
func tooLong(name string) string {
	if n := utf8.RuneCountInString(name); n > maxName {
		return fmt.Sprintf("it has %d characters, and the server takes %d", n, maxName)
	}
	return ""
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
