// Package faultstore is a store that fails on purpose, to test what is built on
// stores. The idea is that of errorfs in pebble.
package faultstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/seojaeohcode/atio/core/store"
)

// Op is one call of a store or of one of its files.
type Op struct {
	Index int    // calls are counted from 1
	Name  string // of the method, such as "Rename"
	Path  string // the name it was called with, the new one where there are two
}

func (o Op) String() string { return fmt.Sprintf("%d: %s %s", o.Index, o.Name, o.Path) }

// ErrCrashed is returned by every call after a crash.
var ErrCrashed = errors.New("faultstore: crashed")

// Store passes calls on to another store and decides before each one whether it
// fails instead. Reading from open files is passed on and not counted.
type Store struct {
	below store.Store

	mu      sync.Mutex
	decide  func(Op) error
	ops     []Op
	crashed bool
}

var _ store.Store = (*Store)(nil)

// New returns a store above below. decide is called before each call; if it
// returns an error, the call fails with it and has no effect. If that is
// [ErrCrashed], all further calls fail, as if the process were dead. decide may
// be nil.
func New(below store.Store, decide func(Op) error) *Store {
	return &Store{below: below, decide: decide}
}

// Ops returns the calls so far.
func (s *Store) Ops() []Op {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Op(nil), s.ops...)
}

func (s *Store) before(name, path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.crashed {
		return ErrCrashed
	}
	op := Op{Index: len(s.ops) + 1, Name: name, Path: path}
	s.ops = append(s.ops, op)
	if s.decide == nil {
		return nil
	}
	err := s.decide(op)
	if errors.Is(err, ErrCrashed) {
		s.crashed = true
	}
	if err != nil {
		return &fs.PathError{Op: name, Path: path, Err: err}
	}
	return nil
}

// Lstat implements [store.Store].
func (s *Store) Lstat(name string) (i store.Info, err error) {
	err = s.call("Lstat", name, func() error { i, err = s.below.Lstat(name); return err })
	return i, err
}

// Readlink implements [store.Store].
func (s *Store) Readlink(name string) (to string, err error) {
	err = s.call("Readlink", name, func() error { to, err = s.below.Readlink(name); return err })
	return to, err
}

// ReadDir implements [store.Store].
func (s *Store) ReadDir(name string) (names []string, err error) {
	err = s.call("ReadDir", name, func() error { names, err = s.below.ReadDir(name); return err })
	return names, err
}

// Open implements [store.Store].
func (s *Store) Open(name string) (store.File, error) {
	return s.file("Open", name, func() (store.File, error) { return s.below.Open(name) })
}

// CreateNameless implements [store.Store].
func (s *Store) CreateNameless(dir string, perm fs.FileMode) (store.File, error) {
	return s.file("CreateNameless", dir, func() (store.File, error) { return s.below.CreateNameless(dir, perm) })
}

// Create implements [store.Store].
func (s *Store) Create(name string, perm fs.FileMode) (store.File, error) {
	return s.file("Create", name, func() (store.File, error) { return s.below.Create(name, perm) })
}

// OpenExisting implements [store.Store].
func (s *Store) OpenExisting(name string) (store.File, error) {
	return s.file("OpenExisting", name, func() (store.File, error) { return s.below.OpenExisting(name) })
}

// LinkNameless implements [store.Store].
func (s *Store) LinkNameless(f store.File, name string) error {
	return s.call("LinkNameless", name, func() error { return s.below.LinkNameless(f, name) })
}

// Link implements [store.Store].
func (s *Store) Link(oldname, newname string) error {
	return s.call("Link", newname, func() error { return s.below.Link(oldname, newname) })
}

// Rename implements [store.Store].
func (s *Store) Rename(oldname, newname string) error {
	return s.call("Rename", newname, func() error { return s.below.Rename(oldname, newname) })
}

// Exchange implements [store.Store].
func (s *Store) Exchange(a, b string) error {
	return s.call("Exchange", b, func() error { return s.below.Exchange(a, b) })
}

// Remove implements [store.Store].
func (s *Store) Remove(name string) error {
	return s.call("Remove", name, func() error { return s.below.Remove(name) })
}

// Mkdir implements [store.Store].
func (s *Store) Mkdir(name string, perm fs.FileMode) error {
	return s.call("Mkdir", name, func() error { return s.below.Mkdir(name, perm) })
}

// SyncDir implements [store.Store].
func (s *Store) SyncDir(name string) error {
	return s.call("SyncDir", name, func() error { return s.below.SyncDir(name) })
}

// Lock implements [store.Store].
func (s *Store) Lock(ctx context.Context, dir string) (u store.Unlocker, err error) {
	err = s.call("Lock", dir, func() error { u, err = s.below.Lock(ctx, dir); return err })
	return u, err
}

// TryLock implements [store.Store].
func (s *Store) TryLock(dir string) (u store.Unlocker, err error) {
	err = s.call("TryLock", dir, func() error { u, err = s.below.TryLock(dir); return err })
	return u, err
}

func (s *Store) call(name, path string, do func() error) error {
	if err := s.before(name, path); err != nil {
		return err
	}
	return do()
}

func (s *Store) file(name, path string, open func() (store.File, error)) (store.File, error) {
	if err := s.before(name, path); err != nil {
		return nil, err
	}
	f, err := open()
	if err != nil {
		return nil, err
	}
	return &file{File: f, s: s, name: path}, nil
}

type file struct {
	store.File
	s    *Store
	name string
}

func (f *file) Write(p []byte) (n int, err error) {
	err = f.s.call("File.Write", f.name, func() error { n, err = f.File.Write(p); return err })
	return n, err
}

func (f *file) Sync() error { return f.s.call("File.Sync", f.name, f.File.Sync) }

func (f *file) StartWriteback(off, n int64) error {
	return f.s.call("File.StartWriteback", f.name, func() error { return f.File.StartWriteback(off, n) })
}

func (f *file) Chmod(mode fs.FileMode) error {
	return f.s.call("File.Chmod", f.name, func() error { return f.File.Chmod(mode) })
}

func (f *file) Chown(uid, gid int) error {
	return f.s.call("File.Chown", f.name, func() error { return f.File.Chown(uid, gid) })
}

// Close closes the file below whatever is decided: a descriptor is gone even if
// close(2) reports an error.
func (f *file) Close() error {
	err := f.s.before("File.Close", f.name)
	return errors.Join(err, f.File.Close())
}
