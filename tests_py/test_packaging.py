"""The source package and the wheel: what is in them, that they install, and what is said where they cannot be built."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

import atio

ROOT = Path(__file__).parent.parent
PACKAGED = ["pyproject.toml", "setup.py", "MANIFEST.in", "LICENSE", "README.md", "go.mod", "go.sum"]
PACKAGED += ["core", "cgo", "python"]

USE = """
import ctypes, json, os, pathlib, shutil, sys
import pyarrow as pa, pyarrow.csv, pyarrow.parquet
import atio

table = pa.table({"n": [1, 2, 3], "s": ["a", None, "c"]})
atio.write(table, "t.parquet")
atio.write(table, "t.csv")
assert pa.parquet.read_table("t.parquet").equals(table)
assert pa.csv.read_csv("t.csv")["n"].to_pylist() == [1, 2, 3]
print(json.dumps({
    "package": os.path.dirname(atio.__file__),
    "version": atio.__version__,
    "go": shutil.which("go"),
    "interpreter": sys.prefix,
}))
"""

pytestmark = pytest.mark.timeout(900)  # a first build compiles all of Arrow for Go


def run(*command: object, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    done = subprocess.run([*map(str, command)], env=env, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pip_wheel(tree: Path, out: Path, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", out, tree]
    return subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True)


def fresh_environment(path: Path) -> Path:
    """Make a virtual environment that has what is installed here except atio; return its Python."""
    run(sys.executable, "-m", "venv", "--without-pip", path)
    site = next(path.glob("lib/python*/site-packages"))
    # A directory named in a .pth file is searched, but its own .pth files, such as an editable atio's, are not read.
    # What is installed in ``site`` itself comes first.
    site.joinpath("borrowed.pth").write_text(sysconfig.get_path("platlib") + "\n")
    return path / "bin" / "python"


def pip_install(python: Path, *what: object) -> None:
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps", "--ignore-installed"]
    run(*pip, "--no-build-isolation", *what)


def use(python: Path, cwd: Path) -> dict[str, str]:
    """Write and read with the atio of that Python where there is no Go."""
    nothing = cwd / "empty"
    nothing.mkdir()
    env = {"PATH": str(nothing), "HOME": str(nothing), "TMPDIR": str(cwd)}
    answer: dict[str, str] = json.loads(run(python, "-c", USE, env=env, cwd=cwd))
    assert answer["go"] is None
    return answer


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Copy what packages are made from, to build there and leave nothing in the checkout."""
    return copy_tree(tmp_path / "tree")


def copy_tree(tree: Path) -> Path:
    tree.mkdir()
    for name in PACKAGED:
        if (ROOT / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "*.so", "*.egg-info")
            shutil.copytree(ROOT / name, tree / name, ignore=ignore)
        else:
            shutil.copy(ROOT / name, tree)
    return tree


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the source package, and the wheel from the source package alone."""
    tmp_path = tmp_path_factory.mktemp("dist")
    tree = copy_tree(tmp_path / "tree")
    # What earlier builds may have left.
    (tree / "python/atio/libatio.so").write_text("stale")
    (tree / "python/atio/libatio.h").write_text("stale")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path / "out", tree)
    return tmp_path / "out"


@pytest.fixture
def sdist(dist: Path) -> Path:
    return next(dist.glob("*.tar.gz"))


@pytest.fixture
def wheel(dist: Path) -> Path:
    return next(dist.glob("*.whl"))


def test_the_sdist_has_the_sources_and_nothing_built(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    go = {str(path.relative_to(ROOT)) for folder in ("core", "cgo") for path in (ROOT / folder).rglob("*.go")}
    python = {str(path.relative_to(ROOT)) for path in (ROOT / "python/atio").rglob("*.py")}
    assert go | python | {"go.mod", "go.sum", "setup.py", "LICENSE", "README.md", "python/atio/py.typed"} <= names
    assert not [name for name in names if name.endswith((".so", "libatio.h", ".pyc"))]


def test_the_wheel_is_for_every_python_on_this_platform(wheel: Path) -> None:
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    assert wheel.name == f"atio-{atio.__version__}-py3-none-{platform}.whl"
    with zipfile.ZipFile(wheel) as archive:
        tags = archive.read(f"atio-{atio.__version__}.dist-info/WHEEL").decode()
    assert f"Tag: py3-none-{platform}\n" in tags
    assert "Root-Is-Purelib: false" in tags


def test_the_wheel_has_the_package_and_its_library_only(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        library = archive.read("atio/libatio.so")
        assert f"atio-{atio.__version__}.dist-info/licenses/LICENSE" in archive.namelist()
    python = {str(path.relative_to(ROOT / "python")) for path in (ROOT / "python/atio").rglob("*.py")}
    assert names == python | {"atio/libatio.so", "atio/py.typed"}
    assert len(library) > 1_000_000
    assert atio.__version__.encode() in library
    assert str(ROOT).encode() not in library  # built with -trimpath


def test_the_wheel_works_where_no_go_is(wheel: Path, tmp_path: Path) -> None:
    python = fresh_environment(tmp_path / "venv")
    pip_install(python, wheel)
    answer = use(python, tmp_path)
    assert answer["package"].startswith(str(tmp_path / "venv"))
    assert answer["version"] == atio.__version__


def test_pip_install_from_the_source_tree(tree: Path, tmp_path: Path) -> None:
    stale = tree / "build" / f"lib.{sysconfig.get_platform()}-{sys.implementation.cache_tag}" / "atio" / "removed.py"
    stale.parent.mkdir(parents=True)
    stale.touch()
    python = fresh_environment(tmp_path / "venv")
    pip_install(python, tree)
    package = Path(use(python, tmp_path)["package"])
    assert package.is_relative_to(tmp_path / "venv")
    assert not (package / "removed.py").exists()
    assert not (package / "libatio.h").exists()


def test_editable_install(tree: Path, tmp_path: Path) -> None:
    python = fresh_environment(tmp_path / "venv")
    pip_install(python, "-e", tree)
    assert Path(use(python, tmp_path)["package"]) == tree / "python/atio"
    assert not (tree / "python/atio/libatio.h").exists()


GO_NEEDED = next(line for line in (ROOT / "go.mod").read_text().splitlines() if line.startswith("go ")).split()[1]
NO_HEADER = "probe.c:1:10: fatal error: stdlib.h: No such file"


@pytest.mark.parametrize(
    ("variable", "tool", "expected"),
    [
        ("ATIO_GO", None, f"needs Go, and 'TOOL' was not found: install Go {GO_NEEDED} or newer"),
        ("ATIO_GO", "echo go1.20", f"needs Go {GO_NEEDED} or newer, and 'TOOL' is go1.20: install Go"),
        ("ATIO_GO", "echo no GOROOT >&2; exit 2", "Go does not run (no GOROOT): install Go"),
        ("CC", None, "needs a C compiler, and 'TOOL' was not found: install it"),
        ("CC", f"echo '{NO_HEADER}' >&2; exit 1", f"'TOOL' cannot build a library ({NO_HEADER}): install it"),
    ],
    ids=["no Go", "old Go", "broken Go", "no C compiler", "no C library"],
)
def test_a_missing_tool_is_named_in_one_line(
    variable: str, tool: str | None, expected: str, tree: Path, tmp_path: Path
) -> None:
    path = tmp_path / "tool"
    if tool is not None:
        path.write_text(f"#!/bin/sh\n{tool}\n")
        path.chmod(0o755)
    done = pip_wheel(tree, tmp_path, **{variable: str(path)})
    said = done.stdout + done.stderr
    assert done.returncode != 0
    lines = [line.strip() for line in said.splitlines() if line.strip().startswith("atio: ")]
    assert len(lines) == 1, said
    assert expected.replace("TOOL", str(path)) in lines[0]
    assert "Traceback" not in said


def test_a_failing_go_build_is_named_in_one_line(tree: Path, tmp_path: Path) -> None:
    (tree / "cgo" / "broken.go").write_text("package main\n\nfunc broken() { undefined() }\n")
    done = pip_wheel(tree, tmp_path)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "undefined: undefined" in said
    assert "atio: 'go build' of the library failed (exit code 1); what it said stands above." in said
    assert "Traceback" not in said
