package parquet

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
)

// maxDictionaryPage bounds the dictionary page of a column that is a dictionary
// already. Its header holds a signed number of 32 bits.
const maxDictionaryPage = 1 << 30

// keepDictionary changes the properties of a column of dictionary arrays so
// that its dictionary stays whole: readers make the categories of it, also of
// those that no row has.
func keepDictionary(l *leaf, p []parquet.WriterProperty) []parquet.WriterProperty {
	path := l.column.ColumnPath()
	return append(p,
		parquet.WithDictionaryPageSizeLimit(maxDictionaryPage),
		parquet.WithDictionaryCostFallbackPath(path, false))
}

// putDictionary makes the dictionary of the first piece that of the column
// chunk, in its order. Values of other dictionaries follow as they come.
func putDictionary(w file.ColumnChunkWriter, l *leaf, first arrow.Array) error {
	bytes, ok := w.(*file.ByteArrayColumnChunkWriter)
	if !ok {
		return nil // readers ask only strings for their dictionary
	}
	encoder, ok := bytes.CurrentEncoder().(interface{ PutDictionary(arrow.Array) error })
	if !ok {
		return nil // dictionary encoding is off
	}
	d := dictionaryAt(l, first)
	if d == nil || d.Len() == 0 {
		return nil
	}
	values, err := new(scratch).asSlices(leafRange{values: d, dense: true, hi: d.Len()})
	if err != nil {
		return err
	}
	if mayHaveNulls(d) || hasDuplicates(values) {
		return nil // Parquet's dictionaries have neither; the encoder makes its own
	}
	clean := array.NewBinaryBuilder(memory.DefaultAllocator, arrow.BinaryTypes.LargeBinary)
	defer clean.Release()
	for _, v := range values {
		clean.Append(v)
	}
	return encoder.PutDictionary(clean.NewArray())
}

// dictionaryAt returns the dictionary at the end of l's path.
func dictionaryAt(l *leaf, arr arrow.Array) arrow.Array {
	arr = storageOf(arr)
	for _, n := range l.path {
		switch n.kind {
		case structNode:
			arr = storageOf(arr.(*array.Struct).Field(n.child))
		case listNode, mapNode:
			arr = storageOf(arr.(array.ListLike).ListValues())
		case dictionaryLeaf:
			return storageOf(arr.(*array.Dictionary).Dictionary())
		}
	}
	return nil
}

func hasDuplicates(values []parquet.ByteArray) bool {
	seen := make(map[string]struct{}, len(values))
	for _, v := range values {
		seen[string(v)] = struct{}{}
	}
	return len(seen) < len(values)
}
