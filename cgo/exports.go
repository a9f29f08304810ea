// Command cgo is libatio, the C interface of atio: see atio.h. It holds no
// logic of its own: requests become calls of package core, handles stand for
// jobs, and panics become errors.
package main

/*
#include <stdlib.h>
#include "atio.h"
*/
import "C"

import (
	"encoding/json"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/cdata"

	"github.com/seojaeohcode/atio/core/version"
)

func main() {}

//export atio_start
func atio_start(request *C.char, stream *C.struct_ArrowArrayStream, wait C.int64_t, id *C.int64_t) (status C.int32_t) {
	j := newJob()
	*id = C.int64_t(j.id)
	defer j.recoverTo(&status)
	j.start(C.GoString(request), (*cdata.CArrowArrayStream)(unsafe.Pointer(stream)))
	return C.int32_t(j.wait(int64(wait)))
}

//export atio_push
func atio_push(id C.int64_t, stream *C.struct_ArrowArrayStream, wait C.int64_t) (status C.int32_t) {
	j := jobs.get(int64(id))
	defer j.recoverTo(&status)
	j.push((*cdata.CArrowArrayStream)(unsafe.Pointer(stream)))
	return C.int32_t(j.wait(int64(wait)))
}

//export atio_resume
func atio_resume(id, rows, wait C.int64_t) (status C.int32_t) {
	j := jobs.get(int64(id))
	defer j.recoverTo(&status)
	j.resume(int64(rows))
	return C.int32_t(j.wait(int64(wait)))
}

//export atio_wait
func atio_wait(id, wait C.int64_t) (status C.int32_t) {
	j := jobs.get(int64(id))
	defer j.recoverTo(&status)
	return C.int32_t(j.wait(int64(wait)))
}

//export atio_progress
func atio_progress(id C.int64_t, out *C.struct_atio_counts) (status C.int32_t) {
	j := jobs.get(int64(id))
	if j == nil {
		return statusUnknown
	}
	defer j.recoverTo(&status)
	s := j.counter.Snapshot()
	out.rows, out.bytes, out.total = C.int64_t(s.Rows), C.int64_t(s.Bytes), C.int64_t(s.Total)
	out.phase, out.status = C.int32_t(s.Phase), C.int32_t(j.status())
	return 0
}

//export atio_cancel
func atio_cancel(id C.int64_t) (status C.int32_t) {
	j := jobs.get(int64(id))
	if j == nil {
		return statusUnknown
	}
	defer j.recoverTo(&status)
	j.cancel(errCancelled)
	return 0
}

//export atio_finish
func atio_finish(id C.int64_t) (answer *C.char) {
	defer recoverAnswer(&answer)
	return answerOf(jobs.get(int64(id)).finish())
}

//export atio_call
func atio_call(request *C.char) (answer *C.char) {
	defer recoverAnswer(&answer)
	return answerOf(call(C.GoString(request)))
}

//export atio_free
func atio_free(answer *C.char) { C.free(unsafe.Pointer(answer)) }

//export atio_version
func atio_version() *C.char { return C.CString(version.Version) }

// answerOf is the JSON of a result or an error.
func answerOf(result any, err error) *C.char {
	var v any = map[string]any{"result": result}
	if err != nil {
		v = map[string]any{"error": describe(err)}
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return C.CString(string(b))
}

func recoverAnswer(answer **C.char) {
	if r := recover(); r != nil {
		*answer = answerOf(nil, panicError(r))
	}
}

// recoverTo makes a panic of an exported function the job's failure.
func (j *job) recoverTo(status *C.int32_t) {
	if r := recover(); r != nil {
		*status = statusUnknown
		if j != nil {
			j.fail(panicError(r))
			*status = statusFailed
		}
	}
}
