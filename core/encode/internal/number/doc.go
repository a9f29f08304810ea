// Package number prints integers and floating-point numbers the way Python,
// NumPy and polars print them, many times faster than package strconv.
//
// All functions append to a byte slice and return it, as append does.
//
// The shortest digits that read back as the same float are found by the method
// of Russ Cox, "Floating-Point Printing and Parsing Can Be Simple And Fast"
// (https://research.swtch.com/fp, 2026): one multiplication by a 128-bit power
// of ten that keeps the bits needed for rounding. Among the shortest it takes
// the nearest one, and of two equally near ones the even one, as strconv,
// Python's repr, NumPy's Dragon4 and Rust's ryu and zmij all do.
//
// Libraries agree about the digits and differ in where they change to an
// exponent and how they write it: that is a [Notation].
package number
