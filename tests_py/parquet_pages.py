"""Page headers and page indexes of a Parquet file, which no Python library shows.

The structs and field numbers are those of
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift, in Thrift's compact protocol.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class Compact:
    """Reads structs of the compact protocol as dicts from field number to value."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def zigzag(self) -> int:
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def value(self, kind: int) -> Any:
        if kind in (1, 2):  # a bool in a list; that of a field is its type
            return self.byte() == 1
        if kind == 3:
            return self.byte()
        if kind in (4, 5, 6):
            return self.zigzag()
        if kind == 7:
            self.at += 8
            return self.data[self.at - 8 : self.at]
        if kind == 8:
            size = self.varint()
            self.at += size
            return self.data[self.at - size : self.at]
        if kind in (9, 10):
            head = self.byte()
            size = head >> 4
            if size == 15:
                size = self.varint()
            return [self.value(head & 15) for _ in range(size)]
        if kind == 12:
            return self.struct()
        raise ValueError(f"type {kind} at byte {self.at}")

    def struct(self) -> dict[int, Any]:
        fields: dict[int, Any] = {}
        last = 0
        while head := self.byte():
            kind, delta = head & 15, head >> 4
            last = last + delta if delta else self.zigzag()
            fields[last] = kind == 1 if kind in (1, 2) else self.value(kind)
        return fields


@dataclass
class Page:
    """A page as its header describes it; ``size`` is with the header."""

    offset: int
    size: int
    values: int
    kind: int


@dataclass
class Location:
    """A PageLocation of an OffsetIndex."""

    offset: int
    size: int
    first_row: int


@dataclass
class Index:
    """A ColumnIndex."""

    null_pages: list[bool]
    minima: list[bytes]
    maxima: list[bytes]
    boundary_order: int
    null_counts: list[int]


@dataclass
class ColumnPages:
    """What a file says of one column chunk."""

    name: str
    minimum: bytes | None
    maximum: bytes | None
    min_exact: bool | None
    max_exact: bool | None
    offset_index: list[Location] = field(default_factory=list)
    column_index: Index | None = None
    data_pages: list[Page] = field(default_factory=list)


def read_pages(path: Path, group: int = 0) -> list[ColumnPages]:
    """Read what the file says of the column chunks of a row group."""
    data = path.read_bytes()
    assert data[:4] == data[-4:] == b"PAR1"
    footer = Compact(data, len(data) - 8 - int.from_bytes(data[-8:-4], "little")).struct()
    return [_column(data, chunk) for chunk in footer[4][group][1]]


def _column(data: bytes, chunk: dict[int, Any]) -> ColumnPages:
    meta = chunk[3]
    statistics = meta.get(12, {})
    column = ColumnPages(
        name=b".".join(meta[3]).decode(),
        minimum=statistics.get(6),
        maximum=statistics.get(5),
        min_exact=statistics.get(8),
        max_exact=statistics.get(7),
    )
    if 4 in chunk:
        reader = Compact(data, chunk[4])
        column.offset_index = [Location(at[1], at[2], at[3]) for at in reader.struct()[1]]
        assert reader.at == chunk[4] + chunk[5]
    if 6 in chunk:
        reader = Compact(data, chunk[6])
        index = reader.struct()
        assert reader.at == chunk[6] + chunk[7]
        column.column_index = Index(index[1], index[2], index[3], index[4], index.get(5, []))
    at = meta.get(11) or meta[9]
    end = at + meta[7]
    while at < end:
        reader = Compact(data, at)
        header = reader.struct()
        size = reader.at - at + header[3]
        body = header.get(5) or header.get(8) or header.get(7)
        if header[1] != 2:  # not a dictionary page
            column.data_pages.append(Page(at, size, body[1], header[1]))
        at += size
    assert at == end
    return column
