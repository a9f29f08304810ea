package store_test

import (
	"testing"

	"github.com/seojaeohcode/atio/core/store"
	"github.com/seojaeohcode/atio/core/store/faultstore"
	"github.com/seojaeohcode/atio/core/store/storetest"
)

func TestLocal(t *testing.T) {
	storetest.Run(t, store.Local{}, func(t *testing.T) string { return t.TempDir() })
}

// A store that is told to fail nothing is as good as the one below it.
func TestFaultStoreWithoutFaults(t *testing.T) {
	storetest.Run(t, faultstore.New(store.Local{}, nil), func(t *testing.T) string { return t.TempDir() })
}
