# SPDX-License-Identifier: Apache-2.0
"""Interception of the channels that a library makes for itself.

grpcio has no hook for that; as tracing instrumentations do, this stands before
grpc's four functions that make channels, but only while a block asks for it
and only for calls from that block's own context.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import threading
from collections.abc import Iterator
from typing import Any, Callable

import grpc
from grpc import aio

from . import aio as bandit_aio
from .interceptor import BanditInterceptor

# The clients whose blocks the caller is in, the outermost first.
_OWNERS: contextvars.ContextVar[tuple[object, ...]] = contextvars.ContextVar(
    "bandit_router_channels", default=()
)
_LOCK = threading.Lock()
# Guarded by _LOCK: the blocks that are open, and what stands aside for them.
_open = 0
_originals: list[tuple[Any, str, Callable[..., Any]]] = []


@contextlib.contextmanager
def intercepted(owner: object) -> Iterator[None]:
    """Channels that are made inside are intercepted for `owner`."""
    token = _OWNERS.set((*_OWNERS.get(), owner))
    _install()
    try:
        yield
    finally:
        _uninstall()
        _OWNERS.reset(token)


def _install() -> None:
    global _open
    with _LOCK:
        _open += 1
        if _open > 1:
            return
        for module in (grpc, aio):
            for name in ("insecure_channel", "secure_channel"):
                original = getattr(module, name)
                _originals.append((module, name, original))
                wrap = _wrapped if module is grpc else _wrapped_aio
                setattr(module, name, wrap(original))


def _uninstall() -> None:
    global _open
    with _LOCK:
        _open -= 1
        if _open > 0:
            return
        for module, name, original in _originals:
            setattr(module, name, original)
        _originals.clear()


def _wrapped(original: Callable[..., grpc.Channel]) -> Callable[..., Any]:
    @functools.wraps(original)
    def make(*arguments: Any, **named: Any) -> grpc.Channel:
        channel = original(*arguments, **named)
        for owner in _OWNERS.get():
            channel = grpc.intercept_channel(channel, BanditInterceptor(owner))
        return channel

    return make


def _wrapped_aio(original: Callable[..., aio.Channel]) -> Callable[..., Any]:
    @functools.wraps(original)
    def make(
        target: str, *arguments: Any, interceptors: Any = None, **named: Any
    ) -> aio.Channel:
        all_of_them = list(interceptors or ())
        for owner in _OWNERS.get():
            all_of_them += bandit_aio.interceptors(owner)
        return original(
            target, *arguments, interceptors=all_of_them or None, **named
        )

    return make
