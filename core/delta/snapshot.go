package delta

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/seojaeohcode/atio/core/store"
)

// Snapshot is a table at one version. It does not change.
type Snapshot struct {
	Version  int64
	Time     time.Time // when the version was made
	Protocol Protocol
	Metadata Metadata

	table   *Table
	schema  *Schema
	txns    map[string]Txn
	domains map[string]DomainMetadata
	files   *liveFiles         // nil if they were not asked for
	removed map[string]*Remove // tombstones, the same
	info    *CommitInfo        // of the version, nil if it came from a checkpoint

	checkpoint int64 // version of the checkpoint it began with, -1 for none
	mark       commitMark
}

// commitMark is what the file of a version looked like, so that another table
// that has taken the place of the first one is noticed.
type commitMark struct {
	size     int64
	modified time.Time
}

func markOf(o store.Object) commitMark { return commitMark{o.Size, o.Modified} }

// File is a data file of a snapshot.
type File struct {
	Path            string             `json:"path"` // slash path below the table; an absolute URI if the log says so
	PartitionValues map[string]*string `json:"partition_values"`
	Size            int64              `json:"size"`
	Rows            int64              `json:"rows"`     // -1 if it has no statistics
	Modified        int64              `json:"modified"` // milliseconds since 1970
	Stats           string             `json:"stats,omitempty"`
	Tags            map[string]*string `json:"tags,omitempty"`
}

// Schema is the table's schema.
func (s *Snapshot) Schema() *Schema { return s.schema }

// Txn returns how far an application has come.
func (s *Snapshot) Txn(appID string) (version int64, ok bool) {
	t, ok := s.txns[appID]
	return t.Version, ok
}

// Txns returns how far all applications have come, sorted by their ids.
func (s *Snapshot) Txns() []Txn {
	out := make([]Txn, 0, len(s.txns))
	for _, t := range s.txns {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b Txn) int { return cmp.Compare(a.AppID, b.AppID) })
	return out
}

// Files returns the files that make up the version, in the order in which they
// were added, which is that of the rows. Those that cannot hold a row for which
// the filter is true are left out; a nil filter is always true. A file with deletion vectors is a [FeatureError].
func (s *Snapshot) Files(f Filter) ([]File, error) {
	match, err := f.compile(s)
	if err != nil {
		return nil, err
	}
	out := make([]File, 0, len(s.files.byPath))
	for _, a := range s.files.inOrder() {
		if len(a.DeletionVector) > 0 && string(a.DeletionVector) != "null" {
			return nil, &FeatureError{Path: s.table.path, Feature: "deletionVectors", Reason: "rows of " + a.Path + " are deleted"}
		}
		if !match(a.Add) {
			continue
		}
		path, err := decodePath(a.Path)
		if err != nil {
			return nil, s.table.corrupt("a path of its log is no URI", err)
		}
		out = append(out, File{path, a.PartitionValues, a.Size, a.rows, a.ModificationTime, a.Stats, a.Tags})
	}
	return out, nil
}

// Totals returns what the files come to.
func (s *Snapshot) Totals() Totals { return s.files.totals() }

// fileStats are the statistics of a file, as far as they could be read.
type fileStats struct {
	NumRecords *int64                     `json:"numRecords"`
	MinValues  map[string]json.RawMessage `json:"minValues"`
	MaxValues  map[string]json.RawMessage `json:"maxValues"`
	NullCount  map[string]json.RawMessage `json:"nullCount"`
}

func parseStats(text string) *fileStats {
	s := new(fileStats)
	if text != "" && json.Unmarshal([]byte(text), s) != nil {
		return new(fileStats)
	}
	return s
}

func (s *fileStats) rows() int64 {
	if s.NumRecords == nil {
		return -1
	}
	return *s.NumRecords
}
