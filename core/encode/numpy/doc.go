// Package numpy writes the memory of NumPy arrays: npy files, npz archives of
// them, deflated or not, and bare bytes.
//
// An array is no table, so its memory comes as it lies there: as batches with one
// column of a fixed width, best uint8, whose bytes are those of the arrays one after
// the other. What they mean stands in [Options]. Nothing is copied: what is held
// back is held by its batch.
//
// The header is our own code, as github.com/sbinet/npyio has no structured types,
// and reads and writes values one by one by reflection.
//
// Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
package numpy
