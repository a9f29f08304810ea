// Package compressed writes and reads text files that are compressed as a whole:
// one gzip member or one Zstandard frame, because many readers stop after the
// first. They are compressed on all cores, in bounded memory.
package compressed
