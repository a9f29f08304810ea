package avro

import (
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode"
)

// checkNulls returns an error if a column has a null where the schema has none: there
// is no way to write it. base is the number of its first row in the file.
func checkNulls(f arrow.Field, a arrow.Array, base int64) error {
	if !mayLackValues(f, a) {
		return nil
	}
	rows := func(yield func(element, row int) bool) {
		for row := range a.Len() {
			if !yield(row, row) {
				return
			}
		}
	}
	path, row, found := firstNull(f, f.Name, a, rows)
	if !found {
		return nil // below nulls there may be anything
	}
	return &encode.ValueError{Format: "avro", Column: path, Row: base + int64(row), Reason: "it is null, but the schema says that it has no nulls"}
}

// inner are the arrays below one of structs, lists or maps, with their fields and
// paths.
func inner(path string, a arrow.Array, visit func(f arrow.Field, path string, a arrow.Array)) {
	switch a := a.(type) {
	case *array.Struct:
		for i, f := range a.DataType().(*arrow.StructType).Fields() {
			visit(f, path+"."+f.Name, a.Field(i))
		}
	case *array.Map:
		t := a.DataType().(*arrow.MapType)
		visit(arrow.Field{Type: t.KeyType()}, path+".key", a.Keys())
		visit(t.ItemField(), path+".value", a.Items())
	case array.ListLike:
		visit(a.DataType().(arrow.ListLikeType).ElemField(), path+".item", a.ListValues())
	}
}

// mayLackValues reports whether there are nulls in an array that should have none,
// wherever they are.
func mayLackValues(f arrow.Field, a arrow.Array) bool {
	if needsValues(f) && hasNulls(a) {
		return true
	}
	found := false
	inner("", a, func(f arrow.Field, _ string, a arrow.Array) { found = found || mayLackValues(f, a) })
	return found
}

func needsValues(f arrow.Field) bool { return !isUnion(f) && valueOf(f.Type).ID() != arrow.NULL }

func hasNulls(a arrow.Array) bool {
	d, ok := a.(*array.Dictionary)
	return a.NullN() > 0 || ok && hasNulls(d.Dictionary())
}

// firstNull returns the path and row of the first null among elements, with the rows
// they are of, or below them.
func firstNull(f arrow.Field, path string, a arrow.Array, elements iter.Seq2[int, int]) (at string, in int, found bool) {
	if needsValues(f) {
		for element, row := range elements {
			if isNullAt(a, element) {
				return path, row, true
			}
		}
	}
	inner(path, a, func(f arrow.Field, path string, below arrow.Array) {
		if !found && mayLackValues(f, below) {
			at, in, found = firstNull(f, path, below, elementsBelow(a, elements))
		}
	})
	return at, in, found
}

func isNullAt(a arrow.Array, i int) bool {
	if d, ok := a.(*array.Dictionary); ok && !a.IsNull(i) {
		return isNullAt(d.Dictionary(), d.GetValueIndex(i))
	}
	return a.IsNull(i)
}

// elementsBelow are those of the arrays below a that are not below a null.
func elementsBelow(a arrow.Array, elements iter.Seq2[int, int]) iter.Seq2[int, int] {
	list, isList := a.(array.ListLike)
	return func(yield func(element, row int) bool) {
		for element, row := range elements {
			if a.IsNull(element) {
				continue
			}
			from, to := int64(element), int64(element)+1
			if isList {
				from, to = list.ValueOffsets(element)
			}
			for i := from; i < to; i++ {
				if !yield(int(i), row) {
					return
				}
			}
		}
	}
}
