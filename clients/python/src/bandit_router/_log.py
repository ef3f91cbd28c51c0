# SPDX-License-Identifier: Apache-2.0
"""The client's log, `bandit_router`: the same line at most once a minute."""

from __future__ import annotations

import logging
import threading
import time
from typing import Callable

LOG = logging.getLogger("bandit_router")
_SECONDS = 60.0


class Throttle:
    """Warns at the first of a kind, then once a minute with how many came.

    Thread-safety: all calls may overlap.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}
        self._unsaid: dict[str, int] = {}

    def warn(self, kind: str, count: int, text: str) -> None:
        """`text` may have a `{count}`, of those since it was said last."""
        with self._lock:
            count += self._unsaid.pop(kind, 0)
            now = self._clock()
            last = self._last.get(kind)
            if last is not None and now - last < _SECONDS:
                self._unsaid[kind] = count
                return
            self._last[kind] = now
        LOG.warning("%s", text.replace("{count}", str(count), 1))
