"""How long NumPy's formats take beside NumPy: ``python bench/arrays.py --help``.

atio and NumPy take turns; a figure is the shortest of several. In memory, without syncs (``durable=False``), since
NumPy does none.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import atio

RANDOM = np.random.default_rng(1)
KINDS: dict[str, Callable[[int], np.ndarray]] = {
    "random doubles": lambda n: RANDOM.random(n),
    "integers below 1000": lambda n: RANDOM.integers(0, 1000, n),
    "normal floats": lambda n: RANDOM.normal(size=n).astype("f4"),
    "a random walk": lambda n: np.cumsum(RANDOM.integers(-3, 4, n)),
    "prices": lambda n: np.round(RANDOM.normal(100, 15, n), 2),
    "sorted integers": lambda n: np.sort(RANDOM.integers(0, 10**9, n)),
    "mostly zeros": lambda n: np.where(RANDOM.random(n) < 0.02, RANDOM.random(n), 0),
    "bools": lambda n: RANDOM.random(n) > 0.5,
    "short texts": lambda n: np.array(["alpha", "beta", "gamma delta"])[RANDOM.integers(0, 3, n // 5)],
    "smooth bytes": lambda n: (np.cumsum(RANDOM.normal(size=4 * n)).astype(int) % 256).astype("u1"),
}


def race(ours: Callable[[Path], object], theirs: Callable[[Path], object], repetitions: int) -> str:
    """Let both write in turns, and give their times and the sizes of their files."""
    times: tuple[list[float], list[float]] = [], []
    sizes = [0, 0]
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        for _ in range(repetitions):
            for i, write in enumerate((ours, theirs)):
                path = Path(folder, "x.npz")
                start = time.perf_counter()
                write(path)
                times[i].append(time.perf_counter() - start)
                sizes[i] = path.stat().st_size
                for left in Path(folder).iterdir():
                    left.unlink()
    a, b = min(times[0]), min(times[1])
    return f"{a * 1e3:.2f} | {b * 1e3:.2f} | **{a / b:.2f}** | {sizes[0] / sizes[1]:.3f}"


def save(array: np.ndarray) -> Callable[[Path], object]:
    """Write an npy file as NumPy does, to a path with any suffix."""

    def write(path: Path) -> None:
        with path.open("wb") as f:
            np.save(f, array)

    return write


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=9)
    repetitions = parser.parse_args().repetitions
    print("| what | atio, ms | NumPy, ms | atio / NumPy | size |\n|---|---|---|---|---|")
    for megabytes in (0.01, 1, 10, 100, 400):
        array = RANDOM.random(int(megabytes * 125_000))
        figures = race(lambda p, a=array: atio.write(a, p, "npy", durable=False), save(array), repetitions)
        print(f"| npy, {megabytes} MB | {figures} |", flush=True)
    strided = RANDOM.random((2_500, 2_500)).T[::2]
    print(f"| npy, 25 MB, strided | {race(lambda p: atio.write(strided, p, 'npy', durable=False), save(strided), 5)} |")
    array = RANDOM.random(12_500_000)
    figures = race(lambda p: atio.write(array, p, "npz", durable=False), lambda p: np.savez(p, array), repetitions)
    print(f"| npz, 100 MB | {figures} |", flush=True)
    for name, make in KINDS.items():
        data = make(2_000_000)
        figures = race(
            lambda p, a=data: atio.write(a, p, "npz_compressed", durable=False),
            lambda p, a=data: np.savez_compressed(p, a),
            3,
        )
        print(f"| npz_compressed, {data.nbytes / 1e6:.0f} MB of {name} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
