# SPDX-License-Identifier: Apache-2.0
"""The interceptors for grpcio's asyncio channels, one for each kind of call.

Each hands back its call at once, in a wrapper that reads the decision when a
response has come: to wait inside an interceptor would hold up a caller that
writes a stream, and outlive one that is cancelled.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from typing import Any, Callable, Optional

import grpc
from grpc import aio

from .metadata import Pairs, Routed, routed
from .scope import current


class _Slot:
    """What is known of a call, without the call and its response."""

    def __init__(self) -> None:
        self.found: tuple[Routed, ...] = ()

    def routed(self) -> tuple[Routed, ...]:
        return self.found


class _SeenCall:
    """A call, as what it wraps; what is not here is the wrapped call's own."""

    def __init__(self, call: Any, slot: _Slot) -> None:
        self._call = call
        self._slot = slot
        self._known = False

    async def _look(self) -> None:
        """After a message or the end: does not wait."""
        if self._known:
            return
        found = routed(await self._call.initial_metadata())
        if not found and self._call.done():
            # A response without a message has trailers alone.
            found = routed(await self._call.trailing_metadata())
        self._known = bool(found) or self._call.done()
        self._slot.found = found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    # Abstract in grpc.aio's classes, so __getattr__ is not asked for them.

    def cancelled(self) -> bool:
        return bool(self._call.cancelled())

    def done(self) -> bool:
        return bool(self._call.done())

    def time_remaining(self) -> Optional[float]:
        left: Optional[float] = self._call.time_remaining()
        return left

    def cancel(self) -> bool:
        return bool(self._call.cancel())

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        self._call.add_done_callback(callback)

    async def initial_metadata(self) -> Any:
        metadata = await self._call.initial_metadata()
        await self._look()
        return metadata

    async def trailing_metadata(self) -> Any:
        metadata = await self._call.trailing_metadata()
        await self._look()
        return metadata

    async def code(self) -> grpc.StatusCode:
        code: grpc.StatusCode = await self._call.code()
        return code

    async def details(self) -> Optional[str]:
        details: Optional[str] = await self._call.details()
        return details

    async def wait_for_connection(self) -> None:
        await self._call.wait_for_connection()


class _OneResponse(_SeenCall):
    def __await__(self) -> Generator[Any, Any, Any]:
        try:
            return (yield from self._call.__await__())
        finally:
            # A cancelled call is awaited no more.
            if self._call.done() and not self._call.cancelled():
                yield from self._look().__await__()


class _ManyResponses(_SeenCall):
    async def _read(self) -> AsyncIterator[Any]:
        try:
            async for response in self._call:
                await self._look()
                yield response
        finally:
            if self._call.done() and not self._call.cancelled():
                await self._look()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._read()

    async def read(self) -> Any:
        try:
            response = await self._call.read()
        except aio.AioRpcError:
            await self._look()
            raise
        await self._look()
        return response


class _Writes(_SeenCall):
    async def write(self, request: Any) -> None:
        await self._call.write(request)

    async def done_writing(self) -> None:
        await self._call.done_writing()


class _UnaryUnary(_OneResponse, aio.UnaryUnaryCall):  # type: ignore[type-arg, misc]
    pass


class _UnaryStream(_ManyResponses, aio.UnaryStreamCall):  # type: ignore[type-arg, misc]
    pass


class _StreamUnary(_Writes, _OneResponse, aio.StreamUnaryCall):  # type: ignore[type-arg, misc]
    pass


class _StreamStream(_Writes, _ManyResponses, aio.StreamStreamCall):  # type: ignore[type-arg, misc]
    pass


class _Interceptor:
    def __init__(self, owner: object) -> None:
        self._owner = owner

    async def _intercept(
        self,
        continuation: Callable[[Any, Any], Any],
        details: Any,
        request: Any,
        wrap: Callable[[Any, _Slot], Any],
    ) -> Any:
        scope = current(self._owner)
        if scope is None:
            return await continuation(details, request)
        sent: Pairs = scope.metadata(details.metadata)
        call = await continuation(
            details._replace(metadata=aio.Metadata(*sent)), request
        )
        slot = _Slot()
        scope.catch(slot, sent)
        return wrap(call, slot)


class UnaryUnaryInterceptor(_Interceptor, aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(
        self, continuation: Any, client_call_details: Any, request: Any
    ) -> Any:
        return await self._intercept(
            continuation, client_call_details, request, _UnaryUnary
        )


class UnaryStreamInterceptor(_Interceptor, aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(
        self, continuation: Any, client_call_details: Any, request: Any
    ) -> Any:
        return await self._intercept(
            continuation, client_call_details, request, _UnaryStream
        )


class StreamUnaryInterceptor(_Interceptor, aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(
        self, continuation: Any, client_call_details: Any, request_iterator: Any
    ) -> Any:
        return await self._intercept(
            continuation, client_call_details, request_iterator, _StreamUnary
        )


class StreamStreamInterceptor(_Interceptor, aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(
        self, continuation: Any, client_call_details: Any, request_iterator: Any
    ) -> Any:
        return await self._intercept(
            continuation, client_call_details, request_iterator, _StreamStream
        )


def interceptors(owner: object) -> list[aio.ClientInterceptor]:
    """One of each: a channel takes the ones it has calls for."""
    return [
        UnaryUnaryInterceptor(owner),
        UnaryStreamInterceptor(owner),
        StreamUnaryInterceptor(owner),
        StreamStreamInterceptor(owner),
    ]
