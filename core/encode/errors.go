package encode

import "fmt"

// UnsupportedError says that a format cannot hold a column's type, or that this
// encoder does not write it.
type UnsupportedError struct {
	Format string // format that was to be written
	Column string // path of the column, dotted when nested
	Type   string // its Arrow type
	Reason string // why not, and what to do
}

func (e *UnsupportedError) Error() string {
	s := fmt.Sprintf("%s: column %q has type %s, which cannot be written", e.Format, e.Column, e.Type)
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	return s
}

// OptionError says that an option has a value the format does not have.
type OptionError struct {
	Format string // format that was to be written
	Option string // name of the option, as a caller writes it
	Value  any    // the value it had
	Reason string // what it may be
}

func (e *OptionError) Error() string {
	return fmt.Sprintf("%s: %s=%v: %s", e.Format, e.Option, e.Value, e.Reason)
}

// ValueError says that one value cannot be written in this format.
type ValueError struct {
	Format string
	Column string
	Row    int64 // counted from 0 over all batches; -1 if not known
	Reason string
}

func (e *ValueError) Error() string {
	if e.Row < 0 {
		return fmt.Sprintf("%s: column %q: %s", e.Format, e.Column, e.Reason)
	}
	return fmt.Sprintf("%s: column %q, row %d: %s", e.Format, e.Column, e.Row, e.Reason)
}

// CheckError says that a file read back is not the file that was written.
type CheckError struct {
	Format string
	Reason string
}

func (e *CheckError) Error() string {
	return fmt.Sprintf("%s: read back after writing: %s", e.Format, e.Reason)
}

// PanicError is a panic of an encoder's goroutine, turned into an error.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("internal error: %v", e.Value) }
