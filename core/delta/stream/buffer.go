package stream

import (
	"bytes"
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// entry is what one Append has taken: an Arrow IPC stream.
type entry struct {
	offset  int64
	payload []byte
	schema  *arrow.Schema
	rows    int64
}

// encodeEntry makes a copy of all that r has: the memory behind the batches is the
// caller's, who may change it.
func encodeEntry(offset int64, r array.RecordReader) (entry, error) {
	e := entry{offset: offset, schema: r.Schema()}
	var b bytes.Buffer
	w := ipc.NewWriter(&b, ipc.WithSchema(r.Schema()))
	for r.Next() {
		batch := r.RecordBatch()
		e.rows += batch.NumRows()
		if err := w.Write(batch); err != nil {
			return entry{}, errors.Join(err, w.Close())
		}
	}
	err := errors.Join(r.Err(), w.Close())
	e.payload = b.Bytes()
	return e, err
}

// decode is the entry of a payload that was in the journal.
func decode(offset int64, payload []byte) (entry, error) {
	e := entry{offset: offset, payload: payload}
	batches, schema, err := e.batches()
	for _, batch := range batches {
		e.rows += batch.NumRows()
		batch.Release()
	}
	e.schema = schema
	return e, err
}

// batches are to be released, also if there is an error.
func (e *entry) batches() (batches []arrow.RecordBatch, schema *arrow.Schema, err error) {
	r, err := ipc.NewReader(bytes.NewReader(e.payload))
	if err != nil {
		return nil, nil, err
	}
	defer r.Release()
	for r.Next() {
		batch := r.RecordBatch()
		batch.Retain()
		batches = append(batches, batch)
	}
	return batches, r.Schema(), r.Err()
}

// buffer is what has been taken and not committed: entries of one schema.
type buffer struct {
	entries     []entry
	rows, bytes int64
}

func (b *buffer) empty() bool { return len(b.entries) == 0 }

// fits says whether more of a schema can be committed together with what is here.
func (b *buffer) fits(schema *arrow.Schema) bool {
	return !b.empty() && b.entries[0].schema.Equal(schema)
}

func (b *buffer) add(e entry) {
	b.entries = append(b.entries, e)
	b.rows += e.rows
	b.bytes += int64(len(e.payload))
}

// drop forgets what is committed: the entries up to an offset.
func (b *buffer) drop(offset int64) {
	all := b.entries
	*b = buffer{}
	for _, e := range all {
		if e.offset > offset {
			b.add(e)
		}
	}
}

// reader reads all entries one after the other.
func (b *buffer) reader() (array.RecordReader, error) {
	var all []arrow.RecordBatch
	defer func() {
		for _, batch := range all {
			batch.Release()
		}
	}()
	for i := range b.entries {
		batches, _, err := b.entries[i].batches()
		all = append(all, batches...)
		if err != nil {
			return nil, err
		}
	}
	return array.NewRecordReader(b.entries[0].schema, all)
}
