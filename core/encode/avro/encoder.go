package avro

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/held"
)

const (
	// A block has about so many bytes before it is compressed: few enough to stay in
	// a core's own cache, enough for deflate to find what repeats.
	blockBytes = 1 << 18
	// No block has many more than these, but for one record that has.
	maxBlockBytes = 4 * blockBytes
	// sampleRows are looked at to see how many bytes a row has.
	sampleRows = 32
)

var (
	errClosed = errors.New("avro: the encoder is closed")
	errUnused = errors.New("avro: blocks are not compressed by this writer")
)

type encoder struct {
	schema   *arrow.Schema
	codec    *codec
	marker   marker // once the header has it
	header   []byte // until it is submitted
	env      encode.Env
	pipeline *encode.Pipeline
	batches  held.Batches
	sample   []byte
	rows     int64
	closed   bool
}

func newEncoder(ctx context.Context, w io.Writer, schema *arrow.Schema, codec *codec, header []byte, env encode.Env) *encoder {
	return &encoder{
		schema: schema, codec: codec, header: header, env: env,
		pipeline: encode.NewPipeline(ctx, w, 0, env.Workers, 0),
	}
}

// Write formats a batch as one block or several.
func (e *encoder) Write(batch arrow.RecordBatch) error {
	if e.closed {
		return errClosed
	}
	if err := e.checkSchema(batch.Schema()); err != nil {
		return err
	}
	columns := make([]appender, batch.NumCols())
	for i := range columns {
		f := batch.Schema().Field(i)
		if err := checkNulls(f, batch.Column(i), e.rows); err != nil {
			return err
		}
		columns[i] = appenderOf(f, batch.Column(i))
	}
	h := e.batches.Hold(batch)
	defer e.batches.Done(h)
	rows := int(batch.NumRows())
	step := e.blockRows(columns, rows)
	if rows > 0 && e.header != nil {
		e.marker = mark(e.header, e.sample)
	}
	for lo := 0; lo < rows; lo += step {
		hi := min(lo+step, rows)
		h.AddTask()
		header := e.header
		e.header = nil
		err := e.pipeline.Go(func(b []byte) ([]byte, error) {
			defer e.batches.Done(h)
			return e.appendBlocks(append(b, header...), columns, lo, hi)
		}, func(int64, int) { e.env.Progress.AddRows(int64(hi - lo)) })
		if err != nil {
			e.batches.Done(h)
			return err
		}
	}
	e.rows += batch.NumRows()
	return nil
}

// checkSchema returns an error if a batch has other columns than the first.
func (e *encoder) checkSchema(schema *arrow.Schema) error {
	if schema == e.schema {
		return nil
	}
	if n, first := schema.NumFields(), e.schema.NumFields(); n != first {
		return fmt.Errorf("avro: a batch has %d columns, and the file has %d: all batches have the same", n, first)
	}
	for i, f := range schema.Fields() {
		first := e.schema.Field(i)
		if f.Name != first.Name || f.Nullable != first.Nullable || !arrow.TypeEqual(f.Type, first.Type) {
			return &encode.UnsupportedError{Format: "avro", Column: f.Name, Type: f.Type.String(),
				Reason: fmt.Sprintf("column %d of the file is %q of type %s: all batches have the same columns", i+1, first.Name, first.Type)}
		}
	}
	return nil
}

// blockRows returns how many rows a block has, from some of them.
func (e *encoder) blockRows(columns []appender, rows int) int {
	b, taken := e.sample[:0], 0
	for some := min(rows, sampleRows); taken < some && len(b) < blockBytes; taken++ {
		b = appendRow(b, columns, taken*rows/some)
	}
	e.sample = b
	if rows <= sampleRows {
		return max(1, rows)
	}
	return max(1, min(rows, taken*blockBytes/max(1, len(b))))
}

func appendRow(b []byte, columns []appender, row int) []byte {
	for _, c := range columns {
		b = c(b, row)
	}
	return b
}

// appendRows appends rows from lo on, up to hi or until the block has enough.
func appendRows(b []byte, columns []appender, lo, hi int) ([]byte, int) {
	end := len(b) + maxBlockBytes
	for lo < hi && len(b) < end {
		b = appendRow(b, columns, lo)
		lo++
	}
	return b, lo
}

// appendBlocks appends rows lo to hi, as one block if they are of about the size that
// the others are.
func (e *encoder) appendBlocks(b []byte, columns []appender, lo, hi int) (_ []byte, err error) {
	var w *worker
	if e.codec != null {
		w = e.codec.workers.Get().(*worker)
		defer e.codec.workers.Put(w)
	}
	for lo < hi {
		// The number of records and of bytes come first, and are known last. There is
		// room for what they most likely are.
		var numbers [2 * binary.MaxVarintLen64]byte
		start := len(b)
		data := start + lengthOfLong(int64(hi-lo)) + lengthOfLong(blockBytes)
		b = append(b, numbers[:data-start]...)
		from := lo
		if w == nil {
			b, lo = appendRows(b, columns, lo, hi)
		} else {
			w.records, lo = appendRows(w.records[:0], columns, lo, hi)
			if b, err = e.codec.appendBlock(b, w.records, w); err != nil {
				return nil, err
			}
		}
		n := len(b) - data
		head := binary.AppendVarint(binary.AppendVarint(numbers[:0], int64(lo-from)), int64(n))
		if more := len(head) - (data - start); more != 0 {
			b = append(b, make([]byte, max(0, more))...)
			copy(b[start+len(head):], b[data:data+n])
			b = b[:start+len(head)+n]
		}
		copy(b[start:], head)
		b = append(b, e.marker[:]...)
	}
	return b, nil
}

// Close writes what is pending.
func (e *encoder) Close() error {
	if e.closed {
		return errClosed
	}
	e.closed = true
	if header := e.header; header != nil {
		mark(header, nil)
		if err := e.pipeline.Go(func(b []byte) ([]byte, error) { return append(b, header...), nil }, nil); err != nil {
			e.Discard()
			return err
		}
	}
	err := e.pipeline.Close()
	e.batches.Release()
	return err
}

// Discard stops.
func (e *encoder) Discard() {
	e.closed = true
	e.pipeline.Discard()
	e.batches.Release()
}
