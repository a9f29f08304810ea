//go:build !windows

package postgres_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// server is the one of the tests' own, from Debian's package.
var server struct {
	port       int
	connection string
	process    *exec.Cmd
}

func TestMain(m *testing.M) {
	code, err := withServer(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// withServer starts a server on loopback, on a free port, and stops it at the end.
func withServer(run func() int) (int, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) == 0 {
		path, err := exec.LookPath("postgres")
		if err != nil {
			return 0, fmt.Errorf("no PostgreSQL server was found: apt-get install postgresql")
		}
		found = []string{path}
	}
	bin := filepath.Dir(found[len(found)-1])
	dir, err := os.MkdirTemp("/tmp", "atio-pg-go-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	attributes, err := notRoot(dir)
	if err != nil {
		return 0, err
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", dir+"/data", "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = "/", attributes
	if out, err := initdb.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("initdb: %w: %s", err, out)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	server.port = listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	server.connection = fmt.Sprintf("host=127.0.0.1 port=%d user=tester dbname=postgres sslmode=disable", server.port)
	server.process = exec.Command(filepath.Join(bin, "postgres"), "-D", dir+"/data", "-p", strconv.Itoa(server.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "log_min_messages=fatal")
	server.process.SysProcAttr = attributes
	if err := server.process.Start(); err != nil {
		return 0, err
	}
	defer func() {
		_ = server.process.Process.Signal(syscall.SIGQUIT)
		_ = server.process.Wait()
	}()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		conn, err := pgconn.Connect(context.Background(), server.connection)
		if err == nil {
			_ = conn.Close(context.Background())
			return run(), nil
		}
		if time.Now().After(deadline) {
			return 0, err
		}
	}
}

// notRoot is the user postgres, since the server refuses to run as root.
func notRoot(dir string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, os.Chown(dir, uid, gid)
}

// query returns the rows of a statement as text, "NULL" for null.
func query(t *testing.T, sql string) [][]string {
	t.Helper()
	conn, err := pgconn.Connect(t.Context(), server.connection)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	results, err := conn.Exec(t.Context(), sql).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for _, row := range results[len(results)-1].Rows {
		text := make([]string, len(row))
		for i, v := range row {
			text[i] = "NULL"
			if v != nil {
				text[i] = string(v)
			}
		}
		out = append(out, text)
	}
	return out
}
