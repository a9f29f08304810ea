package parquet

import (
	"math/bits"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"

	"github.com/seojaeohcode/atio/core/encode/parquet/internal/encoding"
)

// pageGrid is the number of rows from one line to the next. At each line the pages
// of DELTA_BINARY_PACKED end, and only at lines those of other columns end, as far
// as their values allow it; 0 stands for a row group without lines.
//
// A reader that the column index of one column lets leave out rows then never has
// to begin within a page of DELTA_BINARY_PACKED: Spark before 4.3 goes astray there.
// Its VectorizedDeltaBinaryPackedReader forgets how many values it has read when it
// is asked for none, and gives the page's first value once more. It is asked for
// none where the skipped rows end with a run of levels or a batch, or are nulls
// (https://github.com/apache/spark/commit/107111001a0b5f5258a463481deb1a039902f511).
// Other readers decode no page that they do not need all of.
type pageGrid int

// mostLines bounds the pages of DELTA_BINARY_PACKED that stand beside one page of
// long values: by data pages of 1 MiB, they have 512 rows or more.
const mostLines = 2048

// grid returns the lines of a row group whose leaves take about sizes bytes.
func (s *settings) grid(leaves []*leaf, sizes []int64, rows int64) pageGrid {
	if !s.pageIndex || !slices.ContainsFunc(leaves, (*leaf).mayBeDelta) {
		return 0
	}
	widest := int64(1)
	for i, l := range leaves {
		if l.settings.statistics && l.order != noOrder {
			widest = max(widest, sizes[i])
		}
	}
	// As floats, since the product may be more than an int64 holds.
	fit := int64(min(mostValues, float64(s.pageSize)*float64(rows)/float64(widest)))
	if rows <= fit {
		return 0 // one page each
	}
	fit = max(1, fit, min(mostValues, s.pageSize/mostLines))
	// Powers of two, as what numbers of all widths fit a page in.
	return pageGrid(1) << (bits.Len64(uint64(fit)) - 1)
}

// mayBeDelta reports whether DELTA_BINARY_PACKED may be taken for l.
func (l *leaf) mayBeDelta() bool {
	if e := l.settings.encoding; e != nil {
		return *e == parquet.Encodings.DeltaBinaryPacked
	}
	t := l.column.PhysicalType()
	return t == parquet.Types.Int32 || t == parquet.Types.Int64
}

// toLine returns how many rows from row to the next line.
func (g pageGrid) toLine(row int) int { return int(g) - row%int(g) }

// cut returns how many entries go on the next page, and how many values and rows
// they are.
func (s *splitter) cut() (entries, present, rows int, err error) {
	c := s.column
	values, err := s.valuesIn(1)
	if err != nil {
		return 0, 0, 0, err
	}
	entries, present, rows = c.cut(s.entry, s.value, values)
	last := s.entry+entries == c.entries
	every := s.encoding == parquet.Encodings.DeltaBinaryPacked
	if s.grid == 0 || last && !every {
		return entries, present, rows, nil
	}
	next := s.grid.toLine(s.row)
	switch {
	case rows == next || last && rows < next:
		return entries, present, rows, nil
	case rows > next && every:
		rows = next
	case rows > next:
		rows -= (s.row + rows) % int(s.grid)
	default:
		// A page of up to twice the size reaches the line. Longer values than that end
		// where they must: there is no column index then, see commonRows.
		values, err := s.valuesIn(2)
		if err != nil {
			return 0, 0, 0, err
		}
		e, p, r := c.cut(s.entry, s.value, values)
		if r < next {
			if s.entry+e == c.entries {
				return e, p, r, nil
			}
			return entries, present, rows, nil
		}
		rows = next
	}
	entries, present = c.take(s.entry, rows)
	return entries, present, rows, nil
}

// valuesIn returns how many values fill so many pages: of byte arrays mostValues if
// what is left does not, so that the nulls after the last one go on its page.
func (s *splitter) valuesIn(pages int) (int, error) {
	if !s.isStrings() {
		return pages * s.values, nil
	}
	n, err := s.measure(int64(pages) * s.size)
	if n == s.column.values-s.value {
		n = mostValues
	}
	return n, err
}

// take returns how many entries from the given one on so many rows are, and how
// many values.
func (c *column) take(entry, rows int) (entries, present int) {
	switch {
	case c.def == nil && c.valid == nil:
		return rows, rows
	case c.def == nil:
		return rows, encoding.CountBits(c.valid, entry, rows)
	}
	most := uint8(c.leaf.maxDef)
	nested := c.leaf.maxRep > 0
	for i := entry; i < c.entries; i++ {
		if !nested || c.rep[i] == 0 {
			if rows == 0 {
				break
			}
			rows--
		}
		if c.def[i] == most {
			present++
		}
		entries++
	}
	return entries, present
}

// size returns about how many bytes the values of l in arr take as PLAIN, or as
// numbers of a dictionary.
func (l *leaf) size(arr arrow.Array) int64 {
	arr = storageOf(arr)
	lo, hi := int64(0), int64(arr.Len())
	for _, n := range l.path {
		if hi <= lo {
			return 0
		}
		switch n.kind {
		case structNode:
			arr = storageOf(arr.(*array.Struct).Field(n.child))
		case listNode, mapNode:
			list := arr.(array.ListLike)
			lo, _ = list.ValueOffsets(int(lo))
			_, hi = list.ValueOffsets(int(hi - 1))
			arr = storageOf(list.ListValues())
		}
	}
	if d, ok := arr.(*array.Dictionary); ok && !l.settings.dictionary && d.Dictionary().Len() > 0 {
		values := storageOf(d.Dictionary())
		all := int64(values.Len())
		return max(0, hi-lo) * (l.sizeOfValues(values, 0, all) / all)
	}
	return l.sizeOfValues(arr, lo, hi)
}

func (l *leaf) sizeOfValues(arr arrow.Array, lo, hi int64) int64 {
	switch a := arr.(type) {
	case *array.Dictionary:
	case array.ViewLike:
		if hi <= lo {
			return 0
		}
		size := 4 * (hi - lo)
		nulls := a.NullN() > 0
		views := viewsOf(a)[lo:hi]
		for i := range views {
			if nulls && a.IsNull(int(lo)+i) {
				continue // its length may be anything
			}
			size += int64(views[i].Len())
		}
		return size
	default:
		if w := l.width(); w > 0 {
			return int64(w) * max(0, hi-lo)
		}
	}
	return sizeOfRange(arr, lo, hi)
}

// commonRows returns the rows at which a page begins in each of the group's chunks
// of DELTA_BINARY_PACKED, and whether there is such a chunk.
func (g *groupFooter) commonRows() (rows []int64, any bool) {
	for k := range g.chunks {
		info := g.chunks[k].info
		if info.encoding != parquet.Encodings.DeltaBinaryPacked {
			continue
		}
		if !any {
			any = true
			for i := range info.pages {
				rows = append(rows, info.pages[i].firstRow)
			}
			continue
		}
		at := 0
		rows = slices.DeleteFunc(rows, func(row int64) bool {
			for at < len(info.pages) && info.pages[at].firstRow < row {
				at++
			}
			return at == len(info.pages) || info.pages[at].firstRow != row
		})
	}
	return rows, any
}

// beginAt reports whether all pages begin at one of rows, which ascend.
func beginAt(rows []int64, pages []pageInfo) bool {
	at := 0
	for i := range pages {
		for at < len(rows) && rows[at] < pages[i].firstRow {
			at++
		}
		if at == len(rows) || rows[at] != pages[i].firstRow {
			return false
		}
	}
	return true
}
