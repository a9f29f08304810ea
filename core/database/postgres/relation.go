package postgres

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/seojaeohcode/atio/core/database"
	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/pgcopy"
)

const (
	// codeUndefinedColumn is what the server answers when a statement names a column
	// that a table does not have.
	codeUndefinedColumn = "42703"
	// codeGeneratedAlways is its answer to an INSERT with a value for a column whose
	// values the server makes.
	codeGeneratedAlways = "428C9"
)

// relation is a table that is there.
type relation struct {
	table
	kind string // relkind of pg_class
	// rules and policies act on INSERT and not on COPY, which refuses the latter.
	special bool
}

// find returns the table that a name means, nil if there is none.
func find(ctx context.Context, c *connection, t table) (*relation, error) {
	rows, err := c.query(ctx, "look for the table", `
		SELECT n.nspname, c.relkind, c.relhasrules OR c.relrowsecurity
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relname = $1 AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
		AND CASE WHEN $2 = '' THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname = $2 END`, t.name, t.schema)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	row := rows[0]
	return &relation{table{row[0], t.name}, row[1], row[2] == "t"}, nil
}

// takesCopy returns an error if rows that are copied would not become of what
// rows that are inserted do.
func (r *relation) takesCopy() error {
	if slices.Contains([]string{"r", "p", "f"}, r.kind) && !r.special {
		return nil
	}
	return &encode.UnsupportedError{
		Format: dialect, Type: "table " + r.String(), Reason: "views, rules and row security are for INSERT, not for COPY",
	}
}

// generated tells of a column, in SQL, whether the server makes its values and
// INSERT takes none.
func (c *connection) generated() string {
	switch major := c.major(); {
	case major < 10:
		return "false"
	case major < 12:
		return "a.attidentity = 'a'"
	}
	return "a.attidentity = 'a' OR a.attgenerated <> ''"
}

// columnsOf returns the columns of a table that take the columns of a batch.
func columnsOf(ctx context.Context, c *connection, t table, names []string) ([]pgcopy.Column, error) {
	rows, err := c.query(ctx, "look at the table's columns", `
		WITH RECURSIVE base(attname, name, type, elem, generated) AS (
			SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.atttypid, 0::oid, `+c.generated()+`
			FROM pg_catalog.pg_attribute a
			WHERE a.attrelid = $1::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped
		UNION ALL
			SELECT b.attname, b.name,
				CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END,
				CASE WHEN t.typtype = 'd' THEN b.elem ELSE t.typelem END, b.generated
			FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type
			WHERE t.typtype = 'd' OR (t.typcategory = 'A' AND b.elem = 0)
		)
		SELECT b.attname, b.name, b.type, b.elem, t.typtype, b.generated
		FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type
		WHERE NOT (t.typtype = 'd' OR (t.typcategory = 'A' AND b.elem = 0))`, t.String())
	if err != nil {
		return nil, err
	}
	found, generated := map[string]pgcopy.Column{}, map[string]bool{}
	for _, row := range rows {
		kind, err1 := strconv.ParseUint(row[2], 10, 32)
		element, err2 := strconv.ParseUint(row[3], 10, 32)
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("the server's catalog has the types %q and %q", row[2], row[3])
		}
		column := pgcopy.Column{Name: row[0], SQL: row[1], Type: pgcopy.Type(kind), Element: uint32(element)}
		if row[4] == "e" { // an enum is sent as its label
			column.Type = pgcopy.Text
		}
		found[row[0]], generated[row[0]] = column, row[5] == "t"
	}
	out := make([]pgcopy.Column, len(names))
	for i, name := range names {
		column, ok := found[name]
		if !ok {
			return nil, &database.ServerError{Op: "look at the table's columns", Code: codeUndefinedColumn,
				Message: fmt.Sprintf("the table %s has no column %q", t, name), Column: name}
		}
		if generated[name] { // COPY would take values for GENERATED ALWAYS AS IDENTITY
			return nil, &database.ServerError{Op: "look at the table's columns", Code: codeGeneratedAlways,
				Message: fmt.Sprintf("cannot insert a non-DEFAULT value into column %q, which is generated always", name),
				Hint:    "leave the column out", Column: name}
		}
		out[i] = column
	}
	return out, nil
}
