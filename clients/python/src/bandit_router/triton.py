# SPDX-License-Identifier: Apache-2.0
"""A plugin for tritonclient's clients, gRPC sync and asyncio."""

from __future__ import annotations

import uuid
from typing import Any, Callable

from .metadata import Keys
from .scope import current


def new_request_id() -> str:
    """Random, 122 bits."""
    return str(uuid.uuid4())


class TritonPlugin:
    """What `register_plugin` takes; tritonclient asks for no base class.

    A plugin sees what is sent, not what comes back, so the decision is named
    by an id that each call gets: the router's config needs a `join`.
    """

    def __init__(
        self,
        owner: object,
        keys: Keys,
        make_request_id: Callable[[], str] = new_request_id,
    ) -> None:
        self._owner = owner
        self._keys = keys
        self._make_request_id = make_request_id

    def __call__(self, request: Any) -> None:
        """Called by tritonclient before each call, whatever it is."""
        scope = current(self._owner)
        if scope is None:
            return
        given = dict(request.headers or {})
        sent = dict(scope.metadata(given.items()))
        sent.setdefault(self._keys.request_id, self._make_request_id())
        # Not in place: this may be the caller's own dictionary.
        request.headers = sent
        scope.catch(None, list(sent.items()))
