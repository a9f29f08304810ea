package core_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"syscall"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/seojaeohcode/atio/core"
	"github.com/seojaeohcode/atio/core/delta"
	"github.com/seojaeohcode/atio/core/encode/avro"
	"github.com/seojaeohcode/atio/core/encode/csv"
	"github.com/seojaeohcode/atio/core/encode/parquet"
)

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "city", Type: arrow.BinaryTypes.String},
	{Name: "people", Type: arrow.PrimitiveTypes.Int64},
}, nil)

func cities() arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	b.Field(0).(*array.StringBuilder).AppendValues([]string{"Oslo", "Lima"}, nil)
	b.Field(1).(*array.Int64Builder).AppendValues([]int64{717_710, 10_151_000}, nil)
	return b.NewRecordBatch()
}

func tempDir() string {
	dir, err := os.MkdirTemp("", "atio-example-")
	if err != nil {
		log.Fatal(err)
	}
	return dir
}

func ExampleWrite() {
	dir := tempDir()
	defer os.RemoveAll(dir)

	batch := cities()
	defer batch.Release()
	reader, err := array.NewRecordReader(schema, []arrow.RecordBatch{batch})
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Release()

	result, err := core.Write(context.Background(), reader, filepath.Join(dir, "cities.csv"), core.Options{})
	if err != nil {
		log.Fatal(err)
	}
	text, _ := os.ReadFile(result.Path)
	fmt.Print(string(text))
	fmt.Println(result.Rows, "rows as", result.Format)
	// Output:
	// city,people
	// Oslo,717710
	// Lima,10151000
	// 2 rows as csv
}

func ExampleNewWriter() {
	dir := tempDir()
	defer os.RemoveAll(dir)

	w, err := core.NewWriter(context.Background(), schema, filepath.Join(dir, "cities.parquet"), core.Options{
		Encoding: &parquet.Options{Compression: "zstd"},
		Backups:  1,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Abort() // does nothing after Close
	for range 3 {
		batch := cities()
		if err := w.Write(batch); err != nil {
			log.Fatal(err)
		}
		batch.Release()
	}
	result, err := w.Close()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Rows, "rows as", result.Format)
	// Output: 6 rows as parquet
}

// Records that programs in any language read one by one.
func ExampleWrite_avro() {
	dir := tempDir()
	defer os.RemoveAll(dir)

	batch := cities()
	defer batch.Release()
	reader, err := array.NewRecordReader(schema, []arrow.RecordBatch{batch})
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Release()

	result, err := core.Write(context.Background(), reader, filepath.Join(dir, "cities.avro"), core.Options{
		Encoding: &avro.Options{Compression: avro.Snappy, Name: "com.example.City"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Rows, "rows as", result.Format)
	// Output: 2 rows as avro
}

func ExampleNewStage() {
	dir := tempDir()
	defer os.RemoveAll(dir)

	s, err := core.NewStage(context.Background(), filepath.Join(dir, "notes.txt"), false, core.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Abort()
	if err := os.WriteFile(s.Path(), []byte("written by other code"), 0o666); err != nil {
		log.Fatal(err)
	}
	pending, err := s.Finish("text", "example", -1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pending.Keep().Bytes, "bytes")
	// Output: 21 bytes
}

func ExampleVerify() {
	dir := tempDir()
	defer os.RemoveAll(dir)

	path := filepath.Join(dir, "cities.csv")
	w, err := core.NewWriter(context.Background(), schema, path, core.Options{Encoding: &csv.Options{}})
	if err != nil {
		log.Fatal(err)
	}
	batch := cities()
	defer batch.Release()
	if err := errors.Join(w.Write(batch), second(w.Close())); err != nil {
		log.Fatal(err)
	}
	_, err = core.Verify(context.Background(), path)
	fmt.Println("whole:", err == nil)

	_ = os.Truncate(path, 5)
	_, err = core.Verify(context.Background(), path)
	fmt.Println("damaged:", errors.Is(err, core.ErrCorrupt))
	// Output:
	// whole: true
	// damaged: true
}

func ExampleError() {
	w, err := core.NewWriter(context.Background(), schema, "/proc/cities.csv", core.Options{})
	if err == nil {
		w.Abort()
	}
	var e *core.Error
	if errors.As(err, &e) {
		fmt.Println(e.Op, e.Path, errors.Is(err, syscall.ENOENT))
	}
	// Output: prepare /proc/cities.csv true
}

func second[T any](_ T, err error) error { return err }

func ExampleNewDatasetWriter() {
	dir := tempDir()
	defer os.RemoveAll(dir)

	w, err := core.NewDatasetWriter(context.Background(), filepath.Join(dir, "people"), core.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Abort()
	batch := cities()
	defer batch.Release()
	for _, path := range []string{"year=2023/7f3a-0.parquet", "year=2024/7f3a-0.parquet"} {
		if err := w.Create(path, schema, batch.NumRows()); err != nil {
			log.Fatal(err)
		}
		if err := w.Write(batch); err != nil {
			log.Fatal(err)
		}
	}
	result, err := w.Close()
	if err != nil {
		log.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(result.Path, "*", "*"))
	fmt.Println(result.Rows, "rows in", len(files), "files")
	// Output: 4 rows in 2 files
}

// A table keeps every version of its data.
func ExampleOpenTable() {
	ctx := context.Background()
	dir := tempDir()
	defer os.RemoveAll(dir)

	table, err := core.OpenTable(ctx, filepath.Join(dir, "cities"), core.TableOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, message := range []string{"first", "again"} {
		batch := cities()
		reader, err := array.NewRecordReader(schema, []arrow.RecordBatch{batch})
		if err != nil {
			log.Fatal(err)
		}
		result, err := table.Write(ctx, reader, core.TableWriteOptions{Mode: delta.Append, Message: message})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("version", result.Version, "added", result.Rows, "rows")
		reader.Release()
		batch.Release()
	}
	if err := table.Tag(ctx, "gold", 1); err != nil {
		log.Fatal(err)
	}
	snapshot, err := table.Snapshot(ctx, core.TableAt{Tag: "gold"})
	if err != nil {
		log.Fatal(err)
	}
	files, err := snapshot.Files(delta.Filter{{{Column: "people", Op: ">", Value: 1_000_000}}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("version", snapshot.Version, "has", snapshot.Totals().Rows, "rows; large cities are in", len(files), "file")
	history, err := table.History(ctx, 0)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range history {
		fmt.Println(c.Version, c.Operation, c.Message, c.Tags)
	}
	// Output:
	// version 1 added 2 rows
	// version 2 added 2 rows
	// version 1 has 2 rows; large cities are in 1 file
	// 2 WRITE again []
	// 1 WRITE first [gold]
}

// Data are written in one place, or in many, and become one version in another.
func ExampleOpenTable_parts() {
	ctx := context.Background()
	dir := tempDir()
	defer os.RemoveAll(dir)

	table, err := core.OpenTable(ctx, filepath.Join(dir, "cities"), core.TableOptions{})
	if err != nil {
		log.Fatal(err)
	}
	var parts []*delta.Part
	for range 3 {
		writer, err := table.NewWriter(ctx, schema, core.TableWriteOptions{})
		if err != nil {
			log.Fatal(err)
		}
		batch := cities()
		if err := writer.Write(batch); err != nil {
			log.Fatal(err)
		}
		batch.Release()
		part, err := writer.Finish()
		if err != nil {
			log.Fatal(err)
		}
		parts = append(parts, part)
	}
	result, err := table.Commit(ctx, core.TableWriteOptions{}, parts...)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("version", result.Version, "has", result.Totals.Rows, "rows")
	// Output:
	// version 1 has 6 rows
}
