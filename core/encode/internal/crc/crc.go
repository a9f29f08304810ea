// Package crc joins the checksums of pieces of a text that were computed apart.
package crc

import "hash/crc32"

// Combine returns the CRC-32 of two texts, one behind the other, from those of
// the texts, and the length of the second. A CRC is a polynomial modulo another
// one over the field of two elements; n zero bytes behind a text multiply its CRC
// by x**(8n). The bits are in reversed order: the highest is that of x**0.
func Combine(first, second uint32, n int) uint32 {
	return multiply(first, zeroBytes(n)) ^ second
}

// zeroBytes returns x**(8n), by squaring.
func zeroBytes(n int) uint32 {
	product, square := uint32(1<<31), uint32(1<<23) // 1, x**8
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			product = multiply(product, square)
		}
		square = multiply(square, square)
	}
	return product
}

// multiply returns a*b modulo the polynomial of CRC-32.
func multiply(a, b uint32) uint32 {
	product := uint32(0)
	for bit := uint32(1 << 31); bit != 0; bit >>= 1 {
		if a&bit != 0 {
			product ^= b
		}
		if b&1 != 0 {
			b = b>>1 ^ crc32.IEEE
		} else {
			b >>= 1
		}
	}
	return product
}
