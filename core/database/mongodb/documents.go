package mongodb

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/seojaeohcode/atio/core/encode"
)

const format = "mongodb"

// maxDocument is how many bytes the largest document has, by the limit of the
// server (https://www.mongodb.com/docs/manual/reference/limits).
const maxDocument = 16 << 20

// documents makes a document of each row.
type documents struct {
	mapping
	schema *arrow.Schema // what follows is of
	fields []arrow.Field
	keys   [][]byte
	id     int // the column _id; -1 if identifiers are made
	ids    *identifiers
	rows   int64 // that have been encoded
}

func newDocuments(schema *arrow.Schema, m mapping, ids *identifiers) (*documents, error) {
	d := &documents{mapping: m, ids: ids}
	return d, d.take(schema)
}

// take looks at the schema of the batches to come.
func (d *documents) take(schema *arrow.Schema) error {
	d.schema, d.fields, d.keys, d.id = schema, schema.Fields(), nil, -1
	if err := checkFields("", d.fields); err != nil {
		return err
	}
	for i, f := range d.fields {
		d.keys = append(d.keys, append([]byte(f.Name), 0))
		switch f.Name {
		case "_id":
			d.id = i
		case markField:
			return &encode.UnsupportedError{Format: format, Column: f.Name, Type: f.Type.String(),
				Reason: "the name stands for writes that are not complete: rename the column"}
		}
	}
	return nil
}

// rows appends the documents of a batch one after another, each by a call of
// appendRow.
type rows struct {
	*documents
	columns []element
	id      element
	n       int
	base    int64
}

// of looks at a batch. Its columns need not be those of the batch before, as
// documents of a collection need not be alike, but for their identifiers.
func (d *documents) of(batch arrow.RecordBatch) (*rows, error) {
	if schema := batch.Schema(); schema != d.schema {
		own := d.id >= 0
		if err := d.take(schema); err != nil {
			return nil, err
		}
		if own != (d.id >= 0) {
			return nil, &encode.ValueError{Format: format, Column: "_id", Row: d.rows,
				Reason: "some chunks have identifiers and others have not: give all of them the column, or none"}
		}
	}
	r := &rows{documents: d, n: int(batch.NumRows()), base: d.rows}
	d.rows += batch.NumRows()
	for i, f := range d.fields {
		a := batch.Column(i)
		write := d.column(a, true)
		if _, found := f.Metadata.GetValue(encodedKey); found {
			if bytes, ok := a.(interface{ Value(int) []byte }); ok {
				write = d.nullable(a, encoded(bytes))
			}
		}
		r.columns = append(r.columns, write)
		if i == d.id {
			r.id = notNull(a, write)
		}
	}
	return r, nil
}

func (m mapping) nullable(a arrow.Array, write element) element {
	return func(b, key []byte, row int) ([]byte, error) {
		switch {
		case a.IsValid(row):
			return write(b, key, row)
		case m.excludeNull:
			return b, nil
		}
		return appendNull(b, key), nil
	}
}

func notNull(a arrow.Array, write element) element {
	return func(b, key []byte, row int) ([]byte, error) {
		if isNull(a, row) {
			return b, problem("an identifier is missing: fill all of the column, or leave it out and MongoDB's own are made")
		}
		return write(b, key, row)
	}
}

// appendRow appends the document of a row.
func (r *rows) appendRow(b []byte, row int) ([]byte, error) {
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	var err error
	if r.id == nil {
		b = r.ids.appendNext(b)
	} else if b, err = r.id(b, r.keys[r.documents.id], row); err != nil {
		return b, r.failure(r.documents.id, row, err)
	}
	for i, column := range r.columns {
		if i == r.documents.id {
			continue
		}
		if b, err = column(b, r.keys[i], row); err != nil {
			return b, r.failure(i, row, err)
		}
	}
	b = end(b, at)
	if n := len(b) - at; n > maxDocument {
		return b, r.failure(r.largest(b[at:]), row, problem(fmt.Sprintf(
			"the document has %d bytes, and MongoDB takes no more than %d: split it, or keep large values elsewhere", n, maxDocument)))
	}
	return b, nil
}

func (r *rows) failure(column, row int, err error) error {
	var p problem
	if !errors.As(err, &p) {
		return err
	}
	return &encode.ValueError{Format: format, Column: r.fields[column].Name, Row: r.base + int64(row), Reason: string(p)}
}

// largest is the column whose value takes most of a document. All columns of the
// document are the frame's, but for the first if identifiers are made.
func (r *rows) largest(document []byte) int {
	best, size := 0, -1
	for i, f := range r.fields {
		if v, err := bson.Raw(document).LookupErr(f.Name); err == nil && len(v.Value) > size {
			best, size = i, len(v.Value)
		}
	}
	return best
}
