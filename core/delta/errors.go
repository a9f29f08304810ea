package delta

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/seojaeohcode/atio/core/publish"
)

var (
	// ErrConflict says that another commit came first and the two do not go
	// together. Errors that match it are a [*ConflictError].
	ErrConflict = publish.ErrConflict
	// ErrCorrupt says that a table's log or files are damaged. Errors that match
	// it are a [*CorruptError].
	ErrCorrupt = publish.ErrCorrupt
	// ErrTxnDone says that what was to be committed has been already, by its
	// [Txn]: nothing is left to do.
	ErrTxnDone = errors.New("this transaction of the application has been committed already")
)

// ConflictError says what another commit did that keeps this one from going on.
type ConflictError struct {
	Path      string
	Version   int64  // of the other commit, -1 if there is none (a version was expected that is not there yet)
	Operation string // of the other commit, such as "WRITE"
	Message   string // of the other commit
	Reason    string // why it is in the way, and what to do
}

func (e *ConflictError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "commit to %s: ", e.Path)
	if e.Version >= 0 {
		fmt.Fprintf(&b, "version %d", e.Version)
		if e.Operation != "" {
			fmt.Fprintf(&b, " (%s", e.Operation)
			if e.Message != "" {
				fmt.Fprintf(&b, ", %q", e.Message)
			}
			b.WriteString(")")
		}
		b.WriteString(" came first: ")
	}
	b.WriteString(e.Reason)
	return b.String()
}

// Is says that a ConflictError is an [ErrConflict].
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// CorruptError says what is wrong with a table.
type CorruptError struct {
	Path   string
	Reason string
	Err    error // or nil
}

func (e *CorruptError) Error() string {
	s := fmt.Sprintf("table %s is damaged: %s", e.Path, e.Reason)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Is says that a CorruptError is an [ErrCorrupt].
func (e *CorruptError) Is(target error) bool { return target == ErrCorrupt }

func (e *CorruptError) Unwrap() error { return e.Err }

// FeatureError says that a table has a feature which this package does not keep.
type FeatureError struct {
	Path    string
	Feature string // by its name in the protocol, such as "deletionVectors"
	Writing bool   // it is in the way of writing only
	Reason  string // what of the table needs it, "" if the protocol lists it
}

func (e *FeatureError) Error() string {
	verb := "read"
	if e.Writing {
		verb = "written"
	}
	s := fmt.Sprintf("table %s cannot be %s: it needs the Delta feature %s, which is not supported", e.Path, verb, e.Feature)
	if e.Reason != "" {
		s += " (" + e.Reason + ")"
	}
	return s + "; use an engine that knows it, such as Spark, or drop the feature there"
}

// Is says that a FeatureError is an [errors.ErrUnsupported].
func (e *FeatureError) Is(target error) bool { return target == errors.ErrUnsupported }

// NotFoundError says that there is no table, or none of the version or tag asked
// for.
type NotFoundError struct {
	Path   string
	What   string // such as "version 7" or `tag "gold"`, "" if there is no table
	Reason string // what there is instead
}

func (e *NotFoundError) Error() string {
	if e.What == "" {
		return fmt.Sprintf("%s is no table: %s", e.Path, e.Reason)
	}
	return fmt.Sprintf("table %s has no %s: %s", e.Path, e.What, e.Reason)
}

// Is says that a NotFoundError is an [fs.ErrNotExist].
func (e *NotFoundError) Is(target error) bool { return target == fs.ErrNotExist }

// ExistsError says that something is there already: the table, or a tag.
type ExistsError struct {
	Path   string
	Reason string
}

func (e *ExistsError) Error() string { return e.Path + ": " + e.Reason }

// Is says that an ExistsError is an [fs.ErrExist].
func (e *ExistsError) Is(target error) bool { return target == fs.ErrExist }

// NotTableError says that a directory which is to become a table holds other
// things.
type NotTableError struct {
	Path  string
	Found string // one of the things
}

func (e *NotTableError) Error() string {
	return fmt.Sprintf("%s is no table, but a directory that holds %s: name an empty or a new directory", e.Path, e.Found)
}

// Is says that a NotTableError is an ENOTEMPTY.
func (e *NotTableError) Is(target error) bool { return target == syscall.ENOTEMPTY }

// TypeMismatch is a column whose type is not the table's.
type TypeMismatch struct {
	Column      string
	Table, Data string // types
}

// SchemaError says which columns of the data are not as in the table.
type SchemaError struct {
	Path    string
	Extra   []string       // in the data only
	Missing []string       // in the table only
	Types   []TypeMismatch // of another type
	Advice  string
}

func (e *SchemaError) Error() string {
	var parts []string
	if len(e.Extra) > 0 {
		parts = append(parts, "the table has no "+quoted(e.Extra))
	}
	if len(e.Missing) > 0 {
		parts = append(parts, "the data lack "+quoted(e.Missing))
	}
	for _, t := range e.Types {
		parts = append(parts, fmt.Sprintf("column %q is %s in the table and %s in the data", t.Column, t.Table, t.Data))
	}
	s := fmt.Sprintf("the data do not have the schema of table %s: %s", e.Path, strings.Join(parts, "; "))
	if e.Advice != "" {
		s += "; " + e.Advice
	}
	return s
}

func quoted(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = fmt.Sprintf("%q", n)
	}
	word := "column "
	if len(names) > 1 {
		word = "columns "
	}
	return word + strings.Join(out, ", ")
}

// OptionError says that an option cannot be as it is.
type OptionError struct {
	Path   string
	Option string
	Reason string
}

func (e *OptionError) Error() string {
	return fmt.Sprintf("table %s: %s: %s", e.Path, e.Option, e.Reason)
}
