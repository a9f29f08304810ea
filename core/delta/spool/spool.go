// Package spool is the local journal of a stream: what has been taken and is not
// committed yet, so that it survives a kill and a power cut.
//
// A journal is a directory that belongs to one process at a time, with a few
// segments in it, files of records one behind the other. A record is on the disk
// when [Journal.Append] returns. [Journal.Cut] begins a new segment, so that
// those before can be committed while more is taken, and [Journal.Drop] removes
// them afterwards.
//
// The format of a record, all numbers little-endian:
//
//	8 bytes   length n of the payload
//	8 bytes   offset, the caller's number of the record
//	8 bytes   xxh3 (64 bits) of the 16 bytes above
//	8 bytes   xxh3 of the payload
//	n bytes   payload
//
// The last record of a segment may be torn: then its Append has not returned, and
// it is dropped. Where a whole record comes behind one that cannot be read, it is
// damage and an error, as records would be lost that somebody was told are safe.
package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/zeebo/xxh3"

	"github.com/seojaeohcode/atio/core/store"
)

const (
	headerSize = 32
	suffix     = ".spool"
)

var (
	// ErrInUse says that another process or stream has the journal.
	ErrInUse = errors.New("the journal is in use by another stream of the same name")
	// ErrDamaged says that a journal holds something that is no record.
	ErrDamaged = errors.New("the journal is damaged")
	errBroken  = errors.New("an earlier append to the journal failed")
)

// Record is what one Append has taken.
type Record struct {
	Offset  int64
	Payload []byte
}

// Options say where a journal lives and how safe it is.
type Options struct {
	// Store is where the directory is; nil is the local file system.
	Store store.Store
	// SkipSync leaves out the syncs: a kill does no harm then, a power cut may.
	SkipSync bool
}

// Journal is an open journal. Its methods may be called by many goroutines.
type Journal struct {
	st   store.Store
	dir  string
	sync bool
	lock store.Unlocker

	mu       sync.Mutex
	file     store.File // the segment at hand, nil until something is appended to it
	segment  int64      // its number
	segments []int64    // that are there, the one at hand included
	broken   bool
	closed   bool
}

// Open opens the journal in the directory dir, which is made if it is not there,
// and returns the records that are left in it, the oldest first. They stay in the
// journal until Drop.
//
// The error is [ErrInUse] if somebody else has it, [ErrDamaged] if a record
// other than a torn last one cannot be read, or the file system's.
func Open(dir string, o Options) (*Journal, []Record, error) {
	j := &Journal{st: o.Store, dir: dir, sync: !o.SkipSync}
	if j.st == nil {
		j.st = store.Local{}
	}
	if err := j.mkdir(dir); err != nil {
		return nil, nil, err
	}
	var err error
	if j.lock, err = j.st.TryLock(dir); err != nil {
		if errors.Is(err, store.ErrLocked) {
			err = &fs.PathError{Op: "lock", Path: dir, Err: ErrInUse}
		}
		return nil, nil, err
	}
	records, err := j.recover()
	if err != nil {
		return nil, nil, errors.Join(err, j.lock.Unlock())
	}
	return j, records, nil
}

// mkdir makes a directory and those above it, each of them on the disk.
func (j *Journal) mkdir(dir string) error {
	if info, err := j.st.Lstat(dir); err == nil {
		if info.Mode&fs.ModeSymlink == 0 && !info.Mode.IsDir() {
			return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
		}
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := j.mkdir(parent); err != nil {
			return err
		}
	}
	if err := j.st.Mkdir(dir, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return j.syncDir(parent)
}

func (j *Journal) syncDir(dir string) error {
	if !j.sync {
		return nil
	}
	return j.st.SyncDir(dir)
}

func (j *Journal) recover() ([]Record, error) {
	names, err := j.st.ReadDir(j.dir)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		stem, ok := strings.CutSuffix(name, suffix)
		n, err := strconv.ParseInt(stem, 10, 64)
		if ok && err == nil {
			j.segments = append(j.segments, n)
		}
	}
	slices.Sort(j.segments)
	var records []Record
	for _, n := range j.segments {
		some, err := j.read(n)
		if err != nil {
			return nil, err
		}
		records = append(records, some...)
	}
	if len(j.segments) > 0 {
		j.segment = j.segments[len(j.segments)-1]
	}
	return records, nil
}

func (j *Journal) name(segment int64) string {
	return filepath.Join(j.dir, fmt.Sprintf("%016d%s", segment, suffix))
}

func (j *Journal) read(segment int64) ([]Record, error) {
	name := j.name(segment)
	f, err := j.st.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	records, rest := Parse(data)
	if !torn(rest) {
		at := len(data) - len(rest)
		return nil, &fs.PathError{Op: "read", Path: name, Err: fmt.Errorf("%w: no record at byte %d", ErrDamaged, at)}
	}
	return records, nil
}

// Parse returns the records at the beginning of data, which they share, and the
// bytes behind them that are no record.
func Parse(data []byte) (records []Record, rest []byte) {
	for {
		r, size, ok := parse(data)
		if !ok {
			return records, data
		}
		records, data = append(records, r), data[size:]
	}
}

// parse returns the record that data begins with, if it does, and its size.
func parse(data []byte) (r Record, size int, ok bool) {
	if len(data) < headerSize || xxh3.Hash(data[:16]) != binary.LittleEndian.Uint64(data[16:]) {
		return Record{}, 0, false
	}
	n := binary.LittleEndian.Uint64(data)
	if n > uint64(len(data)-headerSize) {
		return Record{}, 0, false
	}
	size = headerSize + int(n)
	payload := data[headerSize:size]
	if xxh3.Hash(payload) != binary.LittleEndian.Uint64(data[24:]) {
		return Record{}, 0, false
	}
	return Record{Offset: int64(binary.LittleEndian.Uint64(data[8:])), Payload: payload}, size, true
}

// torn says whether what is left of a segment can be one record whose Append has
// not returned, cut off or with pages that never came to the disk: nothing has
// been appended behind it.
func torn(rest []byte) bool {
	for at := 1; at+headerSize <= len(rest); at++ {
		if _, _, ok := parse(rest[at:]); ok {
			return false
		}
	}
	return true
}

// Append adds a record. When it returns without an error the record is on the
// disk. After an error the record is not in the journal, and what is appended
// next begins a new segment.
func (j *Journal) Append(offset int64, payload []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return fs.ErrClosed
	}
	if j.broken {
		// The torn record must stay the last one of its segment.
		if err := j.cut(); err != nil {
			return errors.Join(errBroken, err)
		}
	}
	if j.file == nil {
		if err := j.begin(); err != nil {
			return err
		}
	}
	record := make([]byte, headerSize, headerSize+len(payload))
	binary.LittleEndian.PutUint64(record, uint64(len(payload)))
	binary.LittleEndian.PutUint64(record[8:], uint64(offset))
	binary.LittleEndian.PutUint64(record[16:], xxh3.Hash(record[:16]))
	binary.LittleEndian.PutUint64(record[24:], xxh3.Hash(payload))
	// Broken until it is known to be whole: a panic below must not be forgotten.
	j.broken = true
	if _, err := j.file.Write(append(record, payload...)); err != nil {
		return err
	}
	if j.sync {
		if err := j.file.Sync(); err != nil {
			return err
		}
	}
	j.broken = false
	return nil
}

func (j *Journal) begin() error {
	f, err := j.st.Create(j.name(j.segment+1), 0o666)
	if err != nil {
		return err
	}
	j.segment++
	j.segments = append(j.segments, j.segment)
	j.file = f
	return j.syncDir(j.dir)
}

// Cut ends the segment at hand and returns its number, for Drop: all that has
// been appended is in segments up to it.
func (j *Journal) Cut() (int64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return 0, fs.ErrClosed
	}
	return j.segment, j.cut()
}

func (j *Journal) cut() error {
	j.broken = false
	if j.file == nil {
		return nil
	}
	f := j.file
	j.file = nil
	return f.Close()
}

// Drop removes the segments up to a number that Cut has returned: what is in them
// is committed.
func (j *Journal) Drop(upTo int64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return fs.ErrClosed
	}
	for len(j.segments) > 0 && j.segments[0] <= upTo {
		if j.file != nil && j.segments[0] == j.segment {
			break // more has been appended to it since
		}
		if err := j.st.Remove(j.name(j.segments[0])); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		j.segments = j.segments[1:]
	}
	return nil
}

// Close gives the journal to whoever wants it next. What has not been dropped
// stays in it; if nothing has, its directory is removed.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil
	}
	err := j.cut()
	j.closed = true
	if len(j.segments) == 0 {
		_ = j.st.Remove(j.dir) // in use again, or not empty: it may stay
	}
	return errors.Join(err, j.lock.Unlock())
}
