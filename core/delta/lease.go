package delta

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Leases tell [Table.Expire] that somebody is reading. A lease is a mark that goes
// with its process; its name says since when, and which version if it is not the
// newest. Expire keeps every version that has been the newest since then.

// Hold is Snapshot with a lease: until release is called, or this process ends,
// Expire keeps the version, and Clean its files. Where nothing can be written to
// the table there is no lease, and no Expire either.
func (t *Table) Hold(ctx context.Context, at At) (s *Snapshot, release func(), err error) {
	none := func() {}
	version, err := t.versionAt(ctx, at)
	if err != nil {
		return nil, none, err
	}
	if _, err := t.objects.Stat(ctx, logDir); errors.Is(err, fs.ErrNotExist) {
		s, err := t.Snapshot(ctx, at) // says what is wrong
		return s, none, err
	}
	key := fmt.Sprintf("%s/%d_%d_%s", leasesDir, time.Now().UnixMilli(), version, newID())
	end, err := t.objects.Hold(ctx, key)
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		end = func() error { return nil }
	case err != nil:
		return nil, none, t.wrap("create", err)
	}
	release = sync.OnceFunc(func() { _ = end() }) // Expire removes what this cannot
	// Only now is it looked whether the version is there: see Tag.
	if version == newest {
		s, err = t.Snapshot(ctx, At{})
	} else {
		s, err = t.Snapshot(ctx, At{Version: &version})
	}
	if err != nil {
		release()
		return nil, none, err
	}
	return s, release, nil
}

// lease is what a lease says.
type lease struct {
	since   int64 // milliseconds since 1970
	version int64 // newest: whatever has been the newest since
}

// leases returns those whose processes are alive.
func (t *Table) leases(ctx context.Context) ([]lease, error) {
	names, err := t.objects.List(ctx, leasesDir, "")
	if err != nil {
		return nil, t.wrap("list", err)
	}
	var out []lease
	for _, name := range names {
		fields := strings.Split(name, "_")
		if len(fields) != 3 {
			continue
		}
		since, err1 := strconv.ParseInt(fields[0], 10, 64)
		version, err2 := strconv.ParseInt(fields[1], 10, 64)
		if err1 != nil || err2 != nil {
			continue
		}
		alive, err := t.objects.Held(ctx, leasesDir+"/"+name)
		if err != nil {
			return nil, t.wrap("look up", err)
		}
		if alive {
			out = append(out, lease{since, version})
		}
	}
	return out, nil
}
