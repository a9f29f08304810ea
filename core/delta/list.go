package delta

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const logDir = "_delta_log"

func commitKey(version int64) string { return fmt.Sprintf("%s/%020d.json", logDir, version) }

func checkpointKey(version int64) string {
	return fmt.Sprintf("%s/%020d.checkpoint.parquet", logDir, version)
}

const lastCheckpointKey = logDir + "/_last_checkpoint"

// checkpointFiles are the files of one checkpoint, their names in logDir.
type checkpointFiles struct {
	version int64
	names   []string
}

// logFiles are the files of the log that count, as a listing found them.
type logFiles struct {
	commits     []int64           // ascending
	checkpoints []checkpointFiles // whole ones, ascending by version, of one version the classic one last
	others      []string          // numbered files that are neither, such as checksums
}

// latest returns the newest version, -1 if there is none.
func (l *logFiles) latest() int64 {
	last := int64(-1)
	if n := len(l.commits); n > 0 {
		last = l.commits[n-1]
	}
	if n := len(l.checkpoints); n > 0 {
		last = max(last, l.checkpoints[n-1].version)
	}
	return last
}

// before returns the checkpoints not newer than version, the newest first.
func (l *logFiles) before(version int64) []checkpointFiles {
	var out []checkpointFiles
	for _, c := range l.checkpoints {
		if c.version <= version {
			out = append(out, c)
		}
	}
	slices.Reverse(out)
	return out
}

// hole returns the first version missing between from and to, or -1.
func (l *logFiles) hole(from, to int64) int64 {
	i, _ := slices.BinarySearch(l.commits, from)
	for v := from; v <= to; v++ {
		if i == len(l.commits) || l.commits[i] != v {
			return v
		}
		i++
	}
	return -1
}

// listLog lists the log from a version on.
func (t *Table) listLog(ctx context.Context, from int64) (*logFiles, error) {
	after := ""
	if from > 0 {
		after = fmt.Sprintf("%020d", from-1) + "~" // after all names of that version
	}
	names, err := t.objects.List(ctx, logDir, after)
	if err != nil {
		return nil, t.wrap("list", err)
	}
	return sortLog(names), nil
}

// sortLog tells the files of a log apart by their names ("Delta Log Entries",
// "Checkpoint Naming Scheme").
func sortLog(names []string) *logFiles {
	l := &logFiles{commits: make([]int64, 0, len(names))}
	parts := map[string]map[int][]string{} // of multi-part checkpoints: by version and count
	for _, name := range names {
		version, rest, ok := numbered(name)
		if !ok {
			continue
		}
		switch {
		case rest == ".json":
			l.commits = append(l.commits, version)
		case rest == ".checkpoint.parquet":
			l.checkpoints = append(l.checkpoints, checkpointFiles{version, []string{name}})
		case strings.HasPrefix(rest, ".checkpoint."):
			fields := strings.Split(rest[len(".checkpoint."):], ".")
			switch {
			case len(fields) == 2 && (fields[1] == "json" || fields[1] == "parquet") && fields[0] != "":
				l.checkpoints = append(l.checkpoints, checkpointFiles{version, []string{name}})
			case len(fields) == 3 && fields[2] == "parquet":
				n, err := strconv.Atoi(fields[1])
				if err != nil || n < 1 {
					continue
				}
				key := name[:20]
				if parts[key] == nil {
					parts[key] = map[int][]string{}
				}
				parts[key][n] = append(parts[key][n], name)
			}
		default:
			l.others = append(l.others, name)
		}
	}
	for key, counts := range parts {
		version, _, _ := numbered(key + ".")
		for n, names := range counts {
			if len(names) == n {
				l.checkpoints = append(l.checkpoints, checkpointFiles{version, names})
			}
		}
	}
	slices.Sort(l.commits)
	slices.SortStableFunc(l.checkpoints, func(a, b checkpointFiles) int {
		if a.version != b.version {
			return int(min(1, max(-1, a.version-b.version)))
		}
		return len(b.names) - len(a.names)
	})
	return l
}

// numbered takes the version off a name of the log.
func numbered(name string) (version int64, rest string, ok bool) {
	if len(name) <= 20 || name[20] != '.' {
		return 0, "", false
	}
	for i := range 20 {
		if name[i] < '0' || name[i] > '9' {
			return 0, "", false
		}
	}
	version, err := strconv.ParseInt(name[:20], 10, 64)
	return version, name[20:], err == nil
}

// hint is the content of _last_checkpoint ("Last Checkpoint File Schema").
type hint struct {
	Version       int64 `json:"version"`
	Size          int64 `json:"size"`
	SizeInBytes   int64 `json:"sizeInBytes,omitempty"`
	NumOfAddFiles int64 `json:"numOfAddFiles,omitempty"`
}

// lastCheckpoint returns the version of a recent checkpoint, 0 if it is not
// known. It is only a hint where to begin to list.
func (t *Table) lastCheckpoint(ctx context.Context) int64 {
	data, err := t.objects.Read(ctx, lastCheckpointKey)
	if err != nil {
		return 0
	}
	var h hint
	if json.Unmarshal(data, &h) != nil || h.Version < 0 {
		return 0
	}
	return h.Version
}
