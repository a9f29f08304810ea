package postgres

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// limitStall has the kernel give up a connection whose other end acknowledges
// nothing, as keep-alive does only while nothing is sent: tcp(7), TCP_USER_TIMEOUT.
func limitStall(network, _ string, raw syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var err error
	control := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(stallTimeout.Milliseconds()))
	})
	if control != nil {
		return control
	}
	return err
}
