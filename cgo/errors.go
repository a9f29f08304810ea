package main

import (
	"context"
	"errors"
	"syscall"

	"github.com/seojaeohcode/atio/core"
	"github.com/seojaeohcode/atio/core/delta"
	"github.com/seojaeohcode/atio/core/delta/spool"
	"github.com/seojaeohcode/atio/core/encode"
)

// failure is an error as JSON. Kind says which of the other fields are set; the
// caller makes its own language's exception of it.
type failure struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Errno   int    `json:"errno,omitempty"`
	Op      string `json:"op,omitempty"`
	Path    []byte `json:"path,omitempty"` // base64
	Advice  string `json:"advice,omitempty"`
	Changed bool   `json:"changed,omitempty"`
	Column  string `json:"column,omitempty"`
	Type    string `json:"type,omitempty"`
	Option  string `json:"option,omitempty"`
	Stack   string `json:"stack,omitempty"`
	Code    string `json:"code,omitempty"` // of a database server, such as an SQLSTATE
}

func describe(err error) failure {
	f := failure{Kind: "other", Message: err.Error()}
	var (
		perr  *core.Error
		errno syscall.Errno
		uerr  *core.UnsupportedError
		oerr  *core.OptionError
		verr  *core.ValueError
		cerr  *encode.CheckError
		crash *encode.PanicError
		serr  *streamError
		scerr *schemaError
		table tableErrors
	)
	if errors.As(err, &perr) {
		f.Op, f.Path, f.Advice, f.Changed = perr.Op, []byte(perr.Path), perr.Advice, perr.Changed
		f.Message = perr.Reason()
	}
	if describeDatabase(err, &f) {
		return f
	}
	switch {
	case errors.As(err, &crash):
		f.Kind, f.Stack = "panic", string(crash.Stack)
	case errors.As(err, new(*delta.UnknownError)):
		f.Kind = "commit unknown"
	case errors.Is(err, errCancelled), errors.Is(err, context.Canceled):
		f.Kind = "cancelled"
	case errors.Is(err, core.ErrCorrupt), errors.Is(err, spool.ErrDamaged):
		f.Kind = "corrupt"
	case errors.Is(err, core.ErrConflict), errors.Is(err, spool.ErrInUse):
		f.Kind = "conflict"
	case table.find(err):
		table.describe(&f)
	case errors.As(err, &uerr):
		f.Kind, f.Column, f.Type = "unsupported", uerr.Column, uerr.Type
	case errors.As(err, &oerr):
		f.Kind, f.Option = "option", oerr.Option
	case errors.As(err, &verr):
		f.Kind, f.Column = "value", verr.Column
	case errors.As(err, &cerr):
		f.Kind = "check"
	case errors.As(err, &scerr):
		f.Kind = "unsupported"
	case errors.As(err, &serr):
		f.Kind = "stream"
	case errors.As(err, &errno):
		f.Kind, f.Errno = "os", int(errno)
	}
	return f
}

// tableErrors are the errors that only tables have.
type tableErrors struct {
	missing *delta.NotFoundError
	exists  *delta.ExistsError
	other   *delta.NotTableError
	schema  *delta.SchemaError
	option  *delta.OptionError
	feature *delta.FeatureError
}

func (t *tableErrors) find(err error) bool {
	return errors.As(err, &t.missing) || errors.As(err, &t.exists) || errors.As(err, &t.other) ||
		errors.As(err, &t.schema) || errors.As(err, &t.option) || errors.As(err, &t.feature)
}

func (t *tableErrors) describe(f *failure) {
	f.Path = nil // the message names it
	switch {
	case t.missing != nil && t.missing.What != "":
		f.Kind = "version"
	case t.missing != nil:
		f.Kind, f.Errno, f.Path, f.Advice = "os", int(syscall.ENOENT), []byte(t.missing.Path), t.missing.Reason
	case t.exists != nil:
		f.Kind, f.Errno, f.Path, f.Advice = "os", int(syscall.EEXIST), []byte(t.exists.Path), t.exists.Reason
	case t.other != nil:
		f.Kind, f.Errno, f.Path = "os", int(syscall.ENOTEMPTY), []byte(t.other.Path)
		f.Advice = "it is no table and holds " + t.other.Found + ": name an empty or a new directory"
	case t.schema != nil, t.option != nil:
		f.Kind = "option"
	case t.feature != nil:
		f.Kind = "feature"
	}
}
