package core

import (
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/progress"
	"github.com/seojaeohcode/atio/core/publish"
	"github.com/seojaeohcode/atio/core/store"
)

// Options say how a target is written. The zero value is the safe way: with a
// flag, durable and checked, in the format that the path's suffix stands for.
type Options struct {
	// Encoding is the format's option struct, such as &parquet.Options{}. If nil,
	// the suffix of the path decides, and the format's defaults hold.
	Encoding encode.Options
	// SkipFlag leaves out the flag .NAME._SUCCESS. An old one is removed all the
	// same, since it would describe other data.
	SkipFlag bool
	// SkipSync leaves out all syncs to disk. A kill still does no harm, a power
	// cut may.
	SkipSync bool
	// SkipCheck leaves out reading back what can be read back cheaply.
	SkipCheck bool
	// Validate, if not nil, is called with the path of the complete new file
	// before it is published. Its error aborts the write and is returned.
	Validate func(path string) error
	// Backups is how many replaced contents are kept beside the target as
	// .NAME.bak.N, 1 being the newest; 0 for none. They are hard links.
	Backups int
	// Checksum is "xxh3-128" (if empty) or "sha256".
	Checksum string
	// Rows is how many rows there will be, if that is known; little data is
	// encoded by the caller alone. 0 means not known.
	Rows int64
	// Workers is how many goroutines encode at once; 0 is one for each processor.
	Workers int
	// Progress, if not nil, is fed while the write goes on.
	Progress *progress.Counter
	// Store is where the target lives; nil is the local file system.
	Store store.Store
}

// Result says what was written.
type Result struct {
	Path     string        // of the target, absolute, symbolic links followed
	Format   string        // such as "parquet"
	Engine   string        // whose encoder made the bytes: "go", or as given to Stage.Finish
	Rows     int64         // -1 if there are none or they are not known
	Bytes    int64         // size of the target
	Checksum string        // of the target's bytes, such as "xxh3-128:0123..."
	Elapsed  time.Duration // from the beginning to the end of the call
}

func (o *Options) publish() publish.Options {
	return publish.Options{
		Store:    o.Store,
		SkipFlag: o.SkipFlag,
		SkipSync: o.SkipSync,
		Backups:  o.Backups,
		Named:    o.Validate != nil,
		Checksum: o.Checksum,
		Progress: o.Progress,
	}
}

// fewCells is how many cells take less time to encode than it takes to wake
// other threads for it.
const fewCells = 10_000

// env is what an encoder of schema is given.
func (o *Options) env(schema *arrow.Schema) encode.Env {
	env := encode.Env{Workers: o.Workers, Progress: o.Progress}
	if env.Workers == 0 && o.Rows > 0 && o.Rows*int64(schema.NumFields()) <= fewCells {
		env.Workers = 1
	}
	return env
}
