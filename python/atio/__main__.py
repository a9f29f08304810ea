"""``python -m atio``: the command ``atio``."""

import sys

from ._cli import main

sys.exit(main())
