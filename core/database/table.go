package database

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
)

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

// ColumnsFor are columns that hold what Arrow's types do. typeFor is the dialect's
// type for one of Arrow's, "" if there is none.
func ColumnsFor(dialect string, schema *arrow.Schema, typeFor func(arrow.DataType) string) ([]Column, error) {
	out := make([]Column, schema.NumFields())
	for i, f := range schema.Fields() {
		sql := typeFor(f.Type)
		if sql == "" {
			return nil, &encode.UnsupportedError{Format: dialect, Column: f.Name, Type: f.Type.String(),
				Reason: "no type of the server is known for it: name one in Options.Columns"}
		}
		out[i] = Column{f.Name, sql}
	}
	return out, nil
}

// Table is what the options of a dialect of SQL say of the table.
type Table struct {
	Schema, Name string
	Mode         Mode
	Key          []string
	Columns      []Column
}

// Check returns an [*encode.OptionError] for what no server takes. tooLong says so
// of a name that the dialect's cannot hold, and "" of others.
func (t *Table) Check(dialect string, tooLong func(name string) string) error {
	refused := func(option string, value any, reason string) error {
		return &encode.OptionError{Format: dialect, Option: option, Value: value, Reason: reason}
	}
	switch {
	case !slices.Contains(Modes, t.Mode):
		return refused("mode", t.Mode, fmt.Sprintf("there is %v", Modes))
	case (t.Mode == Upsert) != (len(t.Key) > 0):
		return refused("key", t.Key, "an upsert needs the columns that identify a row, and only an upsert does")
	case t.Name == "":
		return refused("table", t.Name, "name the table")
	}
	names := append([]string{t.Schema, t.Name}, t.Key...)
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	for _, name := range names {
		if strings.ContainsRune(name, 0) {
			return refused("name", fmt.Sprintf("%q", name), "a name cannot hold a NUL")
		}
		if reason := tooLong(name); reason != "" {
			return refused("name", name, reason)
		}
	}
	for _, k := range t.Key {
		if !slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Name == k }) && t.Columns != nil {
			return refused("key", k, "there is no such column")
		}
	}
	return nil
}
