package delta

import (
	"fmt"
	"slices"
	"strings"
)

// The protocol gate: what is not known to be kept fully is refused by the name it
// has in the protocol ("Valid Feature Names in Table Features"). A feature that a
// table allows but does not use is no reason to refuse it, where its use can be
// seen in the metadata.

// inUse says where a table uses a feature, "" if it does not.
type inUse func(m *Metadata, s *Schema) string

// never is for features that ask nothing of us, or that are kept.
func never(*Metadata, *Schema) string { return "" }

// readable are the features that are no reason not to read a table, unless it
// uses them. Deletion vectors are looked for in the files, see [Snapshot.Files].
var readable = map[string]inUse{
	"timestampNtz":         never,
	"v2Checkpoint":         never,
	"vacuumProtocolCheck":  never,
	"deletionVectors":      never,
	"columnMapping":        columnMapping,
	"typeWidening":         fieldMetadata("delta.typeChanges"),
	"typeWidening-preview": fieldMetadata("delta.typeChanges"),
}

// writable is the same for writing.
var writable = map[string]inUse{
	"appendOnly":           never, // see Table.checkAppendOnly
	"timestampNtz":         never,
	"v2Checkpoint":         never, // classic checkpoints are always allowed
	"vacuumProtocolCheck":  never, // by the reader's gate in Expire
	"domainMetadata":       never,
	"inCommitTimestamp":    never,
	"invariants":           fieldMetadata("delta.invariants"),
	"checkConstraints":     property("delta.constraints."),
	"changeDataFeed":       enabled("delta.enableChangeDataFeed"),
	"generatedColumns":     fieldMetadata("delta.generationExpression"),
	"allowColumnDefaults":  fieldMetadata("CURRENT_DEFAULT"),
	"identityColumns":      fieldMetadata("delta.identity."),
	"columnMapping":        columnMapping,
	"typeWidening":         fieldMetadata("delta.typeChanges"),
	"typeWidening-preview": fieldMetadata("delta.typeChanges"),
}

// implied are the features of writer versions before 7, and since which.
var implied = []struct {
	name  string
	since int
}{
	{"invariants", 2}, {"checkConstraints", 3}, {"changeDataFeed", 4}, {"generatedColumns", 4},
	{"columnMapping", 5}, {"identityColumns", 6},
}

func columnMapping(m *Metadata, s *Schema) string {
	if mode := m.Configuration["delta.columnMapping.mode"]; mode != "" && !strings.EqualFold(mode, "none") {
		return "delta.columnMapping.mode is " + mode
	}
	return fieldMetadata("delta.columnMapping.physicalName")(m, s)
}

func fieldMetadata(prefix string) inUse {
	return func(_ *Metadata, s *Schema) string {
		found := ""
		s.walkFields(func(path string, f Field) {
			for key := range f.Metadata {
				if strings.HasPrefix(key, prefix) && found == "" {
					found = fmt.Sprintf("column %q has %s", path, key)
				}
			}
		})
		return found
	}
}

func property(prefix string) inUse {
	return func(m *Metadata, _ *Schema) string {
		for key := range m.Configuration {
			if strings.HasPrefix(key, prefix) {
				return "the table has " + key
			}
		}
		return ""
	}
}

func enabled(key string) inUse {
	return func(m *Metadata, _ *Schema) string {
		if strings.EqualFold(m.Configuration[key], "true") {
			return key + " is true"
		}
		return ""
	}
}

// mayRead is the gate for reading.
func mayRead(path string, p *Protocol, m *Metadata, s *Schema) error {
	refuse := func(feature, reason string) error { return &FeatureError{Path: path, Feature: feature, Reason: reason} }
	if m.Format.Provider != "" && m.Format.Provider != "parquet" {
		return refuse("format "+m.Format.Provider, "its files are not Parquet")
	}
	if p.MinReaderVersion > 3 {
		return refuse(fmt.Sprintf("reader version %d", p.MinReaderVersion), "")
	}
	features := p.ReaderFeatures
	if p.MinReaderVersion < 3 {
		features = nil
		if p.MinReaderVersion == 2 {
			features = []string{"columnMapping"}
		}
	}
	// What the metadata say is believed whatever the protocol lists: to read such
	// columns by their names would be wrong all the same.
	features = append(slices.Clone(features), "columnMapping")
	for _, f := range features {
		used, known := readable[f]
		if !known {
			return refuse(f, "")
		}
		if reason := used(m, s); reason != "" {
			return refuse(f, reason)
		}
	}
	return nil
}

// mayWrite is the gate for writing, after that for reading.
func mayWrite(path string, p *Protocol, m *Metadata, s *Schema) error {
	refuse := func(feature, reason string) error {
		return &FeatureError{Path: path, Feature: feature, Reason: reason, Writing: true}
	}
	if p.MinWriterVersion > 7 {
		return refuse(fmt.Sprintf("writer version %d", p.MinWriterVersion), "")
	}
	features := p.WriterFeatures
	if p.MinWriterVersion < 7 {
		features = nil
		for _, f := range implied {
			if p.MinWriterVersion >= f.since {
				features = append(features, f.name)
			}
		}
	}
	for _, f := range features {
		used, known := writable[f]
		if !known {
			return refuse(f, "")
		}
		if reason := used(m, s); reason != "" {
			return refuse(f, reason)
		}
	}
	return nil
}

// supports says whether the protocol lists a writer feature, or implies it.
func (p *Protocol) supports(feature string) bool {
	if p.MinWriterVersion >= 7 {
		return slices.Contains(p.WriterFeatures, feature)
	}
	for _, f := range implied {
		if f.name == feature {
			return p.MinWriterVersion >= f.since
		}
	}
	return feature == "appendOnly" && p.MinWriterVersion >= 2
}

// appendOnly says whether data must not be removed from the table.
func appendOnly(p *Protocol, m *Metadata) bool {
	return p.supports("appendOnly") && strings.EqualFold(m.Configuration["delta.appendOnly"], "true")
}

// inCommitTimestamps says whether each commit must have such.
func inCommitTimestamps(p *Protocol, m *Metadata) bool {
	return p.supports("inCommitTimestamp") && strings.EqualFold(m.Configuration["delta.enableInCommitTimestamps"], "true")
}

// protocolFor returns the protocol a table of schema s needs, from the one it
// has; nil if that will do. A new table has none.
func protocolFor(have *Protocol, s *Schema) *Protocol {
	ntz := has(&Struct{s.Fields}, func(t Type) bool { return t == TimestampNTZ })
	if have == nil {
		have = &Protocol{}
	}
	p := *have
	p.MinReaderVersion, p.MinWriterVersion = max(p.MinReaderVersion, 1), max(p.MinWriterVersion, 2)
	if ntz && (!slices.Contains(p.ReaderFeatures, "timestampNtz") || !slices.Contains(p.WriterFeatures, "timestampNtz")) {
		p = p.withFeature("timestampNtz")
	}
	if p.MinReaderVersion == have.MinReaderVersion && p.MinWriterVersion == have.MinWriterVersion &&
		slices.Equal(p.ReaderFeatures, have.ReaderFeatures) && slices.Equal(p.WriterFeatures, have.WriterFeatures) {
		return nil
	}
	return &p
}

// withFeature returns the protocol with a feature of readers and writers, lifted
// to the versions that list features. What the old versions implied is listed.
func (p Protocol) withFeature(name string) Protocol {
	readers, writers := slices.Clone(p.ReaderFeatures), slices.Clone(p.WriterFeatures)
	if p.MinReaderVersion == 2 {
		readers = append(readers, "columnMapping")
	}
	if p.MinWriterVersion < 7 {
		writers = []string{"appendOnly"}
		for _, f := range implied {
			if p.MinWriterVersion >= f.since {
				writers = append(writers, f.name)
			}
		}
	}
	for _, list := range []*[]string{&readers, &writers} {
		if !slices.Contains(*list, name) {
			*list = append(*list, name)
		}
		slices.Sort(*list)
	}
	return Protocol{MinReaderVersion: 3, MinWriterVersion: 7, ReaderFeatures: readers, WriterFeatures: writers}
}
