//go:build !cgo

package compress

// Zstd is Zstandard (RFC 8878), a frame for each block, at levels 1 to 22. It is
// libzstd where there is cgo, and pure Go where there is not.
func Zstd(level int) (Encoder, error) { return pureZstd(level) }
