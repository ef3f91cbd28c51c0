# SPDX-License-Identifier: Apache-2.0
"""Copies of requests for a shadow: they never touch the request."""

import unittest
from unittest import mock

import http2_peer as h2
from retries_test import MODEL_PATH, RetryTest


class Mirror(RetryTest):
    MIRROR = "mirror: {backend: two}"

    def codes(self, **codes):
        for code, count in codes.items():
            self.assert_metric("bandit_mirror_requests_total", count,
                               experiment="edge", code=code)

    def test_the_shadow_gets_what_the_arm_gets(self):
        self.serve(self.MIRROR)
        stream = self.c.request(more=[("x-a", "b"), ("x-b-bin", "AAE=")])
        self.c.data(stream, b"mess")
        self.c.data(stream, b"age")
        self.c.headers(stream, [("x-last", "1")], end=True)
        served = self.one.next_request()
        copy = self.two.next_request()
        for peer, at in ((self.one, served), (self.two, copy)):
            message = peer.finish(at)
            self.assertEqual(message.body, b"message")
            self.assertEqual(message.get("x-a"), "b")
            self.assertEqual(message.get("x-b-bin"), "AAE=")
            self.assertEqual(message.get("x-last"), "1")
        self.two.respond(copy, [("x-shadow", "1")])
        self.two.data(copy, b"dropped")
        self.two.trailers(copy, "13")
        self.two.sync()
        self.one.answer(served)
        answer = self.c.finish(stream)
        self.assertEqual(answer.body, b"answer")
        self.assertEqual(answer.get("grpc-status"), "0")
        self.assertIsNone(answer.get("x-shadow"))
        self.assert_counted(OK=1)
        self.codes(INTERNAL=1)
        self.assert_metric("bandit_mirror_duration_seconds_count", 1,
                           experiment="edge")

    def test_a_shadow_that_answers_later_is_waited_for(self):
        self.serve(self.MIRROR)
        stream = self.c.request(end=True)
        self.one.answer(self.one.next_request())
        self.assertEqual(self.c.finish(stream).body, b"answer")
        copy = self.two.next_request()
        self.two.answer(copy)
        self.codes(OK=1)

    def test_the_model_is_the_shadows(self):
        self.serve("mirror: {backend: two, model: {name: next}}",
                   "[{name: a, backend: one, model: {name: arm}}]")
        stream = self.c.request(path=MODEL_PATH)
        self.c.data(stream, b"\0\0\0\0\x08\x0a\x06caller", end=True)
        served, copy = self.one.next_request(), self.two.next_request()
        self.assertEqual(self.one.finish(served).body,
                         b"\0\0\0\0\x0d\x0a\x06caller\x0a\x03arm")
        self.assertEqual(self.two.finish(copy).body,
                         b"\0\0\0\0\x0e\x0a\x06caller\x0a\x04next")

    def test_what_was_held_for_the_model_name_is_copied_too(self):
        config = self.TRAFFIC_CONFIG.replace("service: {model}",
                                             "service: {model}, model: ranker")
        with mock.patch.object(RetryTest, "TRAFFIC_CONFIG", config):
            self.serve(self.MIRROR)
        stream = self.c.request(path=MODEL_PATH)
        body = b"\0\0\0\0\x08\x0a\x06ranker"
        self.c.data(stream, body[:9])
        self.c.data(stream, body[9:], end=True)
        served, copy = self.one.next_request(), self.two.next_request()
        self.assertEqual(self.one.finish(served).body, body)
        self.assertEqual(self.two.finish(copy).body, body)

    def test_a_shadow_that_does_not_read_is_cut(self):
        self.serve(self.MIRROR, more="limits: {stream_window: 32KiB}")
        stream = self.c.request()
        served = self.one.next_request()
        copy = self.two.next_request()
        sent = 0
        while self.two.on(copy).reset is None:
            self.c.data(stream, b"x" * 8000)
            sent += 8000
            self.one.until_body(served, sent)
            self.one.window(0, 8000)
            self.one.window(served, 8000)
            self.c.sync()
            self.two.sync()
            self.assertLess(sent, 1 << 20)
        self.assertEqual(self.two.on(copy).reset, h2.CANCEL)
        # The window that the shadow gave, and what waits at most.
        self.assertGreater(sent, 65_535)
        self.c.data(stream, b"end", end=True)
        self.one.finish(served)
        self.one.answer(served)
        self.assertEqual(self.c.finish(stream).body, b"answer")
        self.codes(overflow=1)

    def test_a_shadow_that_is_not_there(self):
        self.serve(self.MIRROR)
        self.listeners["two"].close()
        self.two.close()
        for _ in range(3):
            stream = self.c.request()
            self.c.data(stream, b"message", end=True)
            served = self.one.next_request()
            self.assertEqual(self.one.finish(served).body, b"message")
            self.one.answer(served)
            self.assertEqual(self.c.finish(stream).body, b"answer")
        self.codes(UNAVAILABLE=3)
        self.assert_counted(OK=3)

    def test_a_shadow_that_resets_or_breaks_http2(self):
        self.serve(self.MIRROR)
        stream = self.c.request(end=True)
        served = self.one.next_request()
        self.two.reset(self.two.next_request(), h2.INTERNAL_ERROR)
        self.two.sync()
        self.one.answer(served)
        self.assertEqual(self.c.finish(stream).body, b"answer")
        stream = self.c.request(end=True)
        served = self.one.next_request()
        self.two.next_request()
        self.two.raw(b"\xff" * 100)
        self.two.until_lost()
        self.one.answer(served)
        self.assertEqual(self.c.finish(stream).body, b"answer")
        self.codes(INTERNAL=1, UNAVAILABLE=1)

    def test_a_client_that_gives_up(self):
        """The copy of a whole request goes on, that of a part does not."""
        self.serve(self.MIRROR)
        whole, part = self.c.request(end=True), self.c.request()
        self.c.data(part, b"part")
        whole_copy, part_copy = self.two.next_request(), self.two.next_request()
        self.two.until_body(part_copy, 4)
        self.c.reset(part, h2.CANCEL)
        self.c.reset(whole, h2.CANCEL)
        self.assertEqual(self.two.until_reset(part_copy), h2.CANCEL)
        self.two.answer(whole_copy)
        self.codes(OK=1, CANCELLED=1)

    def test_the_callers_deadline_holds_for_the_copy(self):
        self.serve(self.MIRROR)
        stream = self.c.request(end=True, more=[("grpc-timeout", "100m")])
        copy = self.two.next_request()
        self.one.answer(self.one.next_request())
        self.assertEqual(self.c.finish(stream).body, b"answer")
        self.assertEqual(self.two.until_reset(copy), h2.CANCEL)
        self.codes(DEADLINE_EXCEEDED=1)

    def test_a_share_of_nothing_copies_nothing(self):
        self.serve("mirror: {backend: two, share: 0}")
        for _ in range(20):
            stream = self.c.request(end=True)
            self.one.answer(self.one.next_request())
            self.c.finish(stream)
        self.two.sync()
        self.assertEqual(self.two.requests, [])

    def test_a_share(self):
        self.serve("mirror: {backend: two, share: 0.5}")
        for _ in range(400):
            stream = self.c.request(end=True)
            self.one.answer(self.one.next_request())
            self.c.finish(stream)
        self.two.sync()
        # Six standard deviations.
        self.assertLess(abs(len(self.two.requests) - 200), 60)


if __name__ == "__main__":
    unittest.main()
