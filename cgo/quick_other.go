//go:build !linux

package main

// neverHangs knows no file system of which that could be said.
func neverHangs(string) bool { return false }
