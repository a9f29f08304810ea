"""What a table shows of itself in a notebook."""

from __future__ import annotations

from html import escape
from typing import Any

_SHOWN = 20
_HEAD = ("version", "time (UTC)", "operation", "rows", "size", "tags", "message")


def history_html(path: str, history: list[dict[str, Any]]) -> str:
    """The history of a table, the newest version first, as an HTML table."""
    newest_first = sorted(history, key=lambda one: -int(one["version_id"]))
    rows = "".join(_row(one) for one in newest_first[:_SHOWN])
    more = len(newest_first) - _SHOWN
    rest = f"<p>and {more} older versions: <code>table.history()</code></p>" if more > 0 else ""
    head = "".join(f"<th>{name}</th>" for name in _HEAD)
    return (
        f"<div><p><b>atio table</b> <code>{escape(path)}</code></p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{rest}</div>"
    )


def _row(one: dict[str, Any]) -> str:
    cells = (
        f"<b>{one['version_id']}</b>" if one["is_latest"] else str(one["version_id"]),
        escape(f"{one['timestamp']:%Y-%m-%d %H:%M:%S}"),
        escape(str(one["operation"])),
        "?" if one["rows"] is None else f"{one['rows']:,}",
        size_of(one["bytes"]),
        escape(", ".join(one["tags"])),
        escape(one["message"] or ""),
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def size_of(count: int | None) -> str:
    """A number of bytes as people read it."""
    if count is None:
        return "?"
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def plot(history: list[dict[str, Any]]) -> Any:
    """Rows and bytes over versions, by matplotlib; returns the figure."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError("plotting needs matplotlib: pip install matplotlib") from None

    ordered = sorted(history, key=lambda one: int(one["version_id"]))
    versions = [one["version_id"] for one in ordered]
    figure = Figure(figsize=(8, 4), layout="constrained")
    rows, sizes = figure.subplots(2, 1, sharex=True)
    rows.step(versions, [one["rows"] for one in ordered], where="post")
    rows.set_ylabel("rows")
    sizes.step(versions, [one["bytes"] for one in ordered], where="post")
    sizes.set_ylabel("bytes")
    sizes.set_xlabel("version")
    for axes in (rows, sizes):
        axes.set_ylim(bottom=0)
        axes.xaxis.get_major_locator().set_params(integer=True)
    for one in ordered:
        if one["tags"]:
            rows.annotate(", ".join(one["tags"]), (one["version_id"], one["rows"] or 0))
    return figure
