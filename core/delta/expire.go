package delta

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"
)

// ExpireOptions say which versions are to go.
type ExpireOptions struct {
	// KeepFor keeps each version that has been the newest within this time.
	KeepFor time.Duration
	// KeepLast keeps so many of the newest versions; 0 means 1.
	KeepLast int
	// DryRun only reports.
	DryRun bool
}

// Report says what has gone, or would.
type Report struct {
	DryRun   bool
	Versions []int64          // expired, ascending
	Kept     map[int64]string // versions old enough to go, and why they have not
	Files    []string         // data files of no version that is left, sorted
	Orphans  []string         // data files that no version ever had, and what killed programs have left
	LogFiles []string         // of the log
	Bytes    int64            // size of all these files
}

const (
	// logGrace is how old entries of the log must be to be removed: a slow writer
	// must not find the number free that it is about to take.
	logGrace = time.Hour
	// orphanGrace is the age at which files of no version are taken for leftovers.
	orphanGrace = 24 * time.Hour
)

// Expire removes versions, and the files that no version needs then. It never
// touches the newest version, one with a tag, or one that somebody reads by
// [Table.Hold], and no other engine's reader within KeepFor.
//
// A version first is marked as expired, and then it is looked once more whether
// somebody has meanwhile come to need it: see [Table.Tag]. Files go last. Whenever
// it is killed, what is left is a table whose versions are whole or marked, and the
// next run goes on.
func (t *Table) Expire(ctx context.Context, o ExpireOptions) (Report, error) {
	if o.KeepFor < 0 || o.KeepLast < 0 {
		return Report{}, &OptionError{Path: t.path, Option: "keep_for, keep_last", Reason: "they must not be negative"}
	}
	now := time.Now().UnixMilli()
	since := now - o.KeepFor.Milliseconds()
	return t.retire(ctx, o.DryRun, func(p *past) map[int64]string {
		want := map[int64]string{}
		last := p.last()
		for v := p.first; v <= last-int64(max(1, o.KeepLast)); v++ {
			// A version that was replaced this very millisecond counts as replaced.
			if p.replaced(v) <= since {
				want[v] = ""
			}
		}
		return want
	})
}

// DeleteVersion removes one version, and the files that no other one needs. It
// must not be the newest, have a tag, or be in use: then the error is an
// [ExistsError].
func (t *Table) DeleteVersion(ctx context.Context, version int64, dryRun bool) (Report, error) {
	if _, err := t.Snapshot(ctx, At{Version: &version}); err != nil {
		return Report{}, err
	}
	r, err := t.retire(ctx, dryRun, func(*past) map[int64]string { return map[int64]string{version: ""} })
	if reason, ok := r.Kept[version]; ok && err == nil {
		err = &ExistsError{Path: t.path, Reason: fmt.Sprintf("version %d cannot be deleted: %s", version, reason)}
	}
	return r, err
}

// past is what the log says of all versions.
type past struct {
	first  int64
	times  []int64 // of the versions from first on, in milliseconds since 1970
	files  map[string]*lifetime
	marked expiredVersions
}

// lifetime is when a file was in the table.
type lifetime struct {
	size  int64
	spans [][2]int64 // versions, from the one that added it up to the one before it went
}

func (p *past) last() int64 { return p.first + int64(len(p.times)) - 1 }

// replaced returns when a version was no longer the newest.
func (p *past) replaced(v int64) int64 { return p.times[v+1-p.first] }

// readPast reads the whole log.
func (t *Table) readPast(ctx context.Context) (*past, error) {
	log, err := t.wholeLog(ctx)
	if err != nil {
		return nil, err
	}
	s, err := t.load(ctx, log.oldest(), true)
	if err != nil {
		return nil, err
	}
	if err := mayWrite(t.path, &s.Protocol, &s.Metadata, s.schema); err != nil {
		return nil, err
	}
	p := &past{first: s.Version, files: map[string]*lifetime{}}
	for _, f := range s.files.byPath {
		p.files[f.Path] = &lifetime{f.Size, [][2]int64{{s.Version, -1}}}
	}
	for path, r := range s.removed { // of versions whose log is gone
		p.files[path] = &lifetime{size: r.Size}
	}
	p.times = append(p.times, s.Time.UnixMilli())
	for v := s.Version + 1; v <= log.latest(); v++ {
		e, err := t.ReadCommit(ctx, v)
		if err != nil {
			return nil, err
		}
		p.apply(e)
		ms := e.Info.time()
		if ms == 0 {
			if ms, err = t.timeOf(ctx, v); err != nil {
				return nil, err
			}
		}
		p.times = append(p.times, max(ms, p.times[len(p.times)-1]))
	}
	p.marked, err = t.marks(ctx)
	return p, err
}

func (p *past) apply(e *LogEntry) {
	for _, r := range e.Removes {
		if f := p.files[r.Path]; f != nil && len(f.spans) > 0 {
			if span := &f.spans[len(f.spans)-1]; span[1] < 0 {
				span[1] = e.Version - 1
			}
		}
	}
	for _, a := range e.Adds {
		f := p.files[a.Path]
		if f == nil {
			f = &lifetime{}
			p.files[a.Path] = f
		}
		f.size = a.Size
		if n := len(f.spans); n == 0 || f.spans[n-1][1] >= 0 {
			f.spans = append(f.spans, [2]int64{e.Version, -1})
		}
	}
}

// needs returns a test whether a file is in a version that is kept.
func (p *past) needs(kept func(int64) bool) func(*lifetime) bool {
	before := make([]int, len(p.times)+1) // versions kept before the i-th one
	for i := range p.times {
		before[i+1] = before[i]
		if kept(p.first + int64(i)) {
			before[i+1]++
		}
	}
	return func(f *lifetime) bool {
		for _, span := range f.spans {
			if span[1] < 0 || before[span[1]+1-p.first] > before[span[0]-p.first] {
				return true
			}
		}
		return false
	}
}

// protected says why versions must not go: they have tags, or are in use.
func (t *Table) protected(ctx context.Context, p *past) (map[int64]string, error) {
	out := map[int64]string{p.last(): "it is the newest version"}
	leases, err := t.leases(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range leases {
		if l.version != newest {
			out[l.version] = "somebody is reading it"
			continue
		}
		for v := p.first; v < p.last(); v++ {
			if p.replaced(v) >= l.since {
				out[v] = "somebody may be reading it"
			}
		}
	}
	tags, err := t.Tags(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		out[tags[name]] = fmt.Sprintf("it has the tag %q", name)
	}
	return out, nil
}

// retire removes the versions that choose returns.
func (t *Table) retire(ctx context.Context, dryRun bool, choose func(*past) map[int64]string) (Report, error) {
	r := Report{DryRun: dryRun, Kept: map[int64]string{}}
	p, err := t.readPast(ctx)
	if err != nil {
		return r, err
	}
	safe, err := t.protected(ctx, p)
	if err != nil {
		return r, err
	}
	going := map[int64]bool{}
	for v := range choose(p) {
		if reason, ok := safe[v]; ok {
			r.Kept[v] = reason
		} else if v >= p.first && v < p.last() && !p.marked.has(v) {
			going[v] = true
		}
	}
	if !dryRun {
		if p, err = t.mark(ctx, going, &r); err != nil {
			return r, err
		}
	}
	r.Versions = slices.Sorted(maps.Keys(going))
	if len(r.Versions) > 0 && r.Versions[0] == 0 && t.isUnwritten(ctx, 0) {
		r.Versions = r.Versions[1:] // nobody knows it as one
	}
	kept := func(v int64) bool { return !going[v] && !p.marked.has(v) }
	gone, err := t.removeFiles(ctx, p, kept, &r)
	if err != nil {
		return r, err
	}
	if err := t.cleanLog(ctx, p, kept, gone, &r); err != nil {
		return r, err
	}
	err = t.clean(ctx, CleanOptions{DryRun: dryRun}, &r)
	return r, err
}

// mark marks versions as expired, and takes back what somebody has come to need
// meanwhile. It returns the past as it is then.
func (t *Table) mark(ctx context.Context, going map[int64]bool, r *Report) (*past, error) {
	if err := t.putMarks(ctx, going); err != nil {
		return nil, err
	}
	p, err := t.readPast(ctx)
	if err != nil {
		return nil, err
	}
	safe, err := t.protected(ctx, p)
	if err != nil {
		return nil, err
	}
	needed := map[int64]bool{}
	for v, reason := range safe {
		if p.marked.has(v) {
			needed[v] = true
			if going[v] {
				r.Kept[v] = reason
				delete(going, v)
			}
		}
	}
	if len(needed) == 0 {
		return p, nil
	}
	// First the marks of the others in the same ranges, then away with the ranges.
	for _, span := range p.marked {
		rest, hit := map[int64]bool{}, false
		for v := span[0]; v <= span[1]; v++ {
			if needed[v] {
				hit = true
			} else {
				rest[v] = true
			}
		}
		if !hit {
			continue
		}
		if err := t.putMarks(ctx, rest); err != nil {
			return nil, err
		}
		if err := t.objects.Remove(ctx, markKey(span[0], span[1])); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, t.wrap("remove", err)
		}
	}
	p.marked, err = t.marks(ctx)
	return p, err
}

// putMarks marks versions, in ranges.
func (t *Table) putMarks(ctx context.Context, versions map[int64]bool) error {
	for all := slices.Sorted(maps.Keys(versions)); len(all) > 0; {
		n := 1
		for n < len(all) && all[n] == all[n-1]+1 {
			n++
		}
		err := t.objects.PutIfAbsent(ctx, markKey(all[0], all[n-1]), nil)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return t.wrap("write", err)
		}
		all = all[n:]
	}
	return nil
}

// removeFiles removes the data files that are in no version that is kept.
func (t *Table) removeFiles(ctx context.Context, p *past, kept func(int64) bool, r *Report) (gone map[string]bool, err error) {
	gone = map[string]bool{}
	needed := p.needs(kept)
	for _, path := range slices.Sorted(maps.Keys(p.files)) {
		f := p.files[path]
		key, ok := ownKey(path)
		if !ok || needed(f) {
			continue
		}
		gone[path] = true
		if r.DryRun {
			if _, err := t.objects.Stat(ctx, key); err != nil {
				continue // it has gone before
			}
		} else {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			err := t.objects.Remove(ctx, key)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, t.wrap("remove", err)
			}
			t.removeEmpty(ctx, key)
		}
		r.Files = append(r.Files, key)
		r.Bytes += f.size
	}
	return gone, nil
}

// ownKey returns the key of a data file from its path in the log. Files outside
// of the table, which a log may name, are not ours to remove.
func ownKey(path string) (string, bool) {
	key, err := decodePath(path)
	if err != nil || !fs.ValidPath(key) || key == "." || isAbsolute(key) || strings.HasPrefix(key, logDir+"/") || strings.HasPrefix(key, metaDir+"/") {
		return "", false
	}
	return key, true
}

// cleanLog removes the log before the first version that is kept, which gets a
// checkpoint to stand on.
func (t *Table) cleanLog(ctx context.Context, p *past, kept func(int64) bool, gone map[string]bool, r *Report) error {
	first := p.first
	for first < p.last() && !kept(first) {
		first++
	}
	names, err := t.objects.List(ctx, logDir, "")
	if err != nil {
		return t.wrap("list", err)
	}
	var old []string
	sizes := map[string]int64{}
	for _, name := range names {
		v, _, ok := numbered(name)
		if !ok || v >= first {
			continue
		}
		o, err := t.objects.Stat(ctx, logDir+"/"+name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return t.wrap("look up", err)
		}
		if time.Since(o.Modified) < logGrace {
			break // what comes after it is needed to read on from it
		}
		old = append(old, name)
		sizes[name] = o.Size
	}
	if len(old) == 0 {
		return nil
	}
	if !r.DryRun {
		s, err := t.load(ctx, first, true)
		if err != nil {
			return err
		}
		if err := t.writeCheckpoint(ctx, s, gone); err != nil {
			return err
		}
		if _, err := t.objects.Stat(ctx, checkpointKey(first)); err != nil {
			return nil // the table wants checkpoints that we do not write
		}
	}
	for _, name := range old { // the oldest first: at every moment what is left is a log
		if !r.DryRun {
			if err := t.objects.Remove(ctx, logDir+"/"+name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return t.wrap("remove", err)
			}
		}
		r.LogFiles = append(r.LogFiles, logDir+"/"+name)
		r.Bytes += sizes[name]
	}
	return t.cleanMarks(ctx, r)
}

// cleanMarks removes marks of versions whose log is gone.
func (t *Table) cleanMarks(ctx context.Context, r *Report) error {
	if r.DryRun {
		return nil
	}
	log, err := t.listLog(ctx, 0)
	if err != nil || len(log.commits) == 0 {
		return err
	}
	marks, err := t.marks(ctx)
	if err != nil {
		return err
	}
	for _, m := range marks {
		if m[1] < log.commits[0] {
			if err := t.objects.Remove(ctx, markKey(m[0], m[1])); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return t.wrap("remove", err)
			}
		}
	}
	return nil
}

// CleanOptions say which leftovers are to go.
type CleanOptions struct {
	// OlderThan is the age from which a file that no version has is taken for a
	// leftover, and not for one that is about to be committed. 0 means 24 hours.
	OlderThan time.Duration
	// DryRun only reports.
	DryRun bool
}

// Clean removes data files that no version in the log has, and what killed
// programs have left.
func (t *Table) Clean(ctx context.Context, o CleanOptions) (Report, error) {
	r := Report{DryRun: o.DryRun, Kept: map[int64]string{}}
	err := t.clean(ctx, o, &r)
	return r, err
}

func (t *Table) clean(ctx context.Context, o CleanOptions, r *Report) error {
	age := cmp.Or(o.OlderThan, orphanGrace)
	if !r.DryRun {
		if err := t.cleanCreating(ctx, age); err != nil {
			return err
		}
	}
	var old []string
	sizes := map[string]int64{}
	err := t.walk(ctx, "", func(key string, size int64, modified time.Time) {
		if time.Since(modified) >= age {
			old = append(old, key)
			sizes[key] = size
		}
	})
	if err != nil || len(old) == 0 {
		return err
	}
	// The files are listed before the log is read, so that a version which is
	// committed in between is known.
	p, err := t.readPast(ctx)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for path := range p.files {
		if key, ok := ownKey(path); ok {
			known[key] = true
		}
	}
	for _, key := range old {
		if known[key] {
			continue
		}
		if !r.DryRun {
			if err := t.objects.Remove(ctx, key); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return t.wrap("remove", err)
			}
			t.removeEmpty(ctx, key)
		}
		r.Orphans = append(r.Orphans, key)
		r.Bytes += sizes[key]
	}
	return nil
}

// cleanCreating removes the marks of creations that were killed.
func (t *Table) cleanCreating(ctx context.Context, age time.Duration) error {
	ids, err := t.objects.List(ctx, creatingDir, "")
	if err != nil {
		return t.wrap("list", err)
	}
	for _, id := range ids {
		if o, err := t.objects.Stat(ctx, creatingDir+"/"+id); err == nil && time.Since(o.Modified) >= age {
			t.renounce(ctx, id)
		}
	}
	return nil
}

// walk calls f with the data files below a directory, and with what writers leave
// under hidden names.
func (t *Table) walk(ctx context.Context, dir string, f func(key string, size int64, modified time.Time)) error {
	names, err := t.objects.List(ctx, dir, "")
	if err != nil {
		return t.wrap("list", err)
	}
	for _, name := range names {
		key := name
		if dir != "" {
			key = dir + "/" + name
		}
		left := strings.HasPrefix(name, ".atio-") || strings.HasPrefix(name, ".") && strings.HasSuffix(name, ".atio-new")
		data := strings.HasSuffix(name, ".parquet") && !strings.HasPrefix(name, "_") && !strings.HasPrefix(name, ".") && dir != logDir
		inside := strings.Contains(name, "=") || dir == "" && name == logDir
		if !left && !data && !inside {
			continue
		}
		o, err := t.objects.Stat(ctx, key)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return t.wrap("look up", err)
		}
		switch {
		case o.Dir && inside:
			if err := t.walk(ctx, key, f); err != nil {
				return err
			}
		case !o.Dir && (left || data):
			f(key, o.Size, o.Modified)
		}
	}
	return nil
}
