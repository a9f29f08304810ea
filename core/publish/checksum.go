package publish

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/zeebo/xxh3"
)

// Checksums that can be asked for. XXH3 with 128 bits finds any accident and is
// faster than memory; SHA-256 also withstands somebody who wants to deceive.
const (
	XXH3   = "xxh3-128"
	SHA256 = "sha256"
)

type checksum struct {
	name string
	sum  hash.Hash
}

// xxh3sum is xxh3.Hasher with its 128 bits as the sum.
type xxh3sum struct{ *xxh3.Hasher }

func (x xxh3sum) Sum(b []byte) []byte {
	s := x.Sum128().Bytes()
	return append(b, s[:]...)
}

func newChecksum(name string) (*checksum, error) {
	switch name {
	case "", XXH3:
		return &checksum{XXH3, xxh3sum{xxh3.New()}}, nil
	case SHA256:
		return &checksum{SHA256, sha256.New()}, nil
	}
	return nil, fmt.Errorf("checksum %q: there is %s and %s", name, XXH3, SHA256)
}

func (c *checksum) String() string { return c.name + ":" + hex.EncodeToString(c.sum.Sum(nil)) }

// checksumOf reads r and returns its checksum of the kind that want is of.
func checksumOf(r io.Reader, want string) (string, int64, error) {
	name, _, _ := strings.Cut(want, ":")
	c, err := newChecksum(name)
	if err != nil {
		return "", 0, err
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{c.sum}, struct{ io.Reader }{r}, make([]byte, 1<<20))
	return c.String(), n, err
}
