package mysql

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/database"
	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/mysqltext"
)

// relation is a table or a view that is there.
type relation struct {
	table
	kind, engine string
}

// find returns what there is of a name, nil if nothing.
func find(ctx context.Context, c *connection, t table) (*relation, error) {
	rows, err := c.query(ctx, "look for the table",
		"SELECT TABLE_TYPE, ENGINE, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?", t.schema, t.name)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &relation{table{t.schema, rows[0][2]}, rows[0][0], rows[0][1]}, nil
}

// isTable reports whether it is no view and no sequence.
func (r *relation) isTable() bool { return r.kind == "BASE TABLE" || r.kind == "SYSTEM VERSIONED" }

// takesRows returns an error if a transaction cannot add rows.
func (r *relation) takesRows(ctx context.Context, c *connection) error {
	if !r.isTable() {
		return &database.ServerError{Op: "look at the table", Code: strconv.Itoa(errNotBaseTable), Message: fmt.Sprintf("'%s.%s' is not of type 'BASE TABLE'", r.schema, r.name),
			Hint: "of a view the server does not tell whether the tables behind it have transactions: write to them"}
	}
	rows, err := c.query(ctx, "look at the engine", "SELECT TRANSACTIONS FROM information_schema.ENGINES WHERE ENGINE = ?", r.engine)
	if err != nil || len(rows) == 1 && rows[0][0] == "YES" {
		return err
	}
	return &database.ServerError{Op: "look at the table", Code: "1178", Message: fmt.Sprintf("the engine %s of the table has no transactions, so rows could be left half written", r.engine),
		Hint: fmt.Sprintf("ALTER TABLE %s ENGINE = InnoDB, or replace the table", r.table)}
}

// columnsOf returns the columns of a table for those of the data.
func columnsOf(ctx context.Context, c *connection, t table, names []string) ([]mysqltext.Column, []string, error) {
	rows, err := c.query(ctx, "look at the columns",
		"SELECT COLUMN_NAME, DATA_TYPE, EXTRA FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION", t.schema, t.name)
	if err != nil {
		return nil, nil, err
	}
	out, own := make([]mysqltext.Column, len(names)), make([]string, len(names))
	for i, name := range names {
		at := slices.IndexFunc(rows, func(row []string) bool { return row[0] == name })
		if at < 0 {
			at = slices.IndexFunc(rows, func(row []string) bool { return strings.EqualFold(row[0], name) })
		}
		if at < 0 {
			return nil, nil, &database.ServerError{Op: "look at the columns", Code: strconv.Itoa(errBadColumn), Message: fmt.Sprintf("Unknown column '%s' in '%s'", name, t.name), Column: name}
		}
		// LOAD DATA would drop the values without a word.
		if extra := rows[at][2]; strings.Contains(extra, "STORED GENERATED") || strings.Contains(extra, "VIRTUAL GENERATED") {
			return nil, nil, &database.ServerError{Op: "look at the columns", Code: strconv.Itoa(errGenerated), Message: fmt.Sprintf("The value specified for generated column '%s' in table '%s' is not allowed", name, t.name),
				Hint: "leave the column out", Column: name}
		}
		out[i], own[i] = mysqltext.Column{Name: name, Type: strings.ToLower(rows[at][1])}, rows[at][0]
	}
	return out, own, nil
}

// checkKey returns an error if a table has no unique index on just the columns of
// a key, or another one by which a row could take the place of a wrong one.
func checkKey(ctx context.Context, c *connection, t table, key, names []string) error {
	rows, err := c.query(ctx, "look at the indexes",
		"SELECT INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND NON_UNIQUE = 0", t.schema, t.name)
	if err != nil {
		return err
	}
	indexes := map[string][]string{}
	for _, row := range rows {
		indexes[row[0]] = append(indexes[row[0]], strings.ToLower(row[1]))
	}
	lower := func(names []string) []string {
		out := make([]string, len(names))
		for i, name := range names {
			out[i] = strings.ToLower(name)
		}
		slices.Sort(out)
		return out
	}
	wanted, given := lower(key), lower(names)
	found := false
	for name, columns := range indexes {
		slices.Sort(columns)
		switch {
		case slices.Equal(columns, wanted):
			found = true
		case slices.ContainsFunc(columns, func(c string) bool { return slices.Contains(given, c) }):
			return &encode.OptionError{Format: dialect, Option: "key", Value: key, Reason: fmt.Sprintf(
				"the table has another unique index, %s, by which the server would replace rows too: leave its columns out, or merge by a statement of your own", name)}
		}
	}
	if !found {
		return &encode.OptionError{Format: dialect, Option: "key", Value: key, Reason: "the table needs a primary key or a unique index on just these columns: create one"}
	}
	return nil
}

// typeFor is a type that holds what one of Arrow's does, "" if none is known.
func typeFor(t arrow.DataType) string {
	switch t := t.(type) {
	case *arrow.BooleanType:
		return "BOOL"
	case *arrow.Int8Type:
		return "TINYINT"
	case *arrow.Int16Type:
		return "SMALLINT"
	case *arrow.Int32Type:
		return "INTEGER"
	case *arrow.Int64Type, *arrow.DurationType:
		return "BIGINT"
	case *arrow.Uint8Type:
		return "TINYINT UNSIGNED"
	case *arrow.Uint16Type:
		return "SMALLINT UNSIGNED"
	case *arrow.Uint32Type:
		return "INTEGER UNSIGNED"
	case *arrow.Uint64Type:
		return "BIGINT UNSIGNED"
	case *arrow.Float16Type, *arrow.Float32Type:
		return "FLOAT"
	case *arrow.Float64Type:
		return "DOUBLE"
	case *arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType, *arrow.NullType:
		return "LONGTEXT"
	case *arrow.BinaryType, *arrow.LargeBinaryType, *arrow.BinaryViewType, *arrow.FixedSizeBinaryType:
		return "LONGBLOB"
	case *arrow.Date32Type, *arrow.Date64Type:
		return "DATE"
	case *arrow.TimestampType:
		return "DATETIME(6)"
	case *arrow.Time32Type, *arrow.Time64Type:
		return "TIME(6)"
	case arrow.DecimalType:
		if t.GetPrecision() <= 65 && t.GetScale() >= 0 && t.GetScale() <= 30 {
			return fmt.Sprintf("DECIMAL(%d, %d)", max(t.GetPrecision(), t.GetScale()), t.GetScale())
		}
	case *arrow.DictionaryType:
		return typeFor(t.ValueType)
	}
	return ""
}
