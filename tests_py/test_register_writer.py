"""Writers of users: found by type, staged and published as all others."""

from __future__ import annotations

import collections
import json
import os
import pickle
import signal
import sys
import threading
import time
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import atio
from atio import _formats, _registry
from support import apart, files_of, names, state


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone after it."""
    monkeypatch.setattr(_registry, "_registered", dict(_registry._registered))
    monkeypatch.setattr(_formats, "_known", dict(_formats._known))
    monkeypatch.setattr(_formats, "_suffixes", dict(_formats._suffixes))


class Model:
    def __init__(self, weights: list[float]) -> None:
        self.weights = weights


class Deep(Model):
    pass


def save(model: Any, path: str, indent: int | None = None) -> None:
    with open(path, "w") as f:
        json.dump(model.weights, f, indent=indent)


def test_new_format(tmp_path: Path) -> None:
    atio.register_writer(Model, "model", save, suffixes=(".model", ".MDL"))
    result = atio.write(Model([1.0]), tmp_path / "x.model", indent=1)
    assert (result.format, result.engine, result.rows) == ("model", "test_register_writer", None)
    assert (tmp_path / "x.model").read_text() == "[\n 1.0\n]"
    assert atio.verify(tmp_path / "x.model").format == "model"
    atio.write(Deep([2.0]), tmp_path / "y.mdl")
    atio.write(Model([3.0]), tmp_path / "z", "model")
    assert names(tmp_path) == files_of("x.model", "y.mdl", "z")


def test_suffix_of_the_name(tmp_path: Path) -> None:
    atio.register_writer(Model, "weights", save)
    assert atio.write(Model([1.0]), tmp_path / "x.weights").format == "weights"
    atio.register_writer(Model, "bare", save, suffixes=[])
    with pytest.raises(ValueError, match=r"stands for no format.*weights, bare"):
        atio.write(Model([1.0]), tmp_path / "x.bare")


def test_nearest_class_counts(tmp_path: Path) -> None:
    def deep(_model: Deep, path: str) -> None:
        Path(path).write_text("deep")

    atio.register_writer(Model, "model", save)
    atio.register_writer(Deep, "model", deep)
    for model, text in ((Model([1]), "[1]"), (Deep([1]), "deep"), (type("Deeper", (Deep,), {})([1]), "deep")):
        atio.write(model, tmp_path / "x.model")
        assert (tmp_path / "x.model").read_text() == text


def test_name_of_a_class_that_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of the module that defines it, or by another where the package shows it."""
    inner, outer = types.ModuleType("later.inner"), types.ModuleType("later")
    figure = type("Figure", (), {"__module__": "later.inner", "weights": [7]})
    atio.register_writer("later.inner.Figure", "inner", save)
    atio.register_writer("later.Shown", "outer", save)
    assert not {"later", "later.inner"} & sys.modules.keys()
    inner.Figure = outer.Shown = figure  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "later", outer)
    for format in ("inner", "outer"):
        assert atio.write(figure(), tmp_path / f"x.{format}").format == format
    with pytest.raises(ValueError, match=r"'csv'.*can be written as inner, outer"):
        atio.write(figure(), tmp_path / "x.csv")


def test_registered_writers_win_for_their_type(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1]})
    atio.register_writer(pd.DataFrame, "csv", lambda df, path: Path(path).write_text(f"{len(df)} rows"))
    atio.write(frame, tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text() == "1 rows"
    assert atio.write(frame, tmp_path / "x.parquet").engine == "go"
    atio.write(np.arange(3), tmp_path / "y.csv", fmt="%d")
    assert (tmp_path / "y.csv").read_text() == "0\n1\n2\n"
    atio.register_writer(pd.DataFrame, "xml", _as_xml, suffixes=".xml")
    assert atio.write(frame, tmp_path / "x.xml").format == "xml"


def _as_xml(frame: pd.DataFrame, path: str) -> None:
    Path(path).write_text(f"<rows>{len(frame)}</rows>")


def test_state_dict_and_abstract_classes(tmp_path: Path) -> None:
    def dump(obj: Any, path: str) -> None:
        with open(path, "wb") as f:
            pickle.dump(dict(obj), f)

    atio.register_writer(collections.OrderedDict, "state", dump, suffixes=".pt")
    atio.register_writer(Mapping, "mapping", dump)
    state_dict = collections.OrderedDict(weight=np.arange(3), bias=np.zeros(1))
    atio.write(state_dict, tmp_path / "x.pt")
    assert pickle.loads((tmp_path / "x.pt").read_bytes())["weight"].tolist() == [0, 1, 2]
    atio.write(types.MappingProxyType({"a": 1}), tmp_path / "x.mapping")
    assert atio.write(state_dict, tmp_path / "x.npz").engine == "go"  # as a dict of arrays
    with pytest.raises(ValueError, match=r"'state'.*npz.*mapping"):
        atio.write({"plain": np.arange(3)}, tmp_path / "y.pt")


def test_anything_in_a_new_format(tmp_path: Path) -> None:
    def dump(obj: Any, path: str) -> None:
        Path(path).write_text(repr(obj))

    with pytest.raises(ValueError, match="from everything"):
        atio.register_writer(object, "csv", dump)
    atio.register_writer(object, "repr", dump)
    for obj in (None, 3, "text", [1, 2], {"a": 1}, (x for x in "ab")):
        atio.write(obj, tmp_path / "x.repr")
        assert (tmp_path / "x.repr").read_text() == repr(obj)


NONSENSE: list[tuple[tuple[Any, ...], dict[str, Any], type[Exception], str]] = [
    ((Model, "model", "no function"), {}, TypeError, "function"),
    ((3, "model", save), {}, TypeError, "class"),
    (("Model", "model", save), {}, ValueError, "begins with its module"),
    (("a..b", "model", save), {}, ValueError, "begins with its module"),
    ((Model, None, save), {}, TypeError, "format"),
    ((Model, "", save), {}, ValueError, "format"),
    ((Model, "My Format", save), {}, ValueError, "small letters"),
    ((Model, "sql", save), {}, ValueError, "databases"),
    ((Model, "model", save), {"suffixes": "model"}, ValueError, "a dot"),
    ((Model, "model", save), {"suffixes": [".a/b"]}, ValueError, "a dot"),
    ((Model, "model", save), {"suffixes": [3]}, TypeError, "not a suffix"),
    ((Model, "model", save), {"suffixes": ".csv"}, ValueError, "'csv' already"),
    ((Model, "model", save), {"suffixes": ".gz"}, ValueError, "compression"),
]


@pytest.mark.parametrize(("arguments", "more", "error", "text"), NONSENSE)
def test_nonsense(arguments: tuple[Any, ...], more: dict[str, Any], error: type[Exception], text: str) -> None:
    before = dict(_registry._registered), dict(_formats._known), dict(_formats._suffixes)
    with pytest.raises(error, match=text):
        atio.register_writer(*arguments, **more)
    assert (_registry._registered, _formats._known, _formats._suffixes) == before


def test_clashes(tmp_path: Path) -> None:
    atio.register_writer(Model, "model", save)
    atio.register_writer(Model, "model", save)  # the same once more
    with pytest.raises(ValueError, match=r"Model as 'model' already.*replace=True"):
        atio.register_writer(Model, "model", lambda _obj, path: Path(path).write_text("other"))
    atio.register_writer(Model, "model", lambda _obj, path: Path(path).write_text("other"), replace=True)
    atio.write(Model([]), tmp_path / "x.model")
    assert (tmp_path / "x.model").read_text() == "other"


def test_publishing_is_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """validate, backup, progress, errors; no stage is seen."""
    atio.register_writer(Model, "model", save)
    target = tmp_path / "x.model"
    for i in range(3):
        atio.write(Model([i]), target, backup=2, show_progress=True, verbose=True)
    assert "Writing x.model" in capsys.readouterr().err
    assert names(tmp_path) == files_of("x.model") | {".x.model.bak.1", ".x.model.bak.2"}
    atio.restore(target)
    assert target.read_text() == "[1]"
    before = state(tmp_path)
    seen: list[str] = []

    def refuse(path: Path) -> None:
        seen.append(path.read_text())
        raise ValueError("not good enough")

    with pytest.raises(ValueError, match="not good enough"):
        atio.write(Model([9]), target, validate=refuse)
    assert seen == ["[9]"]
    error = RuntimeError("in the middle")

    def fails(_obj: Model, path: str) -> None:
        Path(path).write_text("half")
        raise error

    def writes_nothing(_obj: Model, _path: str) -> None:
        pass

    def makes_a_directory(_obj: Model, path: str) -> None:
        os.mkdir(path)

    def elsewhere(_obj: Model, path: str) -> None:
        with open(path + "/no/such/directory", "w"):
            pass

    for function, kind in (
        (fails, RuntimeError),
        (writes_nothing, FileNotFoundError),
        (makes_a_directory, OSError),
        (elsewhere, OSError),
    ):
        atio.register_writer(Model, "model", function, replace=True)
        with pytest.raises(kind) as raised:
            atio.write(Model([9]), target)
        assert kind is not RuntimeError or raised.value is error
        assert not isinstance(raised.value, OSError) or raised.value.filename == str(target)
    with pytest.raises(TypeError, match="nonsense"):
        atio.write(Model([9]), target, nonsense=1)
    assert state(tmp_path) == before


def test_chunks(tmp_path: Path) -> None:
    atio.register_writer(Model, "model", save)
    for chunks in (iter([Model([1])]), [Model([1]), Model([2])]):
        with pytest.raises(ValueError, match="chunk by chunk"):
            atio.write(chunks, tmp_path / "x.model")
    with pytest.raises(ValueError, match="chunk by chunk"), atio.open_writer(tmp_path / "x.model") as writer:
        writer.write(Model([1]))
    with pytest.raises(ValueError, match="as model"):
        atio.write(iter([Model([1])]), tmp_path / "x.csv")
    assert names(tmp_path) == set()


def _interrupted(directory: str) -> list[str]:
    def slow(_obj: Model, path: str) -> None:
        with open(path, "w") as f:
            for _ in range(1000):
                f.write("x")
                f.flush()
                time.sleep(0.01)

    atio.register_writer(Model, "model", save)
    atio.write(Model([1]), Path(directory, "x.model"))
    atio.register_writer(Model, "model", slow, replace=True)
    before = state(directory)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        atio.write(Model([1]), Path(directory, "x.model"))
    except KeyboardInterrupt:
        return ["interrupted"] if state(directory) == before else ["changed"]
    return ["not interrupted"]


def test_interrupt(tmp_path: Path) -> None:
    assert apart(_interrupted, str(tmp_path), timeout=60) == ["interrupted"]


def test_iterable_class_of_its_own(tmp_path: Path) -> None:
    """It is not taken for chunks in its format, and is in others."""

    class Frames(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            return super().__iter__()

    atio.register_writer(Frames, "count", lambda frames, path: Path(path).write_text(str(len(frames))))
    frames = Frames([pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})])
    atio.write(frames, tmp_path / "x.count")
    assert (tmp_path / "x.count").read_text() == "2"
    assert atio.write(frames, tmp_path / "x.parquet").rows == 2
