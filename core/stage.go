package core

import (
	"context"
	"time"

	"github.com/seojaeohcode/atio/core/progress"
	"github.com/seojaeohcode/atio/core/publish"
)

// Stage is a file, or a directory of files, that other code writes, to be published like any other. Every
// Stage must be ended by Finish or Abort.
type Stage struct {
	o     Options
	began time.Time
	stage *publish.Stage
	ended bool
}

// NewDirectoryStage is NewStage for a directory of files, as [DatasetWriter]
// writes them, which is there for the caller's own code to write into.
func NewDirectoryStage(ctx context.Context, target string, o Options) (*Stage, error) {
	po := o.publish()
	po.External, po.Directory = true, true
	return newStage(ctx, target, po, o)
}

// NewStage prepares to publish target from a file that the caller's own code is
// going to create at Path. If extend is set, that file is there and holds what
// the target holds now; Finish then fails with [ErrConflict] if the target has
// been changed meanwhile. Options.Encoding is not used.
func NewStage(ctx context.Context, target string, extend bool, o Options) (*Stage, error) {
	po := o.publish()
	po.External, po.Append = true, extend
	return newStage(ctx, target, po, o)
}

func newStage(ctx context.Context, target string, po publish.Options, o Options) (*Stage, error) {
	s := &Stage{o: o, began: time.Now()}
	o.Progress.Enter(progress.Encoding)
	var err error
	if s.stage, err = publish.Begin(ctx, target, po); err != nil {
		return nil, err
	}
	return s, nil
}

// Path is where the file is to be created. Its last element is the target's.
func (s *Stage) Path() string { return s.stage.Path() }

// Finish takes the file at Path and publishes it, up to the caller's consent.
// format and engine go into the flag; rows is -1 if there are none.
func (s *Stage) Finish(format, engine string, rows int64) (*Pending, error) {
	if s.ended {
		return nil, ErrClosed
	}
	c := publish.Content{Format: format, Engine: engine}
	if rows >= 0 {
		c.Rows = &rows
	}
	p, err := s.finish(c)
	if err != nil {
		s.Abort()
		return nil, err
	}
	s.ended = true
	return p, nil
}

func (s *Stage) finish(c publish.Content) (*Pending, error) {
	if err := s.stage.Adopt(); err != nil {
		return nil, err
	}
	if err := s.stage.Seal(); err != nil {
		return nil, err
	}
	return publishStage(s.stage, &s.o, c, s.began)
}

// Abort ends the stage without publishing and removes all traces.
func (s *Stage) Abort() {
	if !s.ended {
		s.ended = true
		s.stage.Abort()
	}
}
