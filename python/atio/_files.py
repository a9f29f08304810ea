"""What can be done with a file that was written: compare it with its flag, put its backup back."""

from __future__ import annotations

import time

from ._job import run
from ._result import WriteResult
from ._table.verify import TableReport, is_table, verify_table
from ._target import PathLike, encode_path, path_of


def verify(path: PathLike) -> WriteResult | TableReport:
    """Re-read a file and compare its size and checksum with its flag ``.NAME._SUCCESS``.

    Of a table all data files of the newest version are read and compared with its log: each is there, has the right
    size, number of rows and checksum, and statistics that are true.

    Returns:
        What the flag says of the file, or what there is in the table.

    Raises:
        FileNotFoundError: if there is no such file, or no flag beside it.
        atio.CorruptError: if the file is not what its flag says.

    Example:
        >>> import pandas as pd
        >>> _ = atio.write(pd.DataFrame({"x": [1]}), "checked.csv")
        >>> atio.verify("checked.csv").format
        'csv'
    """
    began = time.perf_counter()
    target = path_of(path, directory=True)
    if is_table(target):
        return verify_table(target)
    return WriteResult.of(run({"op": "verify", "target": encode_path(target)}), target, began)


def restore(path: PathLike, *, durable: bool = True) -> WriteResult:
    """Put the newest backup of a file back in its place, atomically, and set its flag if the file has one.

    The backup becomes the file; what the file held is given up; older backups move one down.

    Raises:
        FileNotFoundError: if there is no backup: only ``write(..., backup=True)`` keeps one.

    Example:
        >>> import pandas as pd
        >>> _ = atio.write(pd.DataFrame({"x": ["old"]}), "kept.csv", index=False)
        >>> _ = atio.write(pd.DataFrame({"x": ["new"]}), "kept.csv", index=False, backup=True)
        >>> _ = atio.restore("kept.csv")
        >>> pd.read_csv("kept.csv")["x"].tolist()
        ['old']
    """
    began = time.perf_counter()
    target = path_of(path, directory=True)
    request = {"op": "restore", "target": encode_path(target), "skip_sync": not durable}
    return WriteResult.of(run(request), target, began)
