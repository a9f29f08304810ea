"""A lock that ``fork`` waits for.

A child of ``fork`` has none of its parent's other threads. What one of them was in the middle of, such as importing a
module or loading a library, stays half-done in the child for ever, and whoever wants the same there waits for ever.
So threads do such things under this lock, and a fork waits until none of them does; see also ``_first_use``.
"""

from __future__ import annotations

import os
import threading

undisturbed = threading.RLock()
"""Hold it while importing a module or loading a library."""

if hasattr(os, "register_at_fork"):
    # In the child the lock is held by the thread that forked, as in the parent.
    os.register_at_fork(
        before=undisturbed.acquire, after_in_parent=undisturbed.release, after_in_child=undisturbed.release
    )
