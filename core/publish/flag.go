package publish

import (
	"encoding/json"
	"io"
	"time"

	"github.com/seojaeohcode/atio/core/store"
)

// Flag is the content of a target's flag file, as JSON.
type Flag struct {
	Version  int        `json:"version"`           // of this layout: 1
	Format   string     `json:"format"`            // such as "parquet"
	Rows     *int64     `json:"rows"`              // null if the object has no rows or they are not known
	Bytes    int64      `json:"bytes"`             // size of the target
	Checksum string     `json:"checksum"`          // of the target's bytes, such as "xxh3-128:0123..."; of a directory, of its list of files
	Time     time.Time  `json:"time"`              // of publishing, UTC
	Engine   string     `json:"engine,omitempty"`  // whose encoder made the bytes
	Files    []FlagFile `json:"files,omitempty"`   // of a directory, sorted by path
	Backups  []Flag     `json:"backups,omitempty"` // flags of the backups, the newest first
}

const (
	flagVersion = 1
	maxFlag     = 256 << 20 // bytes; that of a directory lists its files
)

// ReadFlag reads the flag of a resolved target. Without a flag the error is an
// [fs.ErrNotExist]; a flag that is no flag is an [ErrCorrupt].
func ReadFlag(st store.Store, target string) (Flag, error) {
	path := FlagPath(target)
	f, err := st.Open(path)
	if err != nil {
		return Flag{}, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFlag))
	if err != nil {
		return Flag{}, err
	}
	var flag Flag
	if err := json.Unmarshal(b, &flag); err != nil || flag.Version < 1 || flag.Checksum == "" {
		return Flag{}, &Error{Op: "read flag of", Path: target, Err: ErrCorrupt,
			Advice: path + " is not a flag written by atio: write the target again"}
	}
	return flag, nil
}

func (f Flag) encode() []byte {
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		panic(err) // plain fields only
	}
	return append(b, '\n')
}
