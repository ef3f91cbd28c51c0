# SPDX-License-Identifier: Apache-2.0
"""How many requests are served at a time, and what becomes of the others."""

import threading
import unittest
import urllib.request

import http2_peer as h2
from http2_peer import EdgeTest
from retries_test import MODEL_PATH, RetryTest


class LoadTest(EdgeTest):
    def queued(self, count):
        """Waits until so many wait: the figure comes with a tick."""
        for _ in range(1000):
            with_label = self.plain_metric("bandit_requests_queued")
            if with_label == count:
                return
            threading.Event().wait(0.01)
        self.assertEqual(self.plain_metric("bandit_requests_queued"), count)

    def plain_metric(self, name):
        with urllib.request.urlopen(f"http://{self.proxy.admin}/metrics") as f:
            for line in f.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.split()[1])
        return None

    def rejected(self, reason, count):
        self.assert_metric(
            "bandit_requests_rejected_total", count, reason=reason
        )

    def test_they_wait_in_order(self):
        self.start("limits: {max_requests: 1, queue_timeout: 1m}")
        first, served = self.call()
        waiting = []
        for i in range(3):
            stream = self.c.request(more=[("x-n", str(i))])
            self.c.data(stream, b"body %d" % i, end=True)
            waiting.append(stream)
        self.sync()
        self.assertEqual(len(self.b.requests), 1)
        self.queued(3)
        self.b.answer(served)
        for i, stream in enumerate(waiting):
            served = self.b.next_request()
            message = self.b.finish(served)
            self.assertEqual(message.get("x-n"), str(i))
            self.assertEqual(message.body, b"body %d" % i)
            self.b.sync()
            self.assertEqual(len(self.b.requests), i + 2)
            self.b.answer(served)
            self.assertEqual(self.c.finish(stream).body, b"answer")
        self.assertEqual(self.c.finish(first).body, b"answer")
        self.queued(0)
        self.assert_counted(OK=4)

    def test_one_that_waits_for_its_model_waits_for_its_turn_first(self):
        self.start("limits: {max_requests: 1, queue_timeout: 1m}")
        first, served = self.call()
        held = self.c.request(path=self.HELD)
        self.c.data(held, b"\0\0\0\0\x08\x0a\x06ranker", end=True)
        self.sync()
        self.assertEqual(len(self.b.requests), 1)
        self.b.answer(served)
        served = self.b.next_request()
        self.assertEqual(self.b.finish(served).body,
                         b"\0\0\0\0\x08\x0a\x06ranker")
        self.b.answer(served)
        self.assertEqual(self.c.finish(held).body, b"answer")
        self.assert_counted("held", OK=1)

    def test_what_it_sends_meanwhile_is_bounded_by_its_window(self):
        self.start("limits: {max_requests: 1, queue_timeout: 1m, "
                   "stream_window: 16KiB}")
        _, served = self.call()
        stream = self.c.request()
        self.c.data(stream, b"x" * 16000)
        self.c.sync()
        self.assertEqual(self.c.credit.get(stream, 0), 0)
        self.b.answer(served)
        again = self.b.next_request()
        self.b.until_body(again, 16000)
        self.c.until(lambda: self.c.credit.get(stream, 0) > 0)

    def test_beyond_the_queue_they_are_refused(self):
        self.start("limits: {max_requests: 1, queue: 1, queue_timeout: 1m}")
        _, served = self.call()
        waiting = self.c.request(end=True)
        refused = self.c.finish(self.c.request(end=True))
        self.assertEqual(refused.get("grpc-status"), "8")
        self.assertEqual(
            refused.get("grpc-message"),
            "router: limits.max_requests = 1 are under way and limits.queue "
            "= 1 wait")
        self.assertIsNone(refused.get("x-bandit-decision"))
        self.rejected("queue_full", 1)
        self.b.answer(served)
        self.b.answer(self.b.next_request())
        self.assertEqual(self.c.finish(waiting).body, b"answer")
        self.assert_counted("", RESOURCE_EXHAUSTED=1)

    def test_a_call_that_is_not_grpc_gets_429(self):
        self.start("limits: {max_requests: 1, queue: 0}")
        self.call()
        refused = self.c.finish(self.c.request(end=True, grpc=False))
        self.assertEqual(refused.get(":status"), "429")

    def test_after_queue_timeout_they_are_refused(self):
        self.start("limits: {max_requests: 1, queue_timeout: 50ms}")
        _, served = self.call()
        refused = self.c.finish(self.c.request(end=True))
        self.assertEqual(refused.get("grpc-status"), "8")
        self.assertIn("limits.queue_timeout = 50 ms",
                      refused.get("grpc-message"))
        self.rejected("queue_timeout", 1)
        self.b.answer(served)
        self.works()
        self.queued(0)

    def test_the_deadline_goes_on_while_they_wait(self):
        self.start("limits: {max_requests: 1, queue_timeout: 1m}")
        self.call()
        late = self.c.finish(
            self.c.request(end=True, more=[("grpc-timeout", "50m")]))
        self.assertEqual(late.get("grpc-status"), "4")
        self.assertEqual(
            late.get("grpc-message"),
            "router: limits.max_requests = 1 were under way for the whole "
            "grpc-timeout 50m")
        self.queued(0)
        self.assert_counted("", DEADLINE_EXCEEDED=1)

    def test_one_that_gives_up_takes_no_place(self):
        self.start("limits: {max_requests: 1, queue: 1, queue_timeout: 1m}")
        _, served = self.call()
        given_up = self.c.request(end=True)
        self.c.reset(given_up, h2.CANCEL)
        other = self.c.request(end=True)
        self.c.sync()
        self.b.answer(served)
        self.b.answer(self.b.next_request())
        self.assertEqual(self.c.finish(other).body, b"answer")
        self.assertEqual(len(self.b.requests), 2)
        self.assert_counted("", CANCELLED=1)

    def test_a_client_that_is_gone_gives_its_places_back(self):
        self.start("limits: {max_requests: 1, queue_timeout: 1m}")
        other = self.connect()
        other.request(end=True)
        served = self.b.next_request()
        waiting = self.c.request(end=True)
        self.c.sync()
        other.close()
        self.assertEqual(self.b.until_reset(served), h2.CANCEL)
        self.b.answer(self.b.next_request())
        self.assertEqual(self.c.finish(waiting).body, b"answer")

    def test_the_control_plane_is_reached_however_many_wait(self):
        self.start("limits: {max_requests: 1, queue: 0}")
        self.call()
        stream = self.c.request(path="/bandit.v1.Feedback/Record")
        self.c.data(stream, b"\0\0\0\0\0", end=True)
        self.assertEqual(self.c.finish(stream).get("grpc-status"), "0")

    def test_memory_is_bounded(self):
        """Beyond limits.max_buffered new requests are refused, and those under
        way go on."""
        self.start("limits: {max_buffered: 1MiB, stream_window: 256KiB}")
        held = []
        refused = None
        while refused is None:
            stream = self.c.request()
            self.c.sync()
            self.c.sync()  # A PING's answer overtakes that to a request.
            if self.c.on(stream).fields is not None:
                refused = self.c.finish(stream)
                break
            # The backend opens no window beyond the first 64 KiB, which all
            # share.
            for _ in range(13):
                self.c.data(stream, b"x" * 16000)
            self.c.sync()
            held.append(stream)
            self.assertLess(len(held), 40)
        self.assertEqual(refused.get("grpc-status"), "8")
        self.assertEqual(
            refused.get("grpc-message"),
            "router: bodies that wait take limits.max_buffered = 1048576 "
            "bytes")
        self.rejected("memory", 1)
        for stream in held:
            self.c.reset(stream, h2.CANCEL)
        self.sync()
        self.b.taken = len(self.b.requests)
        self.works()


class HeldMessages(RetryTest):
    def test_compressed_messages_that_wait_to_be_whole_count(self):
        self.serve(arms="[{name: a, backend: one, model: {name: b}}]",
                   more="limits: {max_buffered: 1MiB, max_held_message: 4MiB}")
        stream = self.c.request(path=MODEL_PATH,
                                more=[("grpc-encoding", "gzip")])
        self.c.data(stream, b"\1\0\x20\0\0")  # 2 MiB.
        for _ in range(100):
            self.c.data(stream, b"x" * 12_000)
            self.c.sync()
        refused = self.c.finish(self.c.request(end=True))
        self.assertEqual(refused.get("grpc-status"), "8")
        self.assertIn("limits.max_buffered", refused.get("grpc-message"))
        self.c.reset(stream, h2.CANCEL)
        self.c.sync()
        stream = self.c.request(end=True)
        # The first one was forwarded, without its body.
        self.one.next_request()
        self.one.answer(self.one.next_request())
        self.assertEqual(self.c.finish(stream).body, b"answer")


if __name__ == "__main__":
    unittest.main()
