package main

import (
	"context"
	"errors"
	"syscall"

	"github.com/seojaeohcode/atio/core"
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
	case errors.Is(err, errCancelled), errors.Is(err, context.Canceled):
		f.Kind = "cancelled"
	case errors.Is(err, core.ErrCorrupt):
		f.Kind = "corrupt"
	case errors.Is(err, core.ErrConflict):
		f.Kind = "conflict"
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
