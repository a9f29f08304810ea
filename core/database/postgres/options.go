package postgres

import (
	"fmt"
	"strings"
	"time"

	"github.com/seojaeohcode/atio/core/database"
)

// Options say where and how to write.
type Options struct {
	// Connection is how to connect: a URL or keywords and values, as libpq takes
	// them. What it leaves out is taken from the environment, as by libpq.
	Connection string `json:"connection"`
	// Settings of the session, such as search_path.
	Settings map[string]string `json:"settings"`
	// Role, if not empty, is set in the session.
	Role string `json:"role"`

	Schema string        `json:"schema"` // "" for the one that search_path finds
	Table  string        `json:"table"`
	Mode   database.Mode `json:"mode"`
	// Key are the columns that say which row an Upsert replaces.
	Key []string `json:"key"`

	// Columns of the table, if it is created; those of a table that is there are
	// its own. Nil to take types that hold what Arrow's do.
	Columns []database.Column `json:"columns"`
	// Indexes of the table, if it is created.
	Indexes []database.Index `json:"indexes"`

	// NaNIsNull makes a null of a float that is no number, as pandas means it.
	NaNIsNull bool `json:"nan_is_null"`
	// SkipSync does not wait for the disk at the commit (synchronous_commit=off):
	// after a crash of the server the table may be as before, but never half.
	SkipSync bool `json:"skip_sync"`
	// ConnectTimeout limits connecting, unless Connection does; 0 means 30 seconds.
	ConnectTimeout time.Duration `json:"connect_timeout"`
	// OutcomeTimeout limits how long it is tried to find out what became of a commit
	// whose answer was lost; 0 means 30 seconds.
	OutcomeTimeout time.Duration `json:"outcome_timeout"`
}

// Dialect is "postgresql".
func (o *Options) Dialect() string { return dialect }

const (
	dialect        = "postgresql"
	connectTimeout = 30 * time.Second
	maxName        = 63 // bytes that the server keeps of a name (NAMEDATALEN - 1)
)

// check looks at the options, and at the names of the columns that a new table
// would have.
func (o *Options) check(columns []database.Column) error {
	t := database.Table{Schema: o.Schema, Name: o.Table, Mode: o.Mode, Key: o.Key, Columns: columns}
	return t.Check(dialect, tooLong)
}

// tooLong says why a name is, of which the server would keep a part.
func tooLong(name string) string {
	if len(name) > maxName {
		return fmt.Sprintf("it has %d bytes, and the server keeps %d", len(name), maxName)
	}
	return ""
}

// quote makes an identifier of a name, whatever is in it.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quote(name)
	}
	return strings.Join(quoted, ", ")
}

// table is a relation with its schema, "" for what search_path finds.
type table struct{ schema, name string }

func (t table) String() string {
	if t.schema == "" {
		return quote(t.name)
	}
	return quote(t.schema) + "." + quote(t.name)
}
