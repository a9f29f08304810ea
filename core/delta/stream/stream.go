// Package stream commits what comes bit by bit to a table, exactly once.
//
// A [Stream] takes batches with the offset of their source behind them, such as
// that of a queue, buffers them, and commits them in micro-batches. Each commit
// carries the last offset in a txn action of the Delta protocol (section
// "Transaction Identifiers" of PROTOCOL.md), so data and offset become visible
// together or not at all. Whoever is killed opens the stream again, asks
// [Stream.LastOffset] and goes on behind it: nothing is lost and nothing doubled.
//
// With [Options].Spool what has been taken and not committed is on the local disk
// as well (package spool), and is committed when the stream is opened again.
package stream

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/delta"
	"github.com/seojaeohcode/atio/core/delta/spool"
	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/parquet"
	"github.com/seojaeohcode/atio/core/store"
)

// Defaults of Options.
const (
	DefaultMaxRows  = 100_000
	DefaultMaxBytes = 64 << 20
	DefaultMaxDelay = 10 * time.Second
)

// ErrClosed says that a stream has been closed.
var ErrClosed = errors.New("the stream is closed")

// Options say how a stream commits.
type Options struct {
	// AppID names the stream in the table; one process at a time uses it.
	AppID string
	// MaxRows, MaxBytes (in memory) and MaxDelay (of the oldest) are how much may
	// be taken and not committed; 0 stands for the defaults, less than 0 for no
	// limit. What reaches one is committed: by the Append that does so, or for
	// MaxDelay in the background.
	MaxRows, MaxBytes int64
	MaxDelay          time.Duration
	// Spool is the directory of the journal, "" for none. It is this stream's alone.
	Spool string
	// SpoolStore is where that directory is; nil is the local file system.
	SpoolStore store.Store
	// SkipSync leaves out the syncs of the journal.
	SkipSync bool
	// Write is how micro-batches are written. Its Mode is always Append.
	Write delta.WriteOptions
}

// Stream is a table being appended to. Its methods may be called by many
// goroutines at once, and take turns. Every Stream must be ended by Close or Abort.
type Stream struct {
	table *delta.Table
	o     Options
	busy  chan struct{} // holds one token while nobody is at work
	stop  context.CancelFunc
	ended chan struct{} // closed when the goroutine for MaxDelay has ended

	journal *spool.Journal

	// Guarded by busy.
	closed  bool
	taken   int64 // the last offset taken, none if there is none
	buffer  buffer
	tried   []int64 // offsets up to which a commit has failed since the last success
	failed  error   // of a commit in the background, not yet told
	results []delta.Result
	oldest  time.Time
	wake    chan time.Time // tells the goroutine when the next commit is due

	mu        sync.Mutex
	committed int64 // the last offset committed
}

const none = -1

// Open begins or resumes a stream. What an earlier one has left in the journal is
// committed first.
func Open(ctx context.Context, t *delta.Table, o Options) (*Stream, error) {
	if o.AppID == "" {
		return nil, optionError("app_id", "", "a stream needs a name, by which the table remembers its offset")
	}
	o.Write.Mode = delta.Append
	setDefault(&o.MaxRows, DefaultMaxRows)
	setDefault(&o.MaxBytes, DefaultMaxBytes)
	setDefault(&o.MaxDelay, DefaultMaxDelay)
	s := &Stream{
		table: t, o: o, busy: make(chan struct{}, 1), wake: make(chan time.Time, 1), ended: make(chan struct{}),
	}
	var err error
	if s.committed, err = lastOffset(ctx, t, o.AppID); err != nil {
		return nil, err
	}
	s.taken = s.committed
	if o.Spool != "" {
		if err := s.recover(ctx); err != nil {
			return nil, err
		}
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.busy <- struct{}{}
	go s.commitInTime(background)
	return s, nil
}

func optionError(option string, value any, reason string) error {
	return &encode.OptionError{Format: "stream", Option: option, Value: value, Reason: reason}
}

func setDefault[T int64 | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

func lastOffset(ctx context.Context, t *delta.Table, appID string) (int64, error) {
	version, err := t.Version(ctx)
	if err != nil {
		return 0, err
	}
	if version < 1 {
		return none, nil // not there, or only begun
	}
	snapshot, err := t.Snapshot(ctx, delta.At{})
	if err != nil {
		return 0, err
	}
	if offset, ok := snapshot.Txn(appID); ok {
		return offset, nil
	}
	return none, nil
}

// recover commits what is left in the journal.
func (s *Stream) recover(ctx context.Context) (err error) {
	var left []spool.Record
	s.journal, left, err = spool.Open(s.o.Spool, spool.Options{Store: s.o.SpoolStore, SkipSync: s.o.SkipSync})
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.journal.Close())
		}
	}()
	for _, r := range left {
		if r.Offset <= s.taken {
			continue // committed before its segment could be removed
		}
		e, err := decode(r.Offset, r.Payload)
		if err != nil {
			return fmt.Errorf("journal %s, offset %d: %w", s.o.Spool, r.Offset, err)
		}
		if !s.buffer.fits(e.schema) {
			if err := s.commit(ctx); err != nil {
				return err
			}
		}
		s.buffer.add(e)
		s.taken = r.Offset
	}
	return s.commit(ctx)
}

// LastOffset is the last offset that is committed: the source goes on behind it.
// ok is false if there is none yet.
func (s *Stream) LastOffset() (offset int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.committed, s.committed != none
}

// enter waits for its turn.
func (s *Stream) enter(ctx context.Context) error {
	select {
	case <-s.busy:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if s.closed {
		s.leave()
		return ErrClosed
	}
	return nil
}

func (s *Stream) leave() { s.busy <- struct{}{} }

// tell returns what has failed in the background, once.
func (s *Stream) tell() error {
	err := s.failed
	s.failed = nil
	return err
}

// SetEncoding says how the data files are encoded from the next commit on.
func (s *Stream) SetEncoding(ctx context.Context, o *parquet.Options) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	s.o.Write.Encoding = o
	return nil
}

// Append takes the batches of r, all of them or none, with the offset behind
// them: a number >= 0, greater than the last one. What has been taken already
// (the same offset again, or one that was committed before the stream was opened)
// is passed over, and taken is false.
//
// If a commit fails, in this call or before in the background, its error is
// returned. taken says whether r is in the stream all the same, and will be
// committed by the next call that succeeds.
func (s *Stream) Append(ctx context.Context, r array.RecordReader, offset int64) (taken bool, err error) {
	if err := s.enter(ctx); err != nil {
		return false, err
	}
	defer s.leave()
	if err := s.tell(); err != nil {
		return false, err
	}
	if offset < 0 {
		return false, optionError("offset", offset, "offsets begin at 0")
	}
	if offset > s.taken {
		if err := s.take(ctx, r, offset); err != nil {
			return false, err
		}
		taken = true
	} else if committed, _ := s.LastOffset(); offset > committed && offset < s.taken {
		return false, optionError("offset", offset, fmt.Sprintf("%d was taken already: offsets increase", s.taken))
	}
	if s.due() {
		return taken, s.commit(ctx)
	}
	return taken, nil
}

func (s *Stream) take(ctx context.Context, r array.RecordReader, offset int64) error {
	e, err := encodeEntry(offset, r)
	if err != nil {
		return err
	}
	if !s.buffer.fits(e.schema) {
		// Before it is taken, so that nothing is which could never be committed.
		if err := s.check(ctx, e.schema); err != nil {
			return err
		}
		if err := s.commit(ctx); err != nil {
			return err
		}
	}
	if s.journal != nil {
		if err := s.journal.Append(offset, e.payload); err != nil {
			return err
		}
	}
	s.buffer.add(e)
	s.taken = offset
	if s.oldest.IsZero() {
		s.oldest = time.Now()
		s.schedule()
	}
	return nil
}

// check asks the table whether it takes a schema.
func (s *Stream) check(ctx context.Context, schema *arrow.Schema) error {
	w, err := s.table.NewWriter(ctx, schema, s.o.Write)
	if err != nil {
		return err
	}
	w.Abort()
	return nil
}

func (s *Stream) due() bool {
	return s.o.MaxRows > 0 && s.buffer.rows >= s.o.MaxRows || s.o.MaxBytes > 0 && s.buffer.bytes >= s.o.MaxBytes ||
		s.o.MaxDelay > 0 && !s.oldest.IsZero() && time.Since(s.oldest) >= s.o.MaxDelay
}

// commit makes what has been taken a version of the table. On an error it stays
// taken.
func (s *Stream) commit(ctx context.Context) error {
	for !s.buffer.empty() {
		err := s.commitBuffer(ctx)
		if err == nil {
			return nil
		}
		if !errors.Is(err, delta.ErrConflict) && !errors.Is(err, delta.ErrTxnDone) {
			s.tried = append(s.tried, s.taken)
			return err
		}
		// Was it an earlier attempt of ours, whose answer was lost?
		now, e := lastOffset(ctx, s.table, s.o.AppID)
		if e != nil {
			return errors.Join(err, e)
		}
		if !slices.Contains(s.tried, now) {
			return fmt.Errorf("%w: another stream named %q has committed offset %d, and this one is at %d; only one at a time "+
				"may have a name: open this one again to go on behind the other", delta.ErrConflict, s.o.AppID, now, s.committed)
		}
		s.buffer.drop(now)
		s.done(now)
	}
	return nil
}

func (s *Stream) commitBuffer(ctx context.Context) error {
	r, err := s.buffer.reader()
	if err != nil {
		return err
	}
	defer r.Release()
	var segment int64
	if s.journal != nil {
		if segment, err = s.journal.Cut(); err != nil {
			return err
		}
	}
	o, before := s.o.Write, s.committed
	o.Txn = &delta.Txn{AppID: s.o.AppID, Version: s.taken, After: &before}
	o.Rows = s.buffer.rows
	result, err := s.table.Write(ctx, r, o)
	if err != nil {
		return err
	}
	s.results = append(s.results, result)
	s.buffer, s.tried = buffer{}, nil
	s.done(s.taken)
	if s.journal != nil {
		// What cannot be removed is known by its offset when the stream is opened again.
		_ = s.journal.Drop(segment)
	}
	return nil
}

// done notes that all up to an offset is committed.
func (s *Stream) done(offset int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.committed = offset
	if s.buffer.empty() {
		s.oldest = time.Time{}
	}
}

// Flush commits what has been taken, and returns the versions committed since
// the last Flush.
func (s *Stream) Flush(ctx context.Context) ([]delta.Result, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	if err := errors.Join(s.tell(), s.commit(ctx)); err != nil {
		return nil, err
	}
	results := s.results
	s.results = nil
	return results, nil
}

// Discard gives up what has been taken and not committed, in the journal too, such
// as rows that the table refuses. It returns how many rows those were.
func (s *Stream) Discard(ctx context.Context) (rows int64, err error) {
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	defer s.leave()
	if s.journal != nil {
		segment, err := s.journal.Cut()
		if err != nil {
			return 0, err
		}
		if err := s.journal.Drop(segment); err != nil {
			return 0, err
		}
	}
	rows = s.buffer.rows
	s.buffer, s.failed, s.oldest, s.tried = buffer{}, nil, time.Time{}, nil
	s.taken = s.committed
	return rows, nil
}

// Close commits what has been taken and ends the stream. If that fails the stream
// stays open, to try again or to Abort.
func (s *Stream) Close(ctx context.Context) error {
	if err := s.enter(ctx); err != nil {
		if errors.Is(err, ErrClosed) {
			return nil
		}
		return err
	}
	if err := errors.Join(s.tell(), s.commit(ctx)); err != nil {
		s.leave()
		return err
	}
	return s.end()
}

// Abort ends the stream without committing what is taken. With a journal, that
// is committed when the stream is opened again; without, it is given up. It
// returns what failed in the background and was not told yet.
func (s *Stream) Abort() error {
	if err := s.enter(context.Background()); err != nil {
		return nil
	}
	return errors.Join(s.tell(), s.end())
}

func (s *Stream) end() error {
	s.closed = true
	s.buffer = buffer{}
	s.leave()
	s.stop()
	<-s.ended
	if s.journal != nil {
		return s.journal.Close()
	}
	return nil
}

// schedule tells the goroutine when what was taken first is due.
func (s *Stream) schedule() {
	if s.o.MaxDelay <= 0 {
		return
	}
	select {
	case <-s.wake: // an older one, of what is committed meanwhile
	default:
	}
	s.wake <- s.oldest.Add(s.o.MaxDelay)
}

// commitInTime commits in the background what has waited for MaxDelay.
func (s *Stream) commitInTime(ctx context.Context) {
	defer close(s.ended)
	for {
		var at time.Time
		select {
		case <-ctx.Done():
			return
		case at = <-s.wake:
		}
		timer := time.NewTimer(time.Until(at))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		s.commitDue(ctx)
	}
}

// commitDue commits if something is due still, and keeps the error for the next
// caller.
func (s *Stream) commitDue(ctx context.Context) {
	if s.enter(ctx) != nil {
		return
	}
	defer s.leave()
	defer func() {
		if r := recover(); r != nil {
			s.failed = errors.Join(s.failed, &encode.PanicError{Value: r, Stack: debug.Stack()})
		}
	}()
	if s.oldest.IsZero() {
		return
	}
	if time.Since(s.oldest) < s.o.MaxDelay {
		s.schedule() // that was for rows which are committed by now
		return
	}
	if err := s.commit(ctx); err != nil && ctx.Err() == nil {
		s.failed = fmt.Errorf("committing in the background, up to offset %d: %w", s.taken, err)
	}
}
