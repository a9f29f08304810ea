package pgcopy

// Type is the number (OID) of a type that the server has built in, as in its
// catalog pg_type. Types that users made have other numbers.
type Type uint32

// The types that are encoded. An enum is sent as Text, a domain as what is below it.
const (
	Bool        Type = 16
	Bytea       Type = 17
	Int8        Type = 20
	Int2        Type = 21
	Int4        Type = 23
	Text        Type = 25
	JSON        Type = 114
	Float4      Type = 700
	Float8      Type = 701
	BPChar      Type = 1042
	Varchar     Type = 1043
	Date        Type = 1082
	Time        Type = 1083
	Timestamp   Type = 1114
	TimestampTZ Type = 1184
	Interval    Type = 1186
	Numeric     Type = 1700
	UUID        Type = 2950
	JSONB       Type = 3802
)

// Column is a column of the table that is copied into.
type Column struct {
	Name    string
	Type    Type   // of its values, or of its elements if it is an array
	Element uint32 // of an array, the number of its elements' type, which may be one that a user made; else 0
	SQL     string // the type as the server writes it, for messages
}
