// Package version names the version of atio, for Go, C and files alike.
package version

// Version is that of the Python package too: python/atio/__init__.py.
const Version = "0.1.0"
