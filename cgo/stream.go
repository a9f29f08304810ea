package main

/*
#include <stdlib.h>
#include <stdint.h>

// https://arrow.apache.org/docs/format/CDataInterface.html
struct ArrowSchema {
	const char *format, *name, *metadata;
	int64_t flags, n_children;
	struct ArrowSchema **children;
	struct ArrowSchema *dictionary;
	void (*release)(struct ArrowSchema *);
	void *private_data;
};
struct ArrowArrayStream {
	int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *);
	int (*get_next)(struct ArrowArrayStream *, void *);
	const char *(*get_last_error)(struct ArrowArrayStream *);
	void (*release)(struct ArrowArrayStream *);
	void *private_data;
};

enum { DICTIONARY_ORDERED = 1, NULLABLE = 2 };

static int released(struct ArrowArrayStream *s) { return s->release == NULL; }

// walk stores for each dictionary in the schema whether it is ordered, and for each
// map whether its values may be null, depth first, and returns how many there are.
static int64_t walk(struct ArrowSchema *s, char *flags, int64_t k, int64_t n) {
	if (s->dictionary != NULL) {
		if (k < n) flags[k] = (s->flags & DICTIONARY_ORDERED) != 0;
		k = walk(s->dictionary, flags, k + 1, n);
	}
	if (s->format[0] == '+' && s->format[1] == 'm' && s->n_children == 1 && s->children[0]->n_children == 2) {
		if (k < n) flags[k] = (s->children[0]->children[1]->flags & NULLABLE) != 0;
		k++;
	}
	for (int64_t i = 0; i < s->n_children; i++) k = walk(s->children[i], flags, k, n);
	return k;
}
static int64_t schema_flags(struct ArrowArrayStream *s, char *flags, int64_t n) {
	struct ArrowSchema schema = {0};
	if (s->get_schema(s, &schema) != 0) return 0;
	int64_t k = walk(&schema, flags, 0, n);
	if (schema.release != NULL) schema.release(&schema);
	return k < n ? k : n;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/cdata"
)

// reader is an imported stream. A nil reader may be released.
type reader struct{ array.RecordReader }

func (r *reader) Release() {
	if r != nil && r.RecordReader != nil {
		r.RecordReader.Release()
		r.RecordReader = nil
	}
}

// streamError is the failure of whoever produces a stream.
type streamError struct{ err error }

func (e *streamError) Error() string { return "the Arrow stream failed: " + e.err.Error() }
func (e *streamError) Unwrap() error { return e.err }

// schemaError says that this library cannot take a stream of that schema.
type schemaError struct{ err error }

func (e *schemaError) Error() string { return "the Arrow schema cannot be read: " + e.err.Error() }
func (e *schemaError) Unwrap() error { return e.err }

var errReleased = errors.New("the Arrow stream has been released already: streams can be used once")

// importStream takes over a C stream.
func importStream(stream *cdata.CArrowArrayStream) (r *reader, err error) {
	c := (*C.struct_ArrowArrayStream)(unsafe.Pointer(stream))
	if c == nil || C.released(c) != 0 {
		return nil, &streamError{errReleased} // importing it would end the process
	}
	defer func() {
		if p := recover(); p != nil {
			r, err = nil, &schemaError{fmt.Errorf("%v", p)}
		}
	}()
	flags := make([]C.char, 4096)
	n := int(C.schema_flags(c, &flags[0], C.int64_t(len(flags))))
	rd, err := cdata.ImportCRecordReader(stream, nil)
	if err != nil {
		return nil, &schemaError{err}
	}
	next := flags[:n]
	for _, f := range rd.(array.RecordReader).Schema().Fields() {
		next = setFlags(f.Type, next)
	}
	return &reader{rd.(array.RecordReader)}, nil
}

// setFlags sets what arrow-go's import leaves out: which dictionaries are ordered,
// and whose values in a map are never null. It goes the way of walk and returns
// what is left of flags.
func setFlags(t arrow.DataType, flags []C.char) []C.char {
	if ext, ok := t.(arrow.ExtensionType); ok {
		t = ext.StorageType()
	}
	take := func(set func(on bool)) {
		if len(flags) > 0 {
			set(flags[0] != 0)
			flags = flags[1:]
		}
	}
	switch t := t.(type) {
	case *arrow.DictionaryType:
		take(func(on bool) { t.Ordered = on })
		return setFlags(t.ValueType, flags)
	case *arrow.MapType:
		take(t.SetItemNullable)
		return setFlags(t.Elem(), flags)
	case arrow.NestedType:
		for _, f := range t.Fields() {
			flags = setFlags(f.Type, flags)
		}
	}
	return flags
}
