"""The examples in the docstrings do what they show."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import atio

NAMES = ["atio", *(module.name for module in pkgutil.walk_packages(atio.__path__, "atio."))]
MODULES = [importlib.import_module(name) for name in NAMES if name != "atio.libatio"]  # which is no module
EXAMPLES = [
    example
    for module in MODULES
    for example in doctest.DocTestFinder().find(module, extraglobs={"atio": atio})
    if example.examples
]


def test_what_users_call_has_examples() -> None:
    names = {example.name.rpartition(".")[2] for example in EXAMPLES}
    assert {"atio", "write", "open_writer", "verify", "restore", "register_writer"} <= names


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_example(example: doctest.DocTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.DocTestRunner().run(example, clear_globs=False)
    assert tried > 0
    assert failed == 0
