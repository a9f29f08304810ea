// Package tests_go holds the tests of the Go side that look at it from outside.
package tests_go

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/seojaeohcode/atio/"

// forbidden says which packages must not be reached from where, and why. Data
// flows one way: record batches -> encode -> publish -> store.
var forbidden = []struct{ from, to, why string }{
	{"core/encode", "core/publish", "an encoder knows no file names"},
	{"core/encode", "core/store", "an encoder knows no file names"},
	{"core/publish", "core/encode", "publish knows no formats"},
	{"core/publish", "github.com/apache/arrow-go", "publish knows no Arrow"},
	{"core/store", "core/encode", "a store knows no formats"},
	{"core/store", "core/publish", "a store does not know what it is used for"},
	{"core/encode", "core/database", "an encoder knows no server"},
	{"core/publish", "core/database", "publish is for files"},
	{"core/database", "core/publish", "a table is not a file"},
	{"core/database", "core/store", "a table is not a file"},
	{"core/store", "core/delta", "a store does not know what it is used for"},
	{"core/publish", "core/delta", "publish knows no tables"},
	{"core/encode", "core/delta", "an encoder knows no tables"},
	{"core/progress", "core/", "progress is fed, it calls nobody"},
	{"core", "cgo", "core is usable without C"},
	{"core", "runtime/cgo", "core is usable without C"},
}

type goPackage struct {
	ImportPath string
	Deps       []string
}

func TestDependenciesGoOneWay(t *testing.T) {
	packages := list(t, module+"core/...")
	if len(packages) < 8 {
		t.Fatalf("only %d packages listed", len(packages))
	}
	checked := 0
	for _, p := range packages {
		for _, f := range forbidden {
			if !within(p.ImportPath, module+f.from) {
				continue
			}
			checked++
			for _, dep := range p.Deps {
				to := f.to
				if strings.HasPrefix(to, "core") || to == "cgo" {
					to = module + to
				}
				if within(dep, to) && !within(dep, module+f.from) {
					t.Errorf("%s depends on %s: %s", p.ImportPath, dep, f.why)
				}
			}
		}
	}
	if checked < len(forbidden) {
		t.Errorf("only %d rules were applied", checked)
	}
}

// cgo holds no logic: nobody depends on it, and it depends on core only.
func TestCgoIsAThinLayer(t *testing.T) {
	for _, p := range list(t, module+"cgo") {
		for _, dep := range p.Deps {
			if strings.HasPrefix(dep, module) && !within(dep, module+"core") {
				t.Errorf("%s depends on %s", p.ImportPath, dep)
			}
		}
	}
}

func within(path, prefix string) bool {
	return path == strings.TrimSuffix(prefix, "/") || strings.HasPrefix(path, strings.TrimSuffix(prefix, "/")+"/")
}

func list(t *testing.T, patterns ...string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-deps=false", "-json=ImportPath,Deps"}, patterns...)...)
	// core without cgo, as most of its users build it.
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if slices.Contains(patterns, module+"cgo") {
		cmd.Env = append(cmd.Environ(), "CGO_ENABLED=1")
	}
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %s", exit.Stderr)
		}
		t.Fatal(err)
	}
	var packages []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}
