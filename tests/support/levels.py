"""How much a test of a promise tries: little on every commit, much at level 2.

CHARRNN_TEST_LEVEL=2 python -m pytest -m slow
"""

import os
from typing import Any

LEVEL = int(os.environ.get("CHARRNN_TEST_LEVEL", "1"))


def cases(few: Any, many: Any) -> Any:
    """Return what to try, mostly how much: `few` in the suite, `many` at level 2."""
    return many if LEVEL > 1 else few
