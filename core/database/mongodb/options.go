package mongodb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/database"
	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/progress"
)

// Options say where documents go and how values are mapped.
//
// Integers of up to 32 bits become int32, others int64, floats double, decimals
// Decimal128, dates and timestamps UTC dates (a time zone is not kept), times of
// day strings such as "12:30:00", durations int64 in nanoseconds, intervals
// documents of months, days and nanoseconds, structs and maps with string keys
// documents, other maps arrays of documents of key and value, lists arrays,
// UUIDs binary of subtype 4. What BSON cannot hold is an [*encode.ValueError]:
// integers over 2^63-1, decimals of more than 34 digits, and timestamps finer
// than a millisecond unless they may be truncated.
type Options struct {
	// URI is a connection string, https://www.mongodb.com/docs/manual/reference/connection-string.
	URI string `json:"uri"`
	// Database, if not empty, is used instead of the one that URI names.
	Database string `json:"database"`
	// Collection is the target.
	Collection string `json:"collection"`
	// Mode is Fail, Replace or Append; "" means Fail. Replace keeps the indexes and
	// the options of the collection, such as its validator.
	Mode database.Mode `json:"mode"`
	// ExcludeNull leaves out the fields that are null instead of storing null.
	ExcludeNull bool `json:"exclude_null"`
	// TruncateTimestamps cuts off what is finer than a millisecond.
	TruncateTimestamps bool `json:"truncate_timestamps"`
}

// Modes that there are.
var modes = []database.Mode{database.Fail, database.Replace, database.Append}

// Dialect is "mongodb".
func (o *Options) Dialect() string { return format }

// Begin connects, removes what writes that were killed have left in the database,
// and gets ready to take documents.
func (o *Options) Begin(ctx context.Context, schema *arrow.Schema, p *progress.Counter) (database.Transaction, error) {
	mode := o.Mode
	if mode == "" {
		mode = database.Fail
	}
	if err := o.check(mode); err != nil {
		return nil, err
	}
	ids := newIdentifiers()
	docs, err := newDocuments(schema, mapping{o.ExcludeNull, o.TruncateTimestamps}, ids)
	if err != nil {
		return nil, err
	}
	p.Enter(progress.Encoding)
	s, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	d, err := s.destination(ctx, o.Collection, mode, docs)
	if err != nil {
		s.disconnect()
		return nil, err
	}
	return newWriter(ctx, s, d, docs, p), nil
}

func (o *Options) check(mode database.Mode) error {
	name := o.Collection
	option := func(option string, value any, reason string) error {
		return &encode.OptionError{Format: format, Option: option, Value: value, Reason: reason}
	}
	switch {
	case !slices.Contains(modes, mode):
		return option("if_exists", string(mode), fmt.Sprintf("MongoDB has %q", modes))
	case name == "":
		return option("collection", `""`, "name the collection")
	case strings.ContainsAny(name, "$\x00"):
		return option("collection", fmt.Sprintf("%q", name), "MongoDB's names of collections have no $ and no NUL character")
	case strings.HasPrefix(name, "system.") || strings.HasPrefix(name, prefix):
		return option("collection", fmt.Sprintf("%q", name), "names that begin with system. or "+prefix+" are reserved")
	case strings.ContainsAny(o.Database, "/\\. \"$\x00"):
		return option("database", fmt.Sprintf("%q", o.Database), `names of databases have none of /\. "$ and no NUL character`)
	}
	return nil
}
