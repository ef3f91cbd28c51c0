# SPDX-License-Identifier: Apache-2.0
"""Asyncio calls through the real router."""

import asyncio
import unittest

import grpc
from bandit_router import Purpose, hash_unit
from grpc import aio
from support import SECONDS, ClientTest, bytes_call


async def read(call):
    """`call.read()`; at the end of an intercepted call Debian's grpcio raises."""
    try:
        return await call.read()
    except StopAsyncIteration:
        return aio.EOF


def unit_of(decision):
    return decision.last.fields().unit if decision.last else None


class AioTest(ClientTest):
    def setUp(self):
        super().setUp()
        self.bandit = self.client(self.start().listen)

    def run_with(self, test):
        """Runs `test(channel)`; a test that hangs fails."""

        async def main():
            async with self.bandit.aio_channel() as channel:
                await asyncio.wait_for(test(channel), SECONDS)

        asyncio.run(main())

    def hashed(self, unit):
        return hash_unit(Purpose.ARM, "ranker", unit)

    def test_the_four_kinds_of_calls(self):
        async def unary(channel):
            return await bytes_call(channel, "Echo")(b"x")

        async def server_stream(channel):
            call = bytes_call(channel, "ServerStream", "unary_stream")(b"3 1")
            return b"".join([part async for part in call])

        async def server_stream_read(channel):
            call = bytes_call(channel, "ServerStream", "unary_stream")(b"3 1")
            parts = []
            while (part := await read(call)) is not aio.EOF:
                parts.append(part)
            return b"".join(parts)

        async def client_stream(channel):
            call = bytes_call(channel, "ClientStream", "stream_unary")
            return await call(iter([b"x", b"yz"]))

        async def client_stream_write(channel):
            call = bytes_call(channel, "ClientStream", "stream_unary")()
            await call.write(b"x")
            await call.write(b"yz")
            await call.done_writing()
            return await call

        async def bidi(channel):
            call = bytes_call(channel, "Bidi", "stream_stream")
            return b"".join([part async for part in call(iter([b"x", b"yz"]))])

        async def bidi_write(channel):
            call = bytes_call(channel, "Bidi", "stream_stream")()
            parts = []
            for part in (b"x", b"yz"):
                await call.write(part)
                parts.append(await read(call))
            await call.done_writing()
            self.assertIs(await read(call), aio.EOF)
            return b"".join(parts)

        for call, answer in (
            (unary, b"x"),
            (server_stream, b"sss"),
            (server_stream_read, b"sss"),
            (client_stream, b"3"),
            (client_stream_write, b"3"),
            (bidi, b"xyz"),
            (bidi_write, b"xyz"),
        ):
            async def test(channel, call=call, answer=answer):
                with self.bandit.context(unit="bob") as decision:
                    self.assertEqual(await call(channel), answer)
                self.assertEqual(unit_of(decision), self.hashed("bob"))
                self.assertTrue(decision.reward(click=1))

            with self.subTest(call.__name__):
                self.run_with(test)
        self.assertEqual(self.bandit.flush(SECONDS), [])
        self.assertEqual(self.bandit.stats().accepted, 7)

    def test_a_streams_decision_is_known_with_its_first_message(self):
        async def test(channel):
            with self.bandit.context(unit="bob") as decision:
                call = bytes_call(channel, "Bidi", "stream_stream")()
                await call.write(b"first")
                self.assertEqual(await read(call), b"first")
                self.assertEqual(unit_of(decision), self.hashed("bob"))
                await call.done_writing()
                self.assertIs(await read(call), aio.EOF)
                self.assertIs(await call.code(), grpc.StatusCode.OK)

        self.run_with(test)

    def test_the_decision_of_a_failed_call_is_caught(self):
        async def test(channel):
            for kind in ("unary_unary", "unary_stream"):
                with self.bandit.context(unit="bob") as decision:
                    with self.assertRaises(aio.AioRpcError) as raised:
                        call = bytes_call(channel, "Fail", kind)(b"x")
                        if kind == "unary_unary":
                            await call
                        else:
                            [part async for part in call]
                self.assertIs(
                    raised.exception.code(),
                    grpc.StatusCode.FAILED_PRECONDITION,
                )
                self.assertEqual(unit_of(decision), self.hashed("bob"), kind)

        self.run_with(test)

    def test_tasks_at_once_keep_their_units_apart(self):
        async def one(channel, i):
            with self.bandit.context(unit=f"user-{i}") as decision:
                await bytes_call(channel, "Echo")(b"x")
                await asyncio.sleep(0)
                await bytes_call(channel, "Echo")(b"x")
            return [d.fields().unit for d in decision.decisions]

        async def test(channel):
            units = await asyncio.gather(*(one(channel, i) for i in range(50)))
            for i, pair in enumerate(units):
                self.assertEqual(pair, [self.hashed(f"user-{i}")] * 2)

        self.run_with(test)

    def test_calls_gathered_in_one_context_are_all_caught(self):
        async def test(channel):
            with self.bandit.context(unit="bob") as decision:
                await asyncio.gather(
                    *(bytes_call(channel, "Echo")(b"x") for _ in range(10))
                )
            self.assertEqual(len({d.token for d in decision.decisions}), 10)

        self.run_with(test)

    def test_a_cancelled_call_is_cancelled_at_the_model(self):
        async def test(channel):
            with self.bandit.context(unit="bob") as decision:
                call = bytes_call(channel, "Block")(b"x")
                await asyncio.to_thread(self.wait_for_start)
                call.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await call
            await asyncio.to_thread(self.wait_for_cancel)
            self.assertIsNone(decision.last)

        self.run_with(test)

    def wait_for_start(self):
        self.either(lambda model: model.started)

    def wait_for_cancel(self):
        self.either(lambda model: model.cancelled)

    def either(self, event):
        """One model's, or the other's."""
        for _ in range(10 * SECONDS):
            if event(self.a).wait(0.05) or event(self.b).wait(0.05):
                return
        self.fail("it never came")

    def test_a_deadline_is_the_callers(self):
        async def test(channel):
            with self.bandit.context(unit="bob") as decision:
                with self.assertRaises(aio.AioRpcError) as raised:
                    await bytes_call(channel, "Block")(b"x", timeout=0.2)
            self.assertIs(
                raised.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED
            )
            decision.decisions  # Whether it is known depends on who was first.

        self.run_with(test)

    def test_rewards_do_not_hold_up_the_loop(self):
        async def test(channel):
            with self.bandit.context(unit="bob") as decision:
                await bytes_call(channel, "Echo")(b"x")
            self.assertTrue(decision.reward(click=1))
            self.assertEqual(await self.bandit.aflush(SECONDS), [])
            self.assertEqual(await self.bandit.aclose(SECONDS), [])

        self.run_with(test)
        self.assertEqual(self.bandit.stats().accepted, 1)


if __name__ == "__main__":
    unittest.main()
