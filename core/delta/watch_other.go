//go:build !linux

package delta

import "errors"

func watchDir(string) (changes <-chan struct{}, stop func(), err error) {
	return nil, nil, errors.ErrUnsupported
}
