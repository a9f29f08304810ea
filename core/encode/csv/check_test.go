package csv

import (
	"errors"
	"strings"
	"testing"

	"github.com/seojaeohcode/atio/core/encode"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		o    Options
		text string
		rows int64
		ok   bool
	}{
		{Options{}, "a\n1\n", 1, true},
		{Options{}, "a\n", 0, true},
		{Options{}, "", 0, false},
		{Options{NoHeader: true}, "", 0, true},
		{Options{NoHeader: true}, "", 1, false},
		{Options{}, "a\n1", 1, false},
		{Options{}, "a\n\x00", 1, false},
		{Options{Header: []string{"a"}}, "a\n1\n", 1, true},
		{Options{Header: []string{"a"}}, "b\n1\n", 1, false},
		{Options{Header: []string{"long header"}}, "b\n1\n", 1, false},
		{Options{}, "a\n1\n", 4, false},
	} {
		err := c.o.Check(strings.NewReader(c.text), int64(len(c.text)), c.rows)
		var bad *encode.CheckError
		if c.ok != (err == nil) || err != nil && !errors.As(err, &bad) {
			t.Errorf("%+v, %q: got %v", c.o, c.text, err)
		}
	}
}
