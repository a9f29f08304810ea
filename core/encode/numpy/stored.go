package numpy

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/crc"
)

// stored is a zip archive without compression, byte for byte that of numpy.savez.
// Package archive/zip puts no sizes of 64 bits before a member (section 4.3.7 of
// PKWARE's APPNOTE.TXT wants them), which makes those over 4 GiB unreadable for some;
// and sizes behind a member that is not deflated are what some readers refuse. So
// the checksum is taken first, and the archive is laid out here.
type stored struct {
	ctx       context.Context
	w         io.Writer
	workers   int
	offset    uint64 // in the file
	directory []byte
	members   uint64

	array *Array // at hand
	parts [][]byte
	held  []arrow.RecordBatch
}

const (
	maxName     = math.MaxUint16
	wide        = math.MaxUint32 // stands where a value needs 64 bits
	limit       = math.MaxInt32  // from where on Python's zipfile takes them
	maxMembers  = math.MaxUint16
	version     = 45 // of the format, the first that has 64 bits
	onUnix      = 3
	nameIsUTF8  = 1 << 11
	firstDay    = 1<<5 | 1 // 1980-01-01, so that the same arrays give the same file
	permissions = 0o600 << 16
	sumPiece    = 1 << 20 // bytes whose checksum one goroutine takes
)

func (s *stored) begin(a *Array) error {
	s.array = a
	return nil
}

func (s *stored) data(p []byte, batch arrow.RecordBatch) error {
	batch.Retain()
	s.held, s.parts = append(s.held, batch), append(s.parts, p)
	return nil
}

func (s *stored) end() error {
	defer s.release()
	header := s.array.header()
	sum, err := s.sum(header)
	if err != nil {
		return err
	}
	size := uint64(len(header)) + uint64(s.array.Bytes)
	name := member(s.array)
	at := s.offset
	if err := s.write(localHeader(name, sum, size)); err != nil {
		return err
	}
	if err := s.write(header); err != nil {
		return err
	}
	for _, p := range s.parts {
		if err := s.write(p); err != nil {
			return err
		}
	}
	s.members++
	s.directory = appendEntry(s.directory, name, sum, size, at)
	return nil
}

// sum is the checksum of the header and the data of the array at hand.
func (s *stored) sum(header []byte) (uint32, error) {
	sum := crc32.ChecksumIEEE(header)
	p := encode.NewPipeline(s.ctx, io.Discard, 0, s.workers, 0)
	for _, part := range s.parts {
		for len(part) > 0 {
			piece := part[:min(sumPiece, len(part))]
			part = part[len(piece):]
			var its uint32
			err := p.Go(func(buf []byte) ([]byte, error) {
				its = crc32.ChecksumIEEE(piece)
				return buf, nil
			}, func(int64, int) { sum = crc.Combine(sum, its, len(piece)) })
			if err != nil {
				p.Discard()
				return 0, err
			}
		}
	}
	return sum, p.Close()
}

func (s *stored) write(p []byte) error {
	n, err := s.w.Write(p)
	s.offset += uint64(n)
	return err
}

func (s *stored) close() error {
	begin := s.offset
	if err := s.write(s.directory); err != nil {
		return err
	}
	return s.write(appendEnd(nil, s.members, uint64(len(s.directory)), begin))
}

func (s *stored) discard() { s.release() }

func (s *stored) release() {
	for _, b := range s.held {
		b.Release()
	}
	s.held, s.parts, s.array = nil, nil, nil
}

func flagsOf(name string) uint16 {
	for i := range len(name) {
		if name[i] >= 0x80 {
			return nameIsUTF8
		}
	}
	return 0
}

// localHeader is what stands before a member (section 4.3.7), always with its sizes
// in 64 bits, as NumPy has it (gh-10776).
func localHeader(name string, sum uint32, size uint64) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 0x04034b50)
	b = le.AppendUint16(b, version)
	b = le.AppendUint16(b, flagsOf(name))
	b = le.AppendUint16(b, 0) // not compressed
	b = le.AppendUint16(b, 0) // midnight
	b = le.AppendUint16(b, firstDay)
	b = le.AppendUint32(b, sum)
	b = le.AppendUint32(b, wide)
	b = le.AppendUint32(b, wide)
	b = le.AppendUint16(b, uint16(len(name)))
	b = le.AppendUint16(b, 20)
	b = append(b, name...)
	return appendWide(b, size, size)
}

// appendWide appends the extra field of values in 64 bits (section 4.5.3).
func appendWide(b []byte, values ...uint64) []byte {
	le := binary.LittleEndian
	b = le.AppendUint16(b, 1)
	b = le.AppendUint16(b, uint16(8*len(values)))
	for _, v := range values {
		b = le.AppendUint64(b, v)
	}
	return b
}

// appendEntry appends what the directory says of a member (section 4.3.12).
func appendEntry(b []byte, name string, sum uint32, size, offset uint64) []byte {
	le := binary.LittleEndian
	var values []uint64
	if size > limit {
		values = append(values, size, size)
		size = wide
	}
	if offset > limit {
		values = append(values, offset)
		offset = wide
	}
	var extra []byte
	if values != nil {
		extra = appendWide(nil, values...)
	}
	b = le.AppendUint32(b, 0x02014b50)
	b = append(b, version, onUnix)
	b = le.AppendUint16(b, version)
	b = le.AppendUint16(b, flagsOf(name))
	b = le.AppendUint16(b, 0)
	b = le.AppendUint16(b, 0)
	b = le.AppendUint16(b, firstDay)
	b = le.AppendUint32(b, sum)
	b = le.AppendUint32(b, uint32(size))
	b = le.AppendUint32(b, uint32(size))
	b = le.AppendUint16(b, uint16(len(name)))
	b = le.AppendUint16(b, uint16(len(extra)))
	b = append(b, 0, 0, 0, 0, 0, 0) // no comment, first disk, no attributes
	b = le.AppendUint32(b, permissions)
	b = le.AppendUint32(b, uint32(offset))
	return append(append(b, name...), extra...)
}

// appendEnd appends what stands behind the directory (sections 4.3.14 to 4.3.16).
func appendEnd(b []byte, members, size, begin uint64) []byte {
	le := binary.LittleEndian
	if members > maxMembers || size > limit || begin > limit {
		b = le.AppendUint32(b, 0x06064b50)
		b = le.AppendUint64(b, 44) // bytes of this record behind this field
		b = le.AppendUint16(b, version)
		b = le.AppendUint16(b, version)
		b = le.AppendUint64(b, 0) // disks
		b = le.AppendUint64(b, members)
		b = le.AppendUint64(b, members)
		b = le.AppendUint64(b, size)
		b = le.AppendUint64(b, begin)
		b = le.AppendUint32(b, 0x07064b50)
		b = le.AppendUint32(b, 0)
		b = le.AppendUint64(b, begin+size)
		b = le.AppendUint32(b, 1)
	}
	b = le.AppendUint32(b, 0x06054b50)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint16(b, uint16(min(members, maxMembers)))
	b = le.AppendUint16(b, uint16(min(members, maxMembers)))
	b = le.AppendUint32(b, uint32(min(size, wide)))
	b = le.AppendUint32(b, uint32(min(begin, wide)))
	return le.AppendUint16(b, 0)
}
