package core

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seojaeohcode/atio/core/database"
	"github.com/seojaeohcode/atio/core/database/mongodb"
	"github.com/seojaeohcode/atio/core/database/mysql"
	"github.com/seojaeohcode/atio/core/database/postgres"
)

// dialects is the registry: a new dialect is a folder under database and a line here.
var dialects = map[string]func() database.Options{
	"mariadb":    func() database.Options { return new(mysql.Options) },
	"mongodb":    func() database.Options { return new(mongodb.Options) },
	"mysql":      func() database.Options { return new(mysql.Options) },
	"postgresql": func() database.Options { return new(postgres.Options) },
}

// Dialects returns the names of the databases that can be written to, sorted.
func Dialects() []string { return slices.Sorted(maps.Keys(dialects)) }

// NewDatabase returns the option struct of a dialect with its defaults, such as
// a *postgres.Options for "postgresql".
func NewDatabase(dialect string) (database.Options, error) {
	if f, ok := dialects[dialect]; ok {
		return f(), nil
	}
	return nil, fmt.Errorf("database %q is unknown; there is %s: %w", dialect, strings.Join(Dialects(), ", "), ErrFormat)
}
