"""Builds libatio.so, the Go half of atio, into the package. All else about the package is in pyproject.toml."""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import NoReturn

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
LIBRARY = "libatio.so"


def stop(message: str) -> NoReturn:
    """End the build with one line. SystemExit, as setuptools shows the traceback of anything else."""
    raise SystemExit(f"atio: {message}")


class Toolchain:
    """The Go and the C compiler that are going to build the library; ends the build if one is missing or unfit."""

    def __init__(self) -> None:
        if "musl" in (sysconfig.get_config_var("HOST_GNU_TYPE") or ""):
            stop("musl (Alpine) cannot load a Go library into Python; use an image with glibc, such as python:3-slim.")
        self.go = os.environ.get("ATIO_GO") or "go"
        self.env = {**os.environ, "CGO_ENABLED": "1"}
        self._check_go()
        self._check_cc()

    def _check_go(self) -> None:
        needed = re.search(r"^go (\S+)", (ROOT / "go.mod").read_text(), re.MULTILINE)[1]
        advice = f"install Go {needed} or newer from https://go.dev/dl, or name one by ATIO_GO=/path/to/go."
        if not shutil.which(self.go):
            stop(f"building from source needs Go, and {self.go!r} was not found: {advice}")
        # In the directory of go.mod, where Go >= 1.21 gets itself the newer version that go.mod asks for.
        found = self._ask("GOVERSION")
        if found.returncode:
            stop(f"Go does not run ({_last_line(found.stderr)}): {advice}")
        if _numbers(found.stdout) < _numbers(needed):
            version = found.stdout.strip()
            stop(f"building from source needs Go {needed} or newer, and {self.go!r} is {version}: {advice}")

    def _check_cc(self) -> None:
        cc = self._ask("CC").stdout.strip()
        advice = "install it (Debian: apt-get install gcc libc6-dev; macOS: xcode-select --install) or name it by CC."
        command = shlex.split(cc)
        if not command or not shutil.which(command[0]):
            stop(f"building from source needs a C compiler, and {cc!r} was not found: {advice}")
        with tempfile.TemporaryDirectory() as tmp:
            source = Path(tmp, "probe.c")
            source.write_text("#include <stdlib.h>\nint probe(void) { return abs(0); }\n")
            command += ["-shared", "-fPIC", "-pthread", "-o", str(source.with_suffix(".so")), str(source)]
            probe = subprocess.run(command, capture_output=True, text=True)
        if probe.returncode:
            error = next((line for line in probe.stderr.splitlines() if "error" in line), _last_line(probe.stderr))
            stop(f"the C compiler {cc!r} cannot build a library ({error.strip()}): {advice}")

    def _ask(self, name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self.go, "env", name], cwd=ROOT, env=self.env, capture_output=True, text=True)

    def build(self, target: Path) -> None:
        """Build the library as the file ``target``."""
        with tempfile.TemporaryDirectory() as tmp:  # Go puts a header beside the library, of no use in the package
            built = Path(tmp, LIBRARY)
            command = [self.go, "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false"]
            command += ["-ldflags", "-s -w", "-o", str(built), "./cgo"]
            if code := subprocess.run(command, cwd=ROOT, env=self.env).returncode:
                stop(f"'go build' of the library failed (exit code {code}); what it said stands above.")
            target.parent.mkdir(parents=True, exist_ok=True)
            # Moved into place by rename: a process that has the old library loaded keeps it.
            shutil.copyfile(built, staged := target.with_suffix(".new"))
            staged.replace(target)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]


class BuildPy(build_py):
    """The package's Python files, and the library among them."""

    def run(self) -> None:
        """Build into the build directory, or into the source tree for an editable install."""
        toolchain = Toolchain()  # first, so that what is missing is said at once
        if not self.editable_mode:
            # An earlier build may have left modules there that are gone from the sources.
            shutil.rmtree(Path(self.build_lib, "atio"), ignore_errors=True)
        super().run()
        built, source = self._library()
        toolchain.build(Path(source if self.editable_mode else built))

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Name the files that are built."""
        return [*super().get_outputs(include_bytecode), self._library()[0]]

    def get_output_mapping(self) -> dict[str, str]:
        """Name the files that are built and where an editable install has them."""
        return {**super().get_output_mapping(), **dict([self._library()])}

    def _library(self) -> tuple[str, str]:
        return str(Path(self.build_lib, "atio", LIBRARY)), str(Path(self.get_package_dir("atio"), LIBRARY))


class BinaryWheel(bdist_wheel):
    """ctypes loads the library, so that one wheel serves every Python on its platform."""

    def get_tag(self) -> tuple[str, str, str]:
        """Tag the wheel py3-none-PLATFORM."""
        platform_tag = super().get_tag()[2]
        return "py3", "none", platform_tag.replace("universal2", platform.machine())  # Go builds for one processor


class BinaryDistribution(Distribution):
    """A package with machine code in it."""

    def has_ext_modules(self) -> bool:
        """Say that the package belongs to one platform, though it has no C extension."""
        return True


setup(distclass=BinaryDistribution, cmdclass={"build_py": BuildPy, "bdist_wheel": BinaryWheel})
