"""``format="mongodb"``, over the wire, with pymongo as the other reader and writer."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from bson import Decimal128, ObjectId

import atio
from cutting_proxy import proxy_to
from mongo_server import Server, running_server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture
def db(server: Server) -> Iterator[Any]:
    """A database of the test's own."""
    with server.client() as client:
        name = "t" + uuid.uuid4().hex[:12]
        yield client[name]
        client.drop_database(name)


@pytest.fixture
def uri(server: Server, db: Any) -> str:
    return server.uri(db.name)


def write(frame: Any, uri: str, mode: str = "fail", **kwargs: Any) -> atio.WriteResult:
    return atio.write(frame, format="mongodb", collection="c", connection_uri=uri, if_exists=mode, **kwargs)


def rows(db: Any, name: str = "c") -> list[dict[str, Any]]:
    return [{k: v for k, v in d.items() if k != "_id"} for d in db[name].find()]


def same(a: Any, b: Any) -> bool:
    """Equal, and NaN too."""
    if isinstance(a, float) and isinstance(b, float) and a != a:
        return b != b
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and bool(a == b)


def test_pandas_documents_are_those_of_pymongo(db: Any, uri: str) -> None:
    frame = pd.DataFrame(
        {
            "small": np.array([1, -2, 3], dtype="int32"),
            "float": [1.5, np.nan, -0.0],
            "bool": [True, False, True],
            "text": ["a", "", "é\0ñ"],
            "bytes": [b"", b"\0\xff", b"x"],
            "moment": pd.to_datetime(["1969-12-31 23:59:59.999", "2024-02-29", "2200-01-01"], format="ISO8601"),
            "aware": pd.to_datetime(["2024-01-01", "2024-06-01", "2024-07-01"]).tz_localize("Asia/Seoul"),
            "dict": [{"a": 1, "b": {"c": [1, None]}}, {}, {"z": "only here"}],
            "list": [[1, "a", None], [], [{"x": 1.5}]],
            "mixed": [1, "one", 1.0],
            "id": [ObjectId(), ObjectId(), None],
            "none": [None, None, None],
            "category": pd.Categorical(["u", "v", "u"]),
            "$odd.name": [1.0, 2.0, 3.0],
        }
    )
    write(frame, uri)
    records = frame.to_dict("records")
    db.expected.insert_many([dict(r) for r in records])
    got, expected = rows(db), rows(db, "expected")
    assert len(got) == 3
    for g, e in zip(got, expected, strict=True):
        for key in e:
            assert same(g[key], e[key]) and list(g) == list(e), (key, g[key], e[key])


def test_what_pymongo_does_not_take(db: Any, uri: str) -> None:
    frame = pd.DataFrame(
        {
            "date": [dt.date(2024, 2, 29), None],
            "decimal": [decimal.Decimal("1.50"), None],
            "time": [dt.time(1, 2, 3), None],
            "uuid": [uuid.UUID(int=5), None],
            "maybe": pd.array([1, None], dtype="Int64"),
            "text": ["a", None],
            "nat": [pd.NaT, pd.Timestamp("2024-01-01")],
            "delta": [pd.Timedelta("1s"), pd.NaT],
            "numpy": [np.int64(5), np.array([1, 2])],
        }
    )
    write(frame, uri)
    first, second = rows(db)
    assert first["date"] == dt.datetime(2024, 2, 29)
    assert first["decimal"] == Decimal128("1.50")
    assert (first["time"], first["maybe"], first["nat"], first["delta"]) == ("01:02:03", 1, None, 10**9)
    assert bytes(first["uuid"]) == uuid.UUID(int=5).bytes and first["uuid"].subtype == 4
    assert first["numpy"] == 5 and second["numpy"] == [1, 2]
    assert (
        second["maybe"] is None
        and second["text"] is None
        and second["delta"] is None
        and second["nat"] == dt.datetime(2024, 1, 1)
    )


def test_polars_and_arrow(db: Any, uri: str) -> None:
    frame = pl.DataFrame(
        {
            "i": [1, None, 3],
            "f": [1.0, float("nan"), None],
            "s": ["a", None, "a string of more than twelve bytes"],
            "c": pl.Series(["x", "y", None], dtype=pl.Categorical),
            "t": [dt.datetime(2024, 1, 1), None, dt.datetime(1900, 1, 1)],
            "l": [[1, 2], [], None],
            "r": [{"a": 1, "b": "x"}, None, {"a": None, "b": None}],
            "d": pl.Series(["1.25", None, "-3.00"]).cast(pl.Decimal(10, 2)),
            "n": [None, None, None],
            "b": [b"\0", None, b""],
        }
    )
    expected = frame.to_dicts()
    for given in (frame, frame.lazy(), frame.to_arrow(), frame.to_arrow().to_reader()):
        assert write(given, uri, "replace").rows == 3
        for got, want in zip(rows(db), expected, strict=True):
            want = want | {"d": None if want["d"] is None else Decimal128(str(want["d"]))}
            assert all(same(got[k], want[k]) or got[k] == want[k] for k in want), (got, want)


def test_missing_values_may_be_left_out(db: Any, uri: str) -> None:
    write(pd.DataFrame({"a": ["x", None], "b": [np.nan, 1.0]}), uri, exclude_none=True)
    assert [list(r) for r in rows(db)] == [["a", "b"], ["b"]]


def test_index(db: Any, uri: str) -> None:
    frame = pd.DataFrame({"a": [1]}, index=pd.Index(["k"], name="key"))
    write(frame, uri)
    assert rows(db) == [{"a": 1}]
    write(frame, uri, "replace", index=True)
    assert rows(db) == [{"key": "k", "a": 1}]
    write(frame.rename_axis(None), uri, "replace", index=True, index_label="n")
    assert rows(db) == [{"n": "k", "a": 1}]


def test_modes(db: Any, uri: str) -> None:
    frame = pd.DataFrame({"a": [1, 2]})
    result = write(frame, uri)
    assert (result.rows, result.engine, result.format) == (2, "go", "mongodb")
    assert result.path == f"mongodb://127.0.0.1:{uri.split(':')[2].split('/')[0]}/{db.name}#c"
    with pytest.raises(ValueError, match="already exists"):
        write(frame, uri)
    write(frame, uri, "append")
    assert [r["a"] for r in rows(db)] == [1, 2, 1, 2]
    db.c.create_index("a")
    write(frame.iloc[:1], uri, "replace")
    assert [r["a"] for r in rows(db)] == [1]
    assert "a_1" in db.c.index_information(), "an index of the replaced collection stays"
    write(frame.iloc[:0], uri, "replace")
    assert rows(db) == [] and db.list_collection_names() == ["c"]
    with pytest.raises(ValueError, match="if_exists"):
        write(frame, uri, "upsert")


def test_identifiers_of_the_frame(db: Any, uri: str) -> None:
    frame = pd.DataFrame({"_id": [1, 2], "a": ["x", "y"]})
    write(frame, uri)
    write(pd.DataFrame({"_id": [3], "a": ["z"]}), uri, "append")
    assert list(db.c.find({}, sort=[("_id", 1)])) == [{"_id": i, "a": a} for i, a in ((1, "x"), (2, "y"), (3, "z"))]
    with pytest.raises(atio.AtioError, match=r"row 2: .*E11000"):
        write(pd.DataFrame({"_id": [7, 8, 1], "a": "new"}), uri, "append")
    assert db.c.count_documents({}) == 3 and db.c.find_one({"_id": 1})["a"] == "x"
    with pytest.raises(ValueError, match=r"'_id'|\"_id\""):
        write(pd.DataFrame({"_id": ["a", None]}), uri, "append")
    assert db.list_collection_names() == ["c"]


def test_values_that_do_not_fit(db: Any, uri: str) -> None:
    for column, kwargs in (
        (pd.Series([1, 2**64 - 1], dtype="uint64"), {}),
        (pd.to_datetime(pd.Series(["2024-01-01", "2024-01-01 00:00:00.000001"]), format="ISO8601"), {}),
        (pl.Series(["1", "1" * 38]).cast(pl.Decimal(38, 0)).to_pandas(use_pyarrow_extension_array=True), {}),
    ):
        with pytest.raises(ValueError, match=r'"x", row 1'):
            write(pd.DataFrame({"x": column}), uri, **kwargs)
    for frame in (pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.DataFrame({"p": pd.period_range("2024", periods=2)})):
        with pytest.raises(ValueError, match="column"):
            write(frame, uri)
    assert db.list_collection_names() == []
    moment = pd.DataFrame({"x": [pd.Timestamp("2024-01-01 00:00:00.000999")]})
    write(moment, uri, allow_truncated_timestamps=True)
    assert rows(db) == [{"x": dt.datetime(2024, 1, 1)}]


def test_chunks(db: Any, uri: str) -> None:
    write((pd.DataFrame({"a": [i], "b": [str(i)]}) for i in range(5)), uri)
    assert [r["a"] for r in rows(db)] == list(range(5))
    write(iter([pd.DataFrame({"a": [1]}), pd.DataFrame({"a": ["text"], "b": [1]})]), uri, "replace")
    assert rows(db) == [{"a": 1}, {"a": "text", "b": 1}], "documents need not be alike"


@pytest.mark.parametrize("mode", ["fail", "replace", "append"])
@pytest.mark.parametrize("error", [KeyError("mine"), KeyboardInterrupt()])
def test_an_exception_leaves_nothing(db: Any, uri: str, mode: str, error: BaseException) -> None:
    if mode != "fail":
        write(pd.DataFrame({"a": [1]}), uri)

    def chunks() -> Iterator[pd.DataFrame]:
        for _ in range(3):
            yield pd.DataFrame({"a": range(6000)})
        raise error

    with pytest.raises(type(error)):
        write(chunks(), uri, mode)
    assert rows(db) == ([] if mode == "fail" else [{"a": 1}])
    assert db.list_collection_names() == ([] if mode == "fail" else ["c"])


def test_readers_see_all_of_one_version(db: Any, uri: str) -> None:
    write(pd.DataFrame({"v": [0] * 500}), uri)
    seen, stop = set(), threading.Event()

    def read() -> None:
        with db.client.__class__(*db.client.address) as client:
            while not stop.is_set():
                seen.add(tuple(d["v"] for d in client[db.name].c.find({}, batch_size=1000)))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for version in range(1, 15):
            write(pd.DataFrame({"v": [version] * 500}), uri, "replace")
    finally:
        stop.set()
        reader.join()
    assert len(seen) > 3
    assert all(len(s) == 500 and len(set(s)) == 1 for s in seen), [(len(s), set(s)) for s in seen]


def test_twenty_writers(db: Any, uri: str) -> None:
    def append(i: int) -> None:
        write(pd.DataFrame({"w": [i] * 50}), uri, "append")

    def replace(i: int) -> None:
        write(pd.DataFrame({"w": [i] * 50}), uri, "replace")

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(append, range(20)))
    assert sorted(r["w"] for r in rows(db)) == sorted(list(range(20)) * 50)
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(replace, range(20)))
    assert len({r["w"] for r in rows(db)}) == 1 and len(rows(db)) == 50
    assert db.list_collection_names() == ["c"]


def test_twenty_writers_find_a_dead_one(db: Any, uri: str) -> None:
    long_ago = dt.datetime.now(dt.timezone.utc) - dt.timedelta(minutes=5)
    for _ in range(5):
        dead = ObjectId()
        db[f"_atio.{dead}.data"].insert_one({"w": -1})
        db[f"_atio.{dead}.write"].insert_one(
            {"_id": dead, "kind": "stage", "target": "c", "state": "open", "machine": "another", "beat": long_ago}
        )
        with ThreadPoolExecutor(20) as pool:
            list(pool.map(lambda i: write(pd.DataFrame({"w": [i]}), uri, "replace"), range(20)))
        assert db.list_collection_names() == ["c"]
        assert len(rows(db)) == 1


OLD, NEW = 300, 4000


def old(db: Any) -> None:
    db.drop_collection("c")
    db.c.insert_many([{"v": 0, "i": i} for i in range(OLD)])


def look(db: Any) -> tuple[int, int]:
    """How many old and how many new documents there are."""
    return db.c.count_documents({"v": 0}), db.c.count_documents({"v": 1})


def settled(db: Any, uri: str, mode: str) -> None:
    """After the next write nothing is left of one that died: all or nothing of its documents, no collection."""
    if mode == "replace":
        assert look(db) in ((OLD, 0), (0, NEW))
    atio.write(pd.DataFrame({"x": [1]}), format="mongodb", collection="other", connection_uri=uri, if_exists="replace")
    assert look(db) in (((OLD, 0), (0, NEW)) if mode == "replace" else ((OLD, 0), (OLD, NEW)))
    assert sorted(db.list_collection_names()) == ["c", "other"]
    assert db.c.count_documents({"_atio_write": {"$exists": True}}) == 0


VICTIM = """
import sys, pandas as pd, atio
uri, mode, ids = sys.argv[1:]
def chunks():
    for i in range(8):
        yield pd.DataFrame({**({"_id": range(i * 500, (i + 1) * 500)} if ids == "own" else {}), "v": [1] * 500})
print("begin", flush=True)
atio.write(chunks(), format="mongodb", collection="c", connection_uri=uri, if_exists=mode)
"""


@pytest.mark.parametrize(("mode", "ids"), [("replace", "made"), ("append", "made"), ("append", "own")])
def test_killed_clients(db: Any, uri: str, mode: str, ids: str) -> None:
    rng = random.Random(f"{mode}{ids}")
    outcomes = set()
    for _ in range(4):
        old(db)
        process = subprocess.Popen([sys.executable, "-c", VICTIM, uri, mode, ids], stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"begin\n"
        time.sleep(rng.uniform(0.1, 0.9))
        process.kill()
        process.wait()
        process.stdout.close()
        settled(db, uri, mode)
        outcomes.add(look(db))
    assert outcomes


@pytest.mark.parametrize("mode", ["replace", "append"])
def test_cut_connections(server: Server, db: Any, mode: str) -> None:
    frame = pd.DataFrame({"v": [1] * NEW})
    rng = random.Random(mode)
    direct = server.uri(db.name)
    with proxy_to(server.port) as proxy:
        uri = server.uri(db.name, proxy.port).replace("TimeoutMS=3000", "TimeoutMS=1000")
        failed = 0
        for _ in range(5):
            old(db)
            proxy.cut_after(rng.randrange(1000, 180_000))
            try:
                write(frame, uri, mode)
            except (ConnectionError, TimeoutError, atio.CommitUnknownError) as e:
                failed += 1
                proxy.cut_after(None)
                if isinstance(e, ConnectionError):
                    assert look(db)[0] == OLD
            proxy.cut_after(None)
            settled(db, direct, mode)
        assert failed > 1


@pytest.mark.parametrize("mode", ["replace", "append"])
def test_killed_server(mode: str) -> None:
    with running_server() as server:
        uri = server.uri("t").replace("TimeoutMS=3000", "TimeoutMS=1000")
        with server.client() as client:
            for delay in (0.15, 0.4):
                old(client.t)
                time.sleep(0.3)  # until it is on the disk
                timer = threading.Timer(delay, server.kill)
                timer.start()
                with contextlib.suppress(ConnectionError, atio.CommitUnknownError):
                    write((pd.DataFrame({"v": [1] * 400}) for _ in range(10)), uri, mode)
                timer.join()
                server.start()
                client.admin.command("ping")
                settled(client.t, uri, mode)


def test_a_signal_stops_a_write(db: Any, uri: str) -> None:
    timer = threading.Timer(0.4, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        write(pd.DataFrame({"a": range(50_000)}), uri)
    assert db.list_collection_names() == []


def test_credentials_are_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    frame = pd.DataFrame({"a": [1]})
    for uri in (
        "mongodb://me:s3cret@127.0.0.1:1/d?serverSelectionTimeoutMS=200",
        "mongodb://me:s3cret@h:x/d",
        "s3cret",
    ):
        with pytest.raises((ConnectionError, TimeoutError, ValueError)) as e:
            write(frame, uri, verbose=True, show_progress=True)
        assert "s3cret" not in str(e.value)
    out = capfd.readouterr()
    assert "s3cret" not in out.err + out.out


def test_arguments(uri: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1]})
    for error, kwargs in (
        (TypeError, {"connection_uri": None}),
        (TypeError, {"surplus": 1}),
        (ValueError, {"collection": "a$b"}),
        (ValueError, {"collection": "system.x"}),
        (ValueError, {"database": "a.b"}),
        (ValueError, {"connection_uri": "mongodb://127.0.0.1"}),
        (ValueError, {"backup": True}),
    ):
        with pytest.raises(error):
            atio.write(frame, format="mongodb", **{"collection": "c", "connection_uri": uri, **kwargs})
    with pytest.raises(ValueError, match="numpy"):
        atio.write(np.zeros(3), format="mongodb", collection="c", connection_uri=uri)
    with pytest.raises(TypeError, match="collection"):
        atio.write(frame, format="mongodb", connection_uri=uri)
    assert list(tmp_path.iterdir()) == []


def test_hostile_names(db: Any, uri: str) -> None:
    for name in ("a b", "ü", 'quo"te', "_x", "a.b", "-" * 60):
        result = atio.write(pd.DataFrame({'$"; drop': [1]}), name, "mongodb", connection_uri=uri)
        assert result.rows == 1 and rows(db, name) == [{'$"; drop': 1}]


def test_arrow_rows_without_columns(db: Any, uri: str) -> None:
    write(pa.table({"x": [1, 2]}), uri)
    assert len(rows(db)) == 2
