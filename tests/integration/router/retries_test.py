# SPDX-License-Identifier: Apache-2.0
"""What is tried again, where, and what the decision then says.

| the try | with `retry` | without |
|---|---|---|
| is refused | again at once | UNAVAILABLE |
| UNAVAILABLE or 503, and nothing else | again after a pause | as answered |
| its connection breaks | again after a pause | UNAVAILABLE |
| brings nothing in per_try_timeout | again at once | waits |
| anything after the first response byte | as it came | as it came |
| fails as the last one, `fallback` | another arm | |
"""

import base64
import select
import socket
import struct
import unittest

import http2_peer as h2
from http2_peer import EdgeTest, Peer, TIMEOUT

MODEL_PATH = "/inference.GRPCInferenceService/ModelInfer"


def propensity(token):
    """Of a decision token; docs/token.md has the layout."""
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    at = 5  # Behind version and experiment: the epoch, a varint.
    while raw[at] & 0x80:
        at += 1
    at += 2  # The arm.
    return struct.unpack("<d", raw[at : at + 8])[0]


class RetryTest(EdgeTest):
    """Backends `one`, `two` and `three` are played by the test."""

    TRAFFIC_CONFIG = """
workers: 1
state: 'memory:'
backends:
{backends}
learner: {{tick: 10ms}}
{more}
experiments:
  - name: edge
    match: [{{service: edge.Service}}, {{service: {model}}}]
    arms: {arms}
    policy: {{name: fixed_split}}
    metrics: [{{name: click, kind: binary}}]
    {experiment}
"""

    def serve(self, experiment="", arms="[{name: one, backend: one}]",
              more="", outliers=True):
        self.listeners = {}
        backends = ""
        keep = "" if outliers else ", outliers: {consecutive_failures: 0}"
        for name in ("one", "two", "three"):
            listener = socket.create_server(("127.0.0.1", 0), backlog=64)
            listener.settimeout(TIMEOUT)
            self.addCleanup(listener.close)
            self.listeners[name] = listener
            port = listener.getsockname()[1]
            backends += f"  {name}: {{address: '127.0.0.1:{port}'{keep}}}\n"
        self.proxy = self.router(self.TRAFFIC_CONFIG.format(
            backends=backends, arms=arms, experiment=experiment, more=more,
            model=MODEL_PATH.split("/")[1]))
        self.peers = {name: self.accept_at(name) for name in self.listeners}
        self.one, self.two, self.three = self.peers.values()
        self.c = self.connect()

    def accept_at(self, name):
        sock, _ = self.listeners[name].accept()
        peer = Peer(sock, client=False)
        self.addCleanup(peer.close)
        return peer

    def unavailable(self, peer, stream):
        """UNAVAILABLE and nothing else."""
        peer.respond(stream, [("grpc-status", "14"),
                              ("grpc-message", "busy")], end=True)

    @staticmethod
    def hear(*peers):
        """Reads a frame from one of them that has sent something."""
        for peer in peers:
            size = int.from_bytes(peer.buffer[:3], "big") + 9
            if len(peer.buffer) >= max(size, 9):
                peer.read_frame()
                return
        ready, _, _ = select.select([p.sock for p in peers], [], [], TIMEOUT)
        assert ready, "nothing was heard"
        next(p for p in peers if p.sock in ready).read_frame()

    def first_to_hear(self, *peers):
        """The one that gets a request first."""
        while True:
            for peer in peers:
                if len(peer.requests) > getattr(peer, "taken", 0):
                    return peer
            self.hear(*peers)


class SafeToRepeat(RetryTest):
    RETRY = "retry: {attempts: 3}"

    def test_a_refused_stream_is_sent_again_whole(self):
        self.serve(self.RETRY)
        stream = self.c.request(more=[("x-a", "b")])
        self.c.data(stream, b"first ")
        first = self.one.next_request()
        self.one.until_body(first, 6)
        self.one.reset(first, h2.REFUSED_STREAM)
        again = self.one.next_request()
        self.c.data(stream, b"second", end=True)
        message = self.one.finish(again)
        self.assertEqual(message.body, b"first second")
        self.assertEqual(message.get("x-a"), "b")
        self.one.answer(again)
        answer = self.c.finish(stream)
        self.assertEqual(answer.body, b"answer")
        self.assertEqual(answer.get("grpc-status"), "0")
        self.assert_counted(OK=1)
        self.assert_metric("bandit_retries_total", 1, reason="refused",
                           experiment="edge")

    def test_unavailable_alone_is_tried_again_and_the_last_one_passes(self):
        self.serve(self.RETRY)
        stream = self.c.request(end=True)
        for _ in range(3):
            self.unavailable(self.one, self.one.next_request())
        message = self.c.finish(stream)
        self.assertEqual(message.get("grpc-status"), "14")
        self.assertEqual(message.get("grpc-message"), "busy")
        self.assert_counted(UNAVAILABLE=1)
        self.assert_metric("bandit_retries_total", 2, reason="unavailable")

    def test_http_503_is_tried_again_before_its_body(self):
        self.serve(self.RETRY)
        stream = self.c.request(end=True, grpc=False)
        first = self.one.next_request()
        self.one.respond(first, status="503", grpc=False)
        self.assertEqual(self.one.until_reset(first), h2.CANCEL)
        again = self.one.next_request()
        self.one.respond(again, status="200", grpc=False)
        self.one.data(again, b"page", end=True)
        self.assertEqual(self.c.finish(stream).body, b"page")
        self.assert_counted(HTTP_200=1)

    def test_a_connection_that_breaks_before_the_response(self):
        self.serve(self.RETRY, outliers=False)
        stream = self.c.request(end=True)
        self.one.next_request()
        self.one.close()
        self.one = self.accept_at("one")
        self.one.answer(self.one.next_request())
        self.assertEqual(self.c.finish(stream).body, b"answer")
        self.assert_metric("bandit_retries_total", 1, reason="broken")

    def test_what_goaway_left_out_is_tried_again(self):
        self.serve(self.RETRY)
        stream = self.c.request(end=True)
        self.one.next_request()
        self.one.say_goaway(0)
        self.one = self.accept_at("one")
        self.one.answer(self.one.next_request())
        self.assertEqual(self.c.finish(stream).body, b"answer")
        self.assert_metric("bandit_retries_total", 1, reason="refused")

    def test_nothing_within_the_time_of_a_try(self):
        self.serve("retry: {attempts: 2, per_try_timeout: 100ms}")
        stream = self.c.request(end=True)
        first = self.one.next_request()
        again = self.one.next_request()
        self.assertEqual(self.one.until_reset(first), h2.CANCEL)
        self.one.answer(again)
        self.assertEqual(self.c.finish(stream).body, b"answer")
        self.assert_metric("bandit_retries_total", 1, reason="timeout")

    def test_the_last_try_that_brings_nothing_ends_the_call(self):
        self.serve("retry: {attempts: 2, per_try_timeout: 50ms}")
        stream = self.c.request(end=True)
        message = self.c.finish(stream)
        self.assertEqual(message.get("grpc-status"), "4")
        self.assertIn("arm one, backend one: no response within "
                      "retry.per_try_timeout = 50 ms",
                      message.get("grpc-message"))
        self.assert_counted(DEADLINE_EXCEEDED=1)

    def test_a_response_that_has_begun_is_waited_for(self):
        self.serve("retry: {attempts: 2, per_try_timeout: 50ms}")
        stream = self.c.request(end=True, more=[("grpc-timeout", "300m")])
        served = self.one.next_request()
        self.one.respond(served)
        # Its deadline comes long after the try's time.
        self.assertEqual(self.c.finish(stream).get("grpc-status"), "4")
        self.assertEqual(len(self.one.requests), 1)

    def test_a_client_that_gives_up_in_the_pause_is_not_tried_for(self):
        self.serve("retry: {attempts: 10, min_retries: 100}")
        stream = self.c.request(end=True)
        self.unavailable(self.one, self.one.next_request())
        self.c.reset(stream, h2.CANCEL)
        other = self.c.request(end=True, more=[("x-a", "other")])
        while True:
            served = self.one.next_request()
            if self.one.on(served).get("x-a") == "other":
                break
        self.one.answer(served)
        self.assertEqual(self.c.finish(other).body, b"answer")
        self.assert_counted(OK=1, CANCELLED=1)


class NotSafeToRepeat(RetryTest):
    RETRY = "retry: {attempts: 3}"

    def once(self, status):
        self.assertEqual(len(self.one.requests), 1)
        self.assert_metric("bandit_requests_total", 1, code=status)
        self.assertEqual(self.metrics("bandit_retries_total"), 0)

    def test_unavailable_after_headers(self):
        self.serve(self.RETRY)
        stream = self.c.request(end=True)
        served = self.one.next_request()
        self.one.respond(served)
        self.one.trailers(served, "14")
        self.assertEqual(self.c.finish(stream).get("grpc-status"), "14")
        self.once("UNAVAILABLE")

    def test_another_status(self):
        self.serve(self.RETRY)
        stream = self.c.request(end=True)
        self.one.respond(self.one.next_request(), [("grpc-status", "13")],
                         end=True)
        self.assertEqual(self.c.finish(stream).get("grpc-status"), "13")
        self.once("INTERNAL")

    def test_a_reset_that_does_not_say_refused(self):
        self.serve(self.RETRY)
        stream = self.c.request(end=True)
        self.one.reset(self.one.next_request(), h2.INTERNAL_ERROR)
        self.assertEqual(self.c.finish(stream).get("grpc-status"), "13")
        self.once("INTERNAL")

    def test_a_body_longer_than_the_window_that_was_let_go(self):
        self.serve(self.RETRY, more="limits: {stream_window: 16KiB}")
        stream = self.c.request()
        served = self.one.next_request()
        for _ in range(3):
            self.c.data(stream, b"x" * 10_000)
            self.c.sync()
        self.one.until_body(served, 30_000)
        self.one.reset(served, h2.REFUSED_STREAM)
        self.assertEqual(self.c.finish(stream).get("grpc-status"), "14")
        self.once("UNAVAILABLE")

    def test_without_retry(self):
        self.serve()
        stream = self.c.request(end=True)
        self.one.reset(self.one.next_request(), h2.REFUSED_STREAM)
        self.assertEqual(self.c.finish(stream).get("grpc-status"), "14")
        self.once("UNAVAILABLE")

    def test_a_retry_that_the_deadline_would_not_let_finish(self):
        """The failure is answered at once, and not the deadline later."""
        self.serve("retry: {attempts: 10}")
        stream = self.c.request(end=True, more=[("grpc-timeout", "1m")])
        # 1 ms is less than the shortest pause; but the wheel ticks.
        message = self.c.finish(stream)
        self.assertIn(message.get("grpc-status"), ("4", "14"))


class Budget(RetryTest):
    def test_beyond_the_budget_a_failure_stands(self):
        self.serve("retry: {attempts: 2, budget: 0, min_retries: 1}")
        first = self.c.request(end=True)
        self.one.reset(self.one.next_request(), h2.REFUSED_STREAM)
        again = self.one.next_request()  # The only one allowed.
        second = self.c.request(end=True)
        self.one.reset(self.one.next_request(), h2.REFUSED_STREAM)
        self.assertEqual(self.c.finish(second).get("grpc-status"), "14")
        self.one.answer(again)
        self.assertEqual(self.c.finish(first).body, b"answer")
        self.assert_metric("bandit_retries_denied_total", 1,
                           experiment="edge")
        # It is free again.
        third = self.c.request(end=True)
        self.one.reset(self.one.next_request(), h2.REFUSED_STREAM)
        self.one.answer(self.one.next_request())
        self.assertEqual(self.c.finish(third).body, b"answer")


class TimeLimits(RetryTest):
    @staticmethod
    def nanoseconds(timeout):
        units = {"n": 1, "u": 10**3, "m": 10**6, "S": 10**9}
        return int(timeout[:-1]) * units[timeout[-1]]

    def test_the_experiments_timeout_holds_and_the_backend_learns_of_it(self):
        self.serve("timeout: 200ms")
        stream = self.c.request(end=True, more=[("grpc-timeout", "10S")])
        served = self.one.next_request()
        timeout = self.one.on(served).get("grpc-timeout")
        self.assertLessEqual(self.nanoseconds(timeout), 200 * 10**6)
        message = self.c.finish(stream)
        self.assertEqual(message.get("grpc-status"), "4")
        self.assertIn("the experiment's timeout of 200 ms",
                      message.get("grpc-message"))
        self.assertEqual(self.one.until_reset(served), h2.CANCEL)

    def test_without_the_callers_it_is_the_backends(self):
        self.serve("timeout: 5s")
        stream = self.c.request(end=True)
        served = self.one.next_request()
        timeout = self.one.on(served).get("grpc-timeout")
        self.assertLessEqual(self.nanoseconds(timeout), 5 * 10**9)
        self.one.answer(served)
        self.assertEqual(self.c.finish(stream).body, b"answer")

    def test_a_shorter_one_of_the_caller_passes_as_it_came(self):
        self.serve("timeout: 20s")
        stream = self.c.request(end=True, more=[("grpc-timeout", "150m")])
        served = self.one.next_request()
        self.assertEqual(self.one.on(served).get("grpc-timeout"), "150m")
        message = self.c.finish(stream)
        self.assertEqual(message.get("grpc-status"), "4")
        self.assertIn("grpc-timeout 150m", message.get("grpc-message"))

    def test_a_further_try_has_what_is_left(self):
        self.serve("retry: {attempts: 2}")
        stream = self.c.request(end=True, more=[("grpc-timeout", "10S")])
        first = self.one.next_request()
        self.assertEqual(self.one.on(first).get("grpc-timeout"), "10S")
        self.one.reset(first, h2.REFUSED_STREAM)
        again = self.one.next_request()
        self.assertLess(
            self.nanoseconds(self.one.on(again).get("grpc-timeout")),
            10 * 10**9)
        self.one.answer(again)
        self.assertEqual(self.c.finish(stream).body, b"answer")


class Fallback(RetryTest):
    ARMS = "[{name: a, backend: one, weight: 1}, " \
        "{name: b, backend: two, weight: 0}, {name: c, backend: three, " \
        "weight: 0}]"

    def test_the_last_try_goes_to_another_arm_which_gets_the_credit(self):
        self.serve("retry: {attempts: 2, fallback: true}", self.ARMS)
        stream = self.c.request()
        self.c.data(stream, b"message", end=True)
        first = self.one.next_request()
        self.one.finish(first)
        self.one.reset(first, h2.REFUSED_STREAM)
        # Which one is drawn; the other hears nothing.
        ready = self.first_to_hear(self.two, self.three)
        served = ready.next_request()
        self.assertEqual(ready.finish(served).body, b"message")
        ready.answer(served)
        message = self.c.finish(stream)
        arm = "b" if ready is self.two else "c"
        self.assertEqual(message.get("x-bandit-arm"), arm)
        # b and c had no weight: their draw is even.
        self.assertEqual(propensity(message.get("x-bandit-decision")), 0.5)
        self.assert_metric("bandit_fallbacks_total", 1, experiment="edge",
                           to=arm, **{"from": "a"})
        self.assert_metric("bandit_requests_total", 1, arm=arm, code="OK")
        self.assert_metric("bandit_arm_decisions", 1, arm=arm)
        self.assertEqual(self.metrics("bandit_arm_decisions", arm="a"), 0)
        self.assertEqual(self.metrics("bandit_requests_in_flight"), 0)

    def test_shares_are_those_that_the_rest_had(self):
        """2, 1 and 3: without a they are 1/4 and 3/4."""
        arms = "[{name: a, backend: one, weight: 2}, " \
            "{name: b, backend: two, weight: 1}, " \
            "{name: c, backend: three, weight: 3}]"
        self.serve("retry: {attempts: 2, fallback: true, min_retries: 100}",
                   arms)
        seen = {}
        while not {("a", "b"), ("a", "c")} <= set(seen):
            stream = self.c.request(end=True)
            peer = self.first_to_hear(self.one, self.two, self.three)
            served = peer.next_request()
            fell = peer is self.one
            if fell:
                peer.reset(served, h2.REFUSED_STREAM)
                peer = self.first_to_hear(self.two, self.three)
                served = peer.next_request()
            peer.answer(served)
            message = self.c.finish(stream)
            arm = message.get("x-bandit-arm")
            seen["a" if fell else "", arm] = propensity(
                message.get("x-bandit-decision"))
        self.assertAlmostEqual(seen["a", "b"], 0.25)
        self.assertAlmostEqual(seen["a", "c"], 0.75)
        if ("", "b") in seen:
            self.assertAlmostEqual(seen["", "b"], 1 / 6)

    def test_each_arm_gets_its_own_override(self):
        arms = "[{name: a, backend: one, weight: 1, model: {name: first}}, " \
            "{name: b, backend: two, weight: 0, model: {name: second}}]"
        self.serve("retry: {attempts: 2, fallback: true}", arms)
        stream = self.c.request(path=MODEL_PATH)
        self.c.data(stream, b"\0\0\0\0\x08\x0a\x06caller", end=True)
        first = self.one.next_request()
        self.assertEqual(
            self.one.finish(first).body,
            b"\0\0\0\0\x0f\x0a\x06caller\x0a\x05first")
        self.one.reset(first, h2.REFUSED_STREAM)
        served = self.two.next_request()
        self.assertEqual(
            self.two.finish(served).body,
            b"\0\0\0\0\x10\x0a\x06caller\x0a\x06second")
        self.two.answer(served)
        self.assertEqual(self.c.finish(stream).get("x-bandit-arm"), "b")

    def test_no_connection_goes_to_another_arm_at_once(self):
        self.serve("retry: {attempts: 10, fallback: true}",
                   "[{name: a, backend: one, weight: 1}, "
                   "{name: b, backend: two, weight: 0}]")
        self.listeners["one"].close()
        self.one.close()
        for _ in range(3):
            stream = self.c.request(end=True)
            served = self.two.next_request()
            self.two.answer(served)
            message = self.c.finish(stream)
            self.assertEqual(message.get("grpc-status"), "0")
            self.assertEqual(message.get("x-bandit-arm"), "b")

    def test_when_the_other_arm_fails_too_the_answer_names_it(self):
        self.serve("retry: {attempts: 2, fallback: true}",
                   "[{name: a, backend: one, weight: 1}, "
                   "{name: b, backend: two, weight: 0}]")
        stream = self.c.request(end=True)
        self.one.reset(self.one.next_request(), h2.REFUSED_STREAM)
        self.two.reset(self.two.next_request(), h2.REFUSED_STREAM)
        message = self.c.finish(stream)
        self.assertEqual(message.get("grpc-status"), "14")
        self.assertIn("arm b, backend two: ", message.get("grpc-message"))
        self.assertEqual(message.get("x-bandit-arm"), "b")
        self.assert_metric("bandit_requests_total", 1, arm="b",
                           code="UNAVAILABLE")


class DeadArms(RetryTest):
    """An arm without an endpoint leaves the distribution."""

    def kill(self, *names):
        for name in names:
            self.listeners[name].close()
            self.peers[name].close()

    def test_it_is_not_drawn_and_the_others_have_its_share(self):
        self.serve(arms="[{name: a, backend: one, weight: 3}, "
                   "{name: b, backend: two, weight: 1}]")
        self.kill("one")
        healthy = 0
        for _ in range(100_000):
            stream = self.c.request(end=True)
            while not self.two.requests and not self.c.on(stream).ended:
                self.hear(self.c, self.two)
            if self.two.requests:
                self.two.answer(self.two.requests.pop())
            message = self.c.finish(stream)
            token = message.get("x-bandit-decision")
            if message.get("x-bandit-arm") == "b" and \
                    propensity(token) == 1:
                healthy += 1
                if healthy == 20:
                    break
            else:
                # Drawn before the router knew.
                self.assertIn(propensity(token), (0.75, 0.25))
        self.assertEqual(healthy, 20)

    def test_without_any_the_last_resort_is_tried(self):
        self.serve(
            "last_resort: b",
            arms="[{name: a, backend: one, weight: 1}, "
            "{name: b, backend: two, weight: 0}]")
        self.kill("one", "two")
        # First a is out, then b, too.
        name = "bandit_last_resort_total"
        for _ in range(10_000):
            before = self.metrics(name, experiment="edge")
            message = self.c.finish(self.c.request(end=True))
            self.assertEqual(message.get("grpc-status"), "14")
            if before:
                break
        self.assertGreater(before, 0)
        self.assertEqual(message.get("x-bandit-arm"), "b")
        self.assertEqual(propensity(message.get("x-bandit-decision")), 1)
        self.assertIn("arm b, backend two: ", message.get("grpc-message"))


if __name__ == "__main__":
    unittest.main()
