"""Fixtures of several modules."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from postgres_server import Server, running_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server for all tests of a session."""
    with running_server() as server:
        yield server
