"""Databases: ``format="sql"``, ``format="database"`` and ``format="mongodb"``.

What the caller gives is looked at by ``_target`` (which database ``con`` is) and by the module of the frame's library
(what the arguments mean, which columns a new table gets). Go writes into the databases it knows; everything else, and
whatever it does not write exactly as the library would, the library's own writer writes, in one transaction.
"""

from __future__ import annotations

FORMATS = ("sql", "database", "mongodb")
"""The formats that are written to a database rather than to a file."""
