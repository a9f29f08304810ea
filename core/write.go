package core

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"
)

// Write writes all record batches of r to target and publishes it. r is not
// released. When ctx is cancelled, or on an error, everything is as before.
func Write(ctx context.Context, r array.RecordReader, target string, o Options) (Result, error) {
	w, err := NewWriter(ctx, r.Schema(), target, o)
	if err != nil {
		return Result{}, err
	}
	defer w.Abort()
	for r.Next() {
		if err := w.Write(r.RecordBatch()); err != nil {
			return Result{}, err
		}
	}
	if err := r.Err(); err != nil {
		return Result{}, err
	}
	return w.Close()
}
