package delta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	tagsDir   = metaDir + "/tags"
	marksDir  = metaDir + "/expired"
	leasesDir = metaDir + "/leases"
)

// tag is the content of a tag's file.
type tag struct {
	Version int64     `json:"version"`
	Time    time.Time `json:"time"`
}

func tagKey(name string) string { return tagsDir + "/" + escapeName(name) }

// Tag gives a version a name, and keeps it from expiring. A name that another
// version has is an [ExistsError]; if it is this version's already, all is well.
//
// No lock is needed against [Table.Expire]: this puts the tag first and then looks
// whether the version has expired, and Expire says that it expires first and then
// looks for tags. So at least one of the two sees the other.
func (t *Table) Tag(ctx context.Context, name string, version int64) error {
	if err := t.checkTag(name); err != nil {
		return err
	}
	if _, err := t.Snapshot(ctx, At{Version: &version}); err != nil {
		return err
	}
	data, err := json.Marshal(tag{version, time.Now().UTC()})
	if err != nil {
		return err
	}
	err = t.objects.PutIfAbsent(ctx, tagKey(name), append(data, '\n'))
	if errors.Is(err, fs.ErrExist) {
		have, err := t.tagged(ctx, name)
		if err == nil && have != version {
			err = &ExistsError{Path: t.path, Reason: fmt.Sprintf("tag %q is that of version %d: delete it first, or choose another name", name, have)}
		}
		return err
	}
	if err != nil {
		return t.wrap("write", err)
	}
	if err := t.expired(ctx, version); err != nil {
		return errors.Join(err, t.objects.Remove(ctx, tagKey(name)))
	}
	return nil
}

func (t *Table) checkTag(name string) error {
	reason := ""
	switch {
	case name == "" || strings.TrimSpace(name) != name:
		reason = "it must not be empty, or begin or end with a space"
	case !utf8.ValidString(name) || strings.ContainsAny(name, "\x00\n"):
		reason = "it must be text of one line"
	case len(escapeName(name)) > 200:
		reason = "it is too long"
	}
	if reason == "" {
		return nil
	}
	return &OptionError{Path: t.path, Option: fmt.Sprintf("tag %q", name), Reason: reason}
}

// Untag takes a name away. The version may expire then.
func (t *Table) Untag(ctx context.Context, name string) error {
	err := t.objects.Remove(ctx, tagKey(name))
	if errors.Is(err, fs.ErrNotExist) {
		return t.noTag(ctx, name)
	}
	return t.wrap("remove", err)
}

// noTag says that no version has a name, and which ones there are.
func (t *Table) noTag(ctx context.Context, name string) error {
	reason := "no version has a tag"
	if files, err := t.objects.List(ctx, tagsDir, ""); err == nil && len(files) > 0 {
		names := make([]string, 0, len(files))
		for _, file := range files {
			if n, err := decodePath(file); err == nil && !strings.HasPrefix(file, ".") {
				names = append(names, fmt.Sprintf("%q", n))
			}
		}
		reason = "the tags are " + strings.Join(names, ", ")
	}
	return &NotFoundError{Path: t.path, What: fmt.Sprintf("tag %q", name), Reason: reason}
}

// Tags returns the versions by their names.
func (t *Table) Tags(ctx context.Context) (map[string]int64, error) {
	names, err := t.objects.List(ctx, tagsDir, "")
	if err != nil {
		return nil, t.wrap("list", err)
	}
	tags := map[string]int64{}
	for _, file := range names {
		name, err := decodePath(file)
		if err != nil || strings.HasPrefix(file, ".") {
			continue
		}
		version, err := t.tagged(ctx, name)
		if errors.Is(err, fs.ErrNotExist) { // taken away meanwhile
			continue
		}
		if err != nil {
			return nil, err
		}
		tags[name] = version
	}
	return tags, nil
}

// tagged returns the version of a tag.
func (t *Table) tagged(ctx context.Context, name string) (int64, error) {
	data, err := t.objects.Read(ctx, tagKey(name))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, t.noTag(ctx, name)
	}
	if err != nil {
		return 0, t.wrap("read", err)
	}
	var x tag
	if err := json.Unmarshal(data, &x); err != nil {
		return 0, t.corrupt(tagKey(name)+" is no tag", err)
	}
	return x.Version, nil
}

// expiredVersions are ranges of versions that have expired.
type expiredVersions [][2]int64

func (e expiredVersions) has(v int64) bool {
	for _, r := range e {
		if r[0] <= v && v <= r[1] {
			return true
		}
	}
	return false
}

func markKey(from, to int64) string { return fmt.Sprintf("%s/%020d-%020d", marksDir, from, to) }

// marks returns the versions that have been marked as expired. Each range is a
// name in a directory.
func (t *Table) marks(ctx context.Context) (expiredVersions, error) {
	names, err := t.objects.List(ctx, marksDir, "")
	if err != nil {
		return nil, t.wrap("list", err)
	}
	var out expiredVersions
	for _, name := range names {
		a, b, ok := strings.Cut(name, "-")
		from, err1 := strconv.ParseInt(a, 10, 64)
		to, err2 := strconv.ParseInt(b, 10, 64)
		if ok && err1 == nil && err2 == nil {
			out = append(out, [2]int64{from, to})
		}
	}
	return out, nil
}

// expired returns a [NotFoundError] if a version has expired.
func (t *Table) expired(ctx context.Context, version int64) error {
	marks, err := t.marks(ctx)
	if err != nil {
		return err
	}
	if marks.has(version) {
		return &NotFoundError{Path: t.path, What: fmt.Sprintf("version %d", version), Reason: "it has expired, or was deleted"}
	}
	return nil
}
