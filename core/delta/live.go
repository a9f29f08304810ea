package delta

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// liveFiles are the files of a version. They keep the order in which they were
// added, which is that of the rows a reader gets.
type liveFiles struct {
	byPath  map[string]liveFile // by their paths in the log
	next    int64
	rows    int64
	bytes   int64
	unknown int // files that do not say how many rows they have
}

type liveFile struct {
	*Add
	turn int64
	rows int64 // -1 if not known
}

func newLiveFiles() *liveFiles { return &liveFiles{byPath: map[string]liveFile{}} }

func (l *liveFiles) clone() *liveFiles {
	if l == nil {
		return nil
	}
	c := *l
	c.byPath = maps.Clone(l.byPath)
	return &c
}

func (l *liveFiles) add(a *Add) {
	l.remove(a.Path)
	f := liveFile{a, l.next, rowsOf(a.Stats)}
	l.next++
	l.byPath[a.Path] = f
	l.count(f, 1)
}

func (l *liveFiles) remove(path string) {
	if f, ok := l.byPath[path]; ok {
		delete(l.byPath, path)
		l.count(f, -1)
	}
}

func (l *liveFiles) count(f liveFile, n int) {
	l.bytes += int64(n) * f.Size
	if f.rows < 0 {
		l.unknown += n
	} else {
		l.rows += int64(n) * f.rows
	}
}

func (l *liveFiles) apply(e *LogEntry) {
	// Of one path a version may take the old away and add the new.
	for i := range e.Removes {
		l.remove(e.Removes[i].Path)
	}
	for i := range e.Adds {
		l.add(&e.Adds[i])
	}
}

// inOrder returns the files in the order in which they were added.
func (l *liveFiles) inOrder() []liveFile {
	return slices.SortedFunc(maps.Values(l.byPath), func(a, b liveFile) int { return cmp.Compare(a.turn, b.turn) })
}

// totals are what the files come to.
func (l *liveFiles) totals() Totals {
	t := Totals{Rows: l.rows, Bytes: l.bytes, Files: len(l.byPath)}
	if l.unknown > 0 {
		t.Rows = -1
	}
	return t
}

// Totals are what the files of a version come to.
type Totals struct {
	Rows  int64 `json:"rows"`  // -1 if a file has no statistics
	Bytes int64 `json:"bytes"` // size of the files
	Files int   `json:"files"`
}

// rowsOf finds the number of rows in the statistics of a file without parsing all
// of them; -1 if they do not say.
func rowsOf(stats string) int64 {
	const key = `"numRecords":`
	if rest, ok := strings.CutPrefix(stats, "{"+key); ok { // where everybody puts it
		if end := strings.IndexAny(rest, ",}"); end > 0 {
			if n, err := strconv.ParseInt(strings.TrimSpace(rest[:end]), 10, 64); err == nil {
				return n
			}
		}
	}
	return parseStats(stats).rows()
}
