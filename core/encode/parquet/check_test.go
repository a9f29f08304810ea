package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/seojaeohcode/atio/core/encode"
)

func TestCheckRefusesBrokenFiles(t *testing.T) {
	schema := allTypes()
	batch := randomBatch(rand.New(rand.NewPCG(1, 1)), schema, 50, 0.2)
	whole := encodeAll(t, Options{RowGroupSize: 20}, schema, batch)
	other := func(change func([]byte) []byte) []byte { return change(bytes.Clone(whole)) }
	for name, data := range map[string][]byte{
		"nothing":        nil,
		"only magic":     []byte("PAR1"),
		"cut short":      whole[:len(whole)-1],
		"longer":         append(bytes.Clone(whole), 0),
		"middle missing": other(func(b []byte) []byte { return append(b[:100], b[101:]...) }),
		"bad magic":      other(func(b []byte) []byte { b[0] = 'X'; return b }),
		"footer length":  other(func(b []byte) []byte { binary.LittleEndian.PutUint32(b[len(b)-8:], 1<<31); return b }),
		"zeroed footer":  other(func(b []byte) []byte { clear(b[footerOf(b) : len(b)-8]); return b }),
	} {
		var e *encode.CheckError
		if err := (Options{}).Check(bytes.NewReader(data), int64(len(data)), 50); !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var e *encode.CheckError
	if err := (Options{}).Check(bytes.NewReader(whole), int64(len(whole)), 51); !errors.As(err, &e) {
		t.Errorf("other number of rows: %v", err)
	}
}

func footerOf(b []byte) int { return len(b) - 8 - int(binary.LittleEndian.Uint32(b[len(b)-8:])) }
