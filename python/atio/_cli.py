"""The command ``atio``: tables from the shell."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from ._errors import AtioError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code: 0, 1 for an error, 2 for wrong usage."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        found = given.run(given)
    except (AtioError, OSError, ValueError, TypeError, ImportError) as error:
        print(f"atio {given.command}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130
    if found is not None:
        try:
            print(json.dumps(found[0], indent=2, default=str) if given.json else found[1])  # noqa: T201
        except BrokenPipeError:  # as by `atio log | head`
            sys.stderr.close()
    return 0


Answer = tuple[Any, str]
"""What a command answers: for ``--json``, and as text."""


def _parser() -> argparse.ArgumentParser:
    import atio

    parser = argparse.ArgumentParser(
        prog="atio", description="Look at and look after tables written by atio.write_snapshot."
    )
    parser.add_argument("--version", action="version", version=f"atio {atio.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], Answer | None], what: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=what, description=what)
        command.add_argument("table", help="the table's directory")
        command.add_argument("--json", action="store_true", help="answer as JSON")
        command.set_defaults(run=run)
        return command

    log = add("log", _log, "List the versions, the newest first.")
    log.add_argument("-n", "--limit", type=int, help="so many at the most")
    show = add("show", _show, "Show the first rows of a version.")
    which = show.add_mutually_exclusive_group()
    which.add_argument("--at", type=int, metavar="VERSION", help="which version (the newest)")
    which.add_argument("--tag", help="the version of that tag")
    show.add_argument("-n", "--rows", type=int, default=10, help="how many rows (10)")
    diff = add("diff", _diff, "Compare two versions.")
    diff.add_argument("from_version", type=int)
    diff.add_argument("to_version", type=int)
    diff.add_argument("--key", action="append", help="a column that names a row, to compare rows too; may be repeated")
    tag = add("tag", _tag, "List the tags, give a version a tag, or take one away.")
    tag.add_argument("name", nargs="?")
    tag.add_argument("tagged", type=int, nargs="?", metavar="version")
    tag.add_argument("-d", "--delete", action="store_true", help="take the tag away")
    rollback = add("rollback", _rollback, "Make the content of an older version the newest one.")
    rollback.add_argument("to_version", type=int)
    expire = add("expire", _expire, "Remove old versions. Without --yes only says what would go.")
    expire.add_argument("--keep-for", type=_duration, default=timedelta(days=7), help="such as 12h or 30d (7d)")
    expire.add_argument("--keep-last", type=int, default=1, help="keep so many versions whatever their age (1)")
    expire.add_argument("--yes", action="store_true", help="do it")
    add("verify", _verify, "Read all files back and compare them with the log.")
    optimize = add("optimize", _optimize, "Put small files together.")
    optimize.add_argument("--target-size", type=_size, default=128 << 20, help="of the files, such as 64MB (128MiB)")
    optimize.add_argument("--sort-by", action="append", help="a column to sort by; may be repeated")
    clean = add("clean", _clean, "Remove files that no version knows. Without --yes only says what would go.")
    clean.add_argument("--older-than", type=_duration, default=timedelta(days=1), help="such as 12h or 30d (1d)")
    clean.add_argument("--yes", action="store_true", help="do it")
    return parser


def _log(given: argparse.Namespace) -> Answer:
    import atio

    versions = sorted(atio.list_snapshots(given.table), key=lambda one: -int(one["version_id"]))[: given.limit]
    rows = [
        (
            str(one["version_id"]),
            f"{one['timestamp']:%Y-%m-%d %H:%M:%S}",
            str(one["operation"]),
            "?" if one["rows"] is None else str(one["rows"]),
            "?" if one["bytes"] is None else str(one["bytes"]),
            ",".join(one["tags"]),
            one["message"] or "",
        )
        for one in versions
    ]
    return versions, _columns([("VERSION", "TIME (UTC)", "OPERATION", "ROWS", "BYTES", "TAGS", "MESSAGE"), *rows])


def _show(given: argparse.Namespace) -> Answer:
    import pyarrow as pa

    import atio

    reader = atio.read_table(given.table, given.at, "reader", tag=given.tag)
    batches, wanted = [], given.rows
    for batch in reader:
        batches.append(batch.slice(0, wanted))
        wanted -= batches[-1].num_rows
        if wanted <= 0:
            break
    reader.close()
    table = pa.Table.from_batches(batches, reader.schema)
    rows = table.to_pylist()
    head = tuple(f"{field.name}: {field.type}" for field in table.schema)
    return rows, _columns([head, *(tuple(_cell(value) for value in row.values()) for row in rows)])


def _diff(given: argparse.Namespace) -> Answer:
    from dataclasses import asdict

    import atio

    found = atio.diff(given.table, given.from_version, given.to_version, key=given.key, output_as="arrow")
    said = asdict(found)
    said["rows"] = found.rows.to_pylist() if found.rows is not None else None
    lines = [f"version {found.from_version} -> {found.to_version}"]
    lines += [f"+ column {name}: {kind}" for name, kind in found.columns_added.items()]
    lines += [f"- column {name}: {kind}" for name, kind in found.columns_removed.items()]
    lines += [f"~ column {name}: {old} -> {new}" for name, (old, new) in found.columns_changed.items()]
    for sign, files, rows, size in (
        ("-", found.files_removed, found.rows_removed, found.bytes_removed),
        ("+", found.files_added, found.rows_added, found.bytes_added),
    ):
        lines.append(f"{sign} {len(files)} files, {'?' if rows is None else rows} rows, {size} bytes")
    if said["rows"] is not None:
        lines.append(f"{found.inserted} rows inserted, {found.deleted} deleted, {found.updated} updated")
        names = found.rows.column_names
        lines.append(_columns([tuple(names), *(tuple(_cell(row[name]) for name in names) for row in said["rows"])]))
    return said, "\n".join(lines)


def _tag(given: argparse.Namespace) -> Answer | None:
    import atio

    if given.name is None:
        tags = {tag: one["version_id"] for one in atio.list_snapshots(given.table) for tag in one["tags"]}
        return tags, _columns([("TAG", "VERSION"), *((name, str(version)) for name, version in sorted(tags.items()))])
    if given.delete:
        atio.delete_tag(given.table, given.name)
        return None
    version = given.tagged
    if version is None:
        version = max(one["version_id"] for one in atio.list_snapshots(given.table))
    atio.tag_version(given.table, version, given.name)
    return {given.name: version}, f"version {version} is {given.name} now"


def _rollback(given: argparse.Namespace) -> Answer:
    import atio

    made = atio.rollback(given.table, given.to_version)
    return {"version": made.version}, f"version {made.version} has the content of version {given.to_version}"


def _expire(given: argparse.Namespace) -> Answer:
    import atio

    report = atio.expire_snapshots(given.table, given.keep_for, not given.yes, keep_last=given.keep_last)
    return _reported(report, given.yes)


def _clean(given: argparse.Namespace) -> Answer:
    import atio

    return _reported(atio.Table(given.table).clean(given.older_than, dry_run=not given.yes), given.yes)


def _reported(report: Any, done: bool) -> Answer:
    from dataclasses import asdict

    verb = "removed" if done else "would remove"
    what = f"{len(report.versions)} versions, " if report.versions else ""
    text = f"{verb} {what}{len(report.files)} files, {report.bytes} bytes"
    lines = [text, *(f"  kept version {version}: {why}" for version, why in sorted(report.kept.items()))]
    if not done:
        lines.append("nothing was removed: repeat it with --yes")
    return asdict(report), "\n".join(lines)


def _verify(given: argparse.Namespace) -> Answer:
    from dataclasses import asdict

    import atio

    report = atio.verify(given.table)
    return asdict(report), f"{given.table} is whole: {report}"


def _optimize(given: argparse.Namespace) -> Answer:
    from dataclasses import asdict

    import atio

    report = atio.optimize(given.table, target_size=given.target_size, sort_by=given.sort_by)
    if report.version is None:
        return asdict(report), "nothing to do: there are no files that could be put together"
    return asdict(report), f"version {report.version}: {report.files_removed} files are {report.files_added} now"


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h|d|w)", text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r}: write a number and s, m, h, d or w, such as 12h or 30d")
    unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[found[2]]
    return timedelta(**{unit: float(found[1])})


def _size(text: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:([kMGT])(i)?)?B?", text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r}: write a number of bytes, such as 1000000, 64MB or 128MiB")
    power = " kMGT".index(found[2] or " ")
    return int(float(found[1]) * (1024 if found[3] else 1000) ** power)


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    text = text.replace("\n", "\\n").replace("\t", "\\t")
    return text if len(text) <= 40 else text[:39] + "…"


def _columns(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


if __name__ == "__main__":
    sys.exit(main())
