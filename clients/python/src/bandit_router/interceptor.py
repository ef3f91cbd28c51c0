# SPDX-License-Identifier: Apache-2.0
"""The interceptor for grpcio's synchronous channels."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any, Callable, NamedTuple, Optional

import grpc

from .metadata import Routed, routed
from .scope import current


class _Details(NamedTuple):
    method: str
    timeout: Optional[float]
    metadata: Any
    credentials: Optional[grpc.CallCredentials]
    wait_for_ready: Optional[bool]
    compression: Any


class _CallDetails(_Details, grpc.ClientCallDetails):
    """What interceptors hand on; grpc has the fields but no class for them."""


class SeenCall:
    """Reads a call's metadata when its decision is asked for: a call that is
    under way has none yet, and to wait for it here would hold up the caller."""

    def __init__(self, call: Any, streams: bool) -> None:
        self._call = call
        # The end of a stream is not waited for.
        self._streams = streams
        self._lock = threading.Lock()
        # Guarded by _lock.
        self._known = False
        self._routed: tuple[Routed, ...] = ()

    def routed(self) -> tuple[Routed, ...]:
        with self._lock:
            if self._known:
                return self._routed
            call = self._call
        found = routed(call.initial_metadata())
        ended = not self._streams or not call.is_active()
        if not found and ended:
            # A response without a message has trailers alone.
            found = routed(call.trailing_metadata())
        with self._lock:
            if found or ended:
                # The call, and its response, can go.
                self._known, self._routed, self._call = True, found, None
        return found


class BanditInterceptor(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Adds the unit and features of the `context` around a call, and catches
    its decision there. A call outside of one passes as it is.

    Thread-safety: all calls may overlap.
    """

    def __init__(self, owner: object) -> None:
        self._owner = owner

    def _intercept(
        self,
        continuation: Callable[[Any, Any], Any],
        details: grpc.ClientCallDetails,
        request: Any,
        streams: bool,
    ) -> Any:
        scope = current(self._owner)
        if scope is None:
            return continuation(details, request)
        sent = scope.metadata(getattr(details, "metadata", None))
        call = continuation(
            _CallDetails(
                details.method,
                getattr(details, "timeout", None),
                sent,
                getattr(details, "credentials", None),
                getattr(details, "wait_for_ready", None),
                getattr(details, "compression", None),
            ),
            request,
        )
        seen = SeenCall(call, streams)
        scope.catch(seen, sent)
        if not streams:
            # At once if the call was a blocking one.
            call.add_done_callback(lambda _: seen.routed())
        return call

    def intercept_unary_unary(
        self,
        continuation: Callable[[Any, Any], Any],
        client_call_details: grpc.ClientCallDetails,
        request: Any,
    ) -> Any:
        return self._intercept(
            continuation, client_call_details, request, streams=False
        )

    def intercept_unary_stream(
        self,
        continuation: Callable[[Any, Any], Any],
        client_call_details: grpc.ClientCallDetails,
        request: Any,
    ) -> Any:
        stream: Any = self._intercept(
            continuation, client_call_details, request, streams=True
        )
        return stream

    def intercept_stream_unary(
        self,
        continuation: Callable[[Any, Any], Any],
        client_call_details: grpc.ClientCallDetails,
        request_iterator: Iterable[Any],
    ) -> Any:
        return self._intercept(
            continuation, client_call_details, request_iterator, streams=False
        )

    def intercept_stream_stream(
        self,
        continuation: Callable[[Any, Any], Any],
        client_call_details: grpc.ClientCallDetails,
        request_iterator: Iterable[Any],
    ) -> Any:
        stream: Any = self._intercept(
            continuation, client_call_details, request_iterator, streams=True
        )
        return stream
