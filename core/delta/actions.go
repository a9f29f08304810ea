package delta

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// Protocol says what a client must know to read or write a table ("Protocol
// Evolution").
type Protocol struct {
	MinReaderVersion int      `json:"minReaderVersion"`
	MinWriterVersion int      `json:"minWriterVersion"`
	ReaderFeatures   []string `json:"readerFeatures,omitempty"`
	WriterFeatures   []string `json:"writerFeatures,omitempty"`
}

// Format is the encoding of data files. There is only that of Parquet.
type Format struct {
	Provider string            `json:"provider"`
	Options  map[string]string `json:"options"`
}

// Metadata is what a table is ("Change Metadata").
type Metadata struct {
	ID               string            `json:"id"`
	Name             string            `json:"name,omitempty"`
	Description      string            `json:"description,omitempty"`
	Format           Format            `json:"format"`
	SchemaString     string            `json:"schemaString"`
	PartitionColumns []string          `json:"partitionColumns"`
	CreatedTime      *int64            `json:"createdTime,omitempty"`
	Configuration    map[string]string `json:"configuration"`
}

// Add makes a data file part of the table ("Add File and Remove File").
type Add struct {
	Path             string             `json:"path"` // URI encoded
	PartitionValues  map[string]*string `json:"partitionValues"`
	Size             int64              `json:"size"`
	ModificationTime int64              `json:"modificationTime"`
	DataChange       bool               `json:"dataChange"`
	Stats            string             `json:"stats,omitempty"`
	Tags             map[string]*string `json:"tags,omitempty"`
	// DeletionVector says that some rows are deleted. Tables with it are refused.
	DeletionVector json.RawMessage `json:"deletionVector,omitempty"`
}

// Remove takes a data file away from the table.
type Remove struct {
	Path                 string             `json:"path"`
	DeletionTimestamp    int64              `json:"deletionTimestamp,omitempty"`
	DataChange           bool               `json:"dataChange"`
	ExtendedFileMetadata bool               `json:"extendedFileMetadata,omitempty"`
	PartitionValues      map[string]*string `json:"partitionValues"`
	Size                 int64              `json:"size"`
	DeletionVector       json.RawMessage    `json:"deletionVector,omitempty"`
}

// Txn is how far an application has come ("Transaction Identifiers").
type Txn struct {
	AppID       string `json:"appId"`
	Version     int64  `json:"version"`
	LastUpdated int64  `json:"lastUpdated,omitempty"`

	// After, if not nil, is the version of the application that must be the newest
	// one at the moment of the commit, -1 if there must be none: else ErrConflict.
	// It keeps two programs of one id apart.
	After *int64 `json:"-"`
}

// DomainMetadata is a configuration of a name ("Domain Metadata"). It is kept, not
// understood.
type DomainMetadata struct {
	Domain        string `json:"domain"`
	Configuration string `json:"configuration"`
	Removed       bool   `json:"removed"`
}

// CommitInfo says who made a version, how and why ("Commit Provenance
// Information").
type CommitInfo struct {
	InCommitTimestamp   *int64          `json:"inCommitTimestamp,omitempty"`
	Timestamp           int64           `json:"timestamp,omitempty"`
	Operation           string          `json:"operation,omitempty"`
	OperationParameters map[string]any  `json:"operationParameters,omitempty"`
	OperationMetrics    map[string]any  `json:"operationMetrics,omitempty"`
	ReadVersion         *int64          `json:"readVersion,omitempty"`
	IsolationLevel      string          `json:"isolationLevel,omitempty"`
	IsBlindAppend       *bool           `json:"isBlindAppend,omitempty"`
	EngineInfo          string          `json:"engineInfo,omitempty"`
	UserMetadata        string          `json:"userMetadata,omitempty"` // the message, where Spark and delta-rs show it
	Metadata            json.RawMessage `json:"atio.metadata,omitempty"`
	// Totals are those of the table at the version, where its writer knew them.
	Totals *Totals `json:"atio.totals,omitempty"`
	// WriteID is unique to a call of this package: who is told that the name of a
	// version is taken sees by it whether it was taken by itself.
	WriteID string `json:"atio.writeId,omitempty"`
}

// action is one line of the log: one of its fields is set.
type action struct {
	CommitInfo     *CommitInfo     `json:"commitInfo,omitempty"`
	Protocol       *Protocol       `json:"protocol,omitempty"`
	MetaData       *Metadata       `json:"metaData,omitempty"`
	Txn            *Txn            `json:"txn,omitempty"`
	DomainMetadata *DomainMetadata `json:"domainMetadata,omitempty"`
	Remove         *Remove         `json:"remove,omitempty"`
	Add            *Add            `json:"add,omitempty"`

	// only in checkpoints of version 2
	Sidecar            *sidecar        `json:"sidecar,omitempty"`
	CheckpointMetadata json.RawMessage `json:"checkpointMetadata,omitempty"`
}

type sidecar struct {
	Path string `json:"path"`
}

// LogEntry is what one version of the log says.
type LogEntry struct {
	Version  int64
	Info     *CommitInfo // nil if the writer left none
	Protocol *Protocol
	Metadata *Metadata
	Adds     []Add
	Removes  []Remove
	Txns     []Txn
	Domains  []DomainMetadata
}

func (e *LogEntry) actions() []action {
	var as []action
	if e.Info != nil { // must come first where there are in-commit timestamps
		as = append(as, action{CommitInfo: e.Info})
	}
	if e.Protocol != nil {
		as = append(as, action{Protocol: e.Protocol})
	}
	if e.Metadata != nil {
		as = append(as, action{MetaData: e.Metadata})
	}
	for i := range e.Txns {
		as = append(as, action{Txn: &e.Txns[i]})
	}
	for i := range e.Domains {
		as = append(as, action{DomainMetadata: &e.Domains[i]})
	}
	for i := range e.Removes {
		as = append(as, action{Remove: &e.Removes[i]})
	}
	for i := range e.Adds {
		as = append(as, action{Add: &e.Adds[i]})
	}
	return as
}

// encodeEntry returns a version as it stands in the log: a line for each action.
func encodeEntry(e *LogEntry) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	for _, a := range e.actions() {
		if err := enc.Encode(a); err != nil {
			return nil, err
		}
	}
	return buf.Bytes(), nil
}

// decodeEntry reads a version. What it does not know it passes over, as the
// protocol wants it.
func decodeEntry(version int64, data []byte) (*LogEntry, error) {
	e := &LogEntry{Version: version}
	if len(bytes.TrimSpace(data)) == 0 { // as a power cut leaves a file that was never synced
		return nil, errors.New("it is empty")
	}
	err := decodeActions(data, func(a *action) error {
		switch {
		case a.CommitInfo != nil:
			e.Info = a.CommitInfo
		case a.Protocol != nil:
			e.Protocol = a.Protocol
		case a.MetaData != nil:
			e.Metadata = a.MetaData
		case a.Txn != nil:
			e.Txns = append(e.Txns, *a.Txn)
		case a.DomainMetadata != nil:
			e.Domains = append(e.Domains, *a.DomainMetadata)
		case a.Add != nil:
			e.Adds = append(e.Adds, *a.Add)
		case a.Remove != nil:
			e.Removes = append(e.Removes, *a.Remove)
		}
		return nil
	})
	return e, err
}

// decodeActions calls f with each action of some lines of JSON.
func decodeActions(data []byte, f func(*action) error) error {
	for n := 1; len(data) > 0; n++ {
		line := data
		if end := bytes.IndexByte(data, '\n'); end >= 0 {
			line, data = data[:end], data[end+1:]
		} else {
			data = nil
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		var a action
		err := json.Unmarshal(line, &a)
		if err == nil {
			err = a.check()
		}
		if err == nil {
			err = f(&a)
		}
		if err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = errors.New("it ends in the middle")
			}
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return nil
}

// check says what an action lacks that the protocol requires.
func (a *action) check() error {
	switch {
	case a.Add != nil && a.Add.Path == "":
		return errors.New("an add action without a path")
	case a.Add != nil && a.Add.Size < 0:
		return errors.New("an add action with a negative size")
	case a.Remove != nil && a.Remove.Path == "":
		return errors.New("a remove action without a path")
	case a.Txn != nil && a.Txn.AppID == "":
		return errors.New("a txn action without an appId")
	case a.DomainMetadata != nil && a.DomainMetadata.Domain == "":
		return errors.New("a domainMetadata action without a domain")
	case a.Protocol != nil && (a.Protocol.MinReaderVersion < 1 || a.Protocol.MinWriterVersion < 1):
		return errors.New("a protocol action without versions")
	case a.MetaData != nil && a.MetaData.SchemaString == "":
		return errors.New("a metaData action without a schema")
	}
	return nil
}

// UnmarshalJSON reads a commitInfo, in which writers put what they like: a field
// of another type than ours is as good as none.
func (c *CommitInfo) UnmarshalJSON(b []byte) error {
	type plain CommitInfo
	if json.Unmarshal(b, (*plain)(c)) == nil {
		return nil
	}
	*c = CommitInfo{}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return err
	}
	take := func(name string, into any) { _ = json.Unmarshal(fields[name], into) }
	take("inCommitTimestamp", &c.InCommitTimestamp)
	take("timestamp", &c.Timestamp)
	take("operation", &c.Operation)
	take("operationParameters", &c.OperationParameters)
	take("operationMetrics", &c.OperationMetrics)
	take("readVersion", &c.ReadVersion)
	take("isolationLevel", &c.IsolationLevel)
	take("isBlindAppend", &c.IsBlindAppend)
	take("engineInfo", &c.EngineInfo)
	take("userMetadata", &c.UserMetadata)
	take("atio.totals", &c.Totals)
	take("atio.writeId", &c.WriteID)
	c.Metadata = fields["atio.metadata"]
	return nil
}

// time is when the version was made, as its writer says; 0 if it does not.
func (c *CommitInfo) time() int64 {
	switch {
	case c == nil:
		return 0
	case c.InCommitTimestamp != nil:
		return *c.InCommitTimestamp
	}
	return c.Timestamp
}

// encodePath returns a slash path below the table as the URI that the log has.
// It encodes what Hadoop's Path does not leave as it is, and nothing more, since
// readers compare these texts.
func encodePath(p string) string {
	var b strings.Builder
	for i := range len(p) {
		c := p[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("/-_.~!$&'()*+,;=:@", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// decodePath returns the slash path below the table that a URI of the log stands
// for.
func decodePath(uri string) (string, error) {
	p, err := url.PathUnescape(uri)
	if err != nil {
		return "", fmt.Errorf("path %q: %w", uri, err)
	}
	return p, nil
}
