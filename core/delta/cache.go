package delta

import (
	"context"
	"sync"

	"github.com/seojaeohcode/atio/core/store"
)

// knowledge is what this process knows of a table: the newest version it has seen.
// It is shared by all Tables of a path, so that who opens a table anew for each
// small write does not read its log each time. Before it is used, a look at the
// log says whether it is still of the same table (see [Table.still]).
type knowledge struct {
	objects [2]*store.LocalObjects // with and without syncs

	mu    sync.Mutex
	light *Snapshot // the newest one seen, without files
	full  *Snapshot // the newest one seen with files
}

// mostRemembered is how many tables are.
const mostRemembered = 16

var remembered struct {
	sync.Mutex
	tables map[string]*knowledge
	order  []string // by last use
}

// knowledgeOf returns what is known of the local table at a path.
func knowledgeOf(path string) *knowledge {
	remembered.Lock()
	defer remembered.Unlock()
	m := remembered.tables[path]
	if m == nil {
		if remembered.tables == nil {
			remembered.tables = map[string]*knowledge{}
		}
		m = &knowledge{}
		for i, skipSync := range []bool{false, true} {
			m.objects[i] = store.NewLocalObjects(store.Local{}, path, skipSync)
		}
		remembered.tables[path] = m
	}
	for i, p := range remembered.order {
		if p == path {
			remembered.order = append(remembered.order[:i], remembered.order[i+1:]...)
			break
		}
	}
	remembered.order = append(remembered.order, path)
	if len(remembered.order) > mostRemembered {
		delete(remembered.tables, remembered.order[0])
		remembered.order = remembered.order[1:]
	}
	return m
}

// cached returns the newest snapshot that has what is asked for.
func (t *Table) cached(files bool) *Snapshot {
	m := t.known
	m.mu.Lock()
	defer m.mu.Unlock()
	if files || m.light == nil || m.full != nil && m.full.Version >= m.light.Version {
		return m.full
	}
	return m.light
}

// remember keeps a newest snapshot for the next call.
func (t *Table) remember(ctx context.Context, s *Snapshot) {
	m := t.known
	o, err := t.objects.Stat(ctx, commitKey(s.Version))
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s.mark = markOf(o)
	at := &m.light
	if s.files != nil {
		at = &m.full
	}
	if *at == nil || (*at).Version <= s.Version {
		*at = s
	}
}
