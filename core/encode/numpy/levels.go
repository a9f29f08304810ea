package numpy

import "github.com/seojaeohcode/atio/core/encode/internal/zipped"

// levels choose how hard each piece is deflated, so that it becomes about as small
// as by zlib's level 6, which numpy.savez_compressed takes, in half of its time and
// less on two cores. Measured on twelve kinds of arrays, as size and time over
// zlib's:
//
//   - quick, 0.97 to 1.05 in 0.1 to 0.35 for most, but 1.56 of short texts;
//   - finer, 0.97 to 1.03, but in 0.75 where pieces become a seventh to a fifth;
//   - standard, 0.99 to 1.02 (1.1 of smooth bytes), in 0.3 to 0.5 where pieces
//     become small or hardly smaller, and in up to 1.6 between.
//
// So a part of each piece is tried.
type levels struct{ quick, finer, standard zipped.Deflate }

func newLevels() *levels {
	return &levels{quick: zipped.Level(7), finer: zipped.Level(8), standard: zipped.Standard(6)}
}

const (
	// tried is how much of a piece is tried at most, from its middle, and triedPart what
	// part of it, so that trying takes little time.
	tried, triedPart = 64 << 10, 8
	// triedLeast is what is too short to say anything.
	triedLeast = 16 << 10
	// small is the part of its length, in hundredths, below which a piece becomes so
	// small that standard is quick.
	small = 14
	// large and hopeless bound, in the same way, where finer is worth its time.
	large, hopeless = 20, 95
)

func (l *levels) deflate(buf, text []byte) ([]byte, error) {
	choice, err := l.choose(text)
	if err != nil {
		return nil, err
	}
	return choice(buf, text)
}

func (l *levels) choose(text []byte) (zipped.Deflate, error) {
	part := text[len(text)/2:][:min(tried, len(text)/triedPart)]
	if len(part) < triedLeast {
		return l.quick, nil
	}
	quick, err := l.quick(nil, part)
	if err != nil {
		return nil, err
	}
	var other zipped.Deflate
	var gain int // hundredths that it has to be smaller
	switch percent := 100 * len(quick) / len(part); {
	case percent < small:
		other, gain = l.standard, 2
	case percent >= large && percent < hopeless:
		other, gain = l.finer, 1
	default:
		return l.quick, nil
	}
	b, err := other(nil, part)
	if err != nil {
		return nil, err
	}
	if len(b)*100 < len(quick)*(100-gain) {
		return other, nil
	}
	return l.quick, nil
}
