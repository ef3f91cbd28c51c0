# SPDX-License-Identifier: Apache-2.0
"""Synchronous calls through the real router: what they carry, what is caught."""

import concurrent.futures
import contextvars
import threading
import unittest

import grpc
from bandit_router import (
    AmbiguousDecision,
    NoCall,
    Purpose,
    Submitted,
    experiment_id,
    hash_unit,
)
from support import SECONDS, ClientTest, bytes_call, model_metadata


class CallsTest(ClientTest):
    def setUp(self):
        super().setUp()
        self.bandit = self.client(self.start().listen)
        self.channel = self.bandit.channel

    def echo(self, message=b"x", **arguments):
        return bytes_call(self.channel, "Echo")(
            message, timeout=SECONDS, **arguments
        )

    def sent(self):
        """The metadata of the only call that a model had."""
        calls = self.a.requests + self.b.requests
        self.assertEqual(len(calls), 1)
        return dict(calls[0][1])

    def test_unit_and_features_go_along_and_the_decision_comes_back(self):
        with self.bandit.context(
            unit="alice", features={"device": "ios", "prompt_tokens": 42}
        ) as decision:
            self.assertEqual(self.echo(), b"x")
        sent = self.sent()
        self.assertEqual(sent["x-user-id"], "alice")
        self.assertEqual(sent["x-device"], "ios")
        self.assertEqual(sent["x-prompt-tokens"], "42")
        self.assertIn(decision.arm, ("control", "candidate"))
        self.assertEqual(decision.experiment, "ranker")
        fields = decision.last.fields()
        self.assertEqual(fields.experiment, experiment_id("ranker"))
        self.assertEqual(fields.unit, hash_unit(Purpose.ARM, "ranker", "alice"))
        self.assertEqual(fields.arm, int(decision.arm == "candidate"))
        # The intercept; ios and web; the number.
        self.assertEqual(fields.features, (1, 1, 0, 42))

    def test_a_reward_is_accepted(self):
        with self.bandit.context(unit="alice") as decision:
            self.echo()
        self.assertIs(decision.reward(click=1, spend=2.5), Submitted.QUEUED)
        self.assertEqual(self.bandit.flush(SECONDS), [])
        stats = self.bandit.stats()
        self.assertEqual((stats.submitted, stats.accepted), (2, 2))

    def test_a_value_alone_is_for_the_reward_metric(self):
        with self.bandit.context(unit="alice") as decision:
            self.echo()
        decision.reward(1)
        decision.reward(click=1)
        self.assertEqual(self.bandit.flush(SECONDS), [])
        stats = self.bandit.stats()
        self.assertEqual((stats.accepted, stats.duplicate), (1, 1))

    def test_futures_and_the_four_kinds_of_calls(self):
        def unary():
            return bytes_call(self.channel, "Echo").future(b"x").result()

        def server_stream():
            call = bytes_call(self.channel, "ServerStream", "unary_stream")
            return b"".join(call(b"3 1"))

        def client_stream():
            call = bytes_call(self.channel, "ClientStream", "stream_unary")
            return call(iter([b"x", b"yz"]))

        def client_stream_future():
            call = bytes_call(self.channel, "ClientStream", "stream_unary")
            return call.future(iter([b"x", b"yz"])).result()

        def bidi():
            call = bytes_call(self.channel, "Bidi", "stream_stream")
            return b"".join(call(iter([b"x", b"yz"])))

        for call, answer in (
            (unary, b"x"),
            (server_stream, b"sss"),
            (client_stream, b"3"),
            (client_stream_future, b"3"),
            (bidi, b"xyz"),
        ):
            with self.subTest(call.__name__):
                with self.bandit.context(unit="bob") as decision:
                    self.assertEqual(call(), answer)
                self.assertEqual(
                    decision.last.fields().unit,
                    hash_unit(Purpose.ARM, "ranker", "bob"),
                )
                self.assertTrue(decision.reward(click=1))
        self.assertEqual(self.bandit.flush(SECONDS), [])
        self.assertEqual(self.bandit.stats().accepted, 5)

    def test_a_streams_decision_is_known_while_it_is_open(self):
        more = threading.Event()
        self.addCleanup(more.set)

        def requests():
            yield b"first"
            more.wait(SECONDS)
            yield b"second"

        with self.bandit.context(unit="bob") as decision:
            call = bytes_call(self.channel, "Bidi", "stream_stream")(requests())
            self.assertEqual(next(call), b"first")
            self.assertIsNotNone(decision.token)
            more.set()
            self.assertEqual(next(call), b"second")

    def test_the_decision_of_a_failed_call_is_caught(self):
        """The model fails without a header: trailers alone."""
        for method, kind in (
            ("Fail", "unary_unary"), ("Fail", "unary_stream"),
        ):
            with self.subTest(kind):
                with self.bandit.context(unit="alice") as decision:
                    with self.assertRaises(grpc.RpcError) as raised:
                        answer = bytes_call(self.channel, method, kind)(
                            b"x", timeout=SECONDS
                        )
                        list(answer)
                self.assertIs(
                    raised.exception.code(),
                    grpc.StatusCode.FAILED_PRECONDITION,
                )
                self.assertEqual(decision.experiment, "ranker")
                self.assertTrue(decision.reward(click=0))

    def test_what_the_call_itself_says_counts(self):
        with self.bandit.context(unit="alice", features={"device": "web"}):
            self.echo(metadata=(("x-user-id", "bob"), ("x-more", "1")))
        sent = self.sent()
        self.assertEqual(
            (sent["x-user-id"], sent["x-more"], sent["x-device"]),
            ("bob", "1", "web"),
        )

    def test_outside_of_a_context_a_call_passes_as_it_is(self):
        self.echo(metadata=(("x-more", "1"),))
        sent = self.sent()
        self.assertNotIn("x-user-id", sent)
        self.assertEqual(sent["x-more"], "1")

    def test_inner_contexts_add_to_outer_ones(self):
        with self.bandit.context("alice", {"device": "ios"}) as outer:
            with self.bandit.context(
                features={"prompt_tokens": 3}
            ) as inner:
                self.echo()
        sent = self.sent()
        self.assertEqual(
            (sent["x-user-id"], sent["x-device"], sent["x-prompt-tokens"]),
            ("alice", "ios", "3"),
        )
        self.assertEqual(len(inner.decisions), 1)
        self.assertEqual(outer.decisions, [])

    def test_another_clients_context_is_not_for_this_channel(self):
        other = self.client(self.bandit._target)
        with self.bandit.context("alice") as mine:
            with other.context("bob") as others:
                self.echo()
        self.assertEqual(self.sent()["x-user-id"], "alice")
        self.assertEqual((len(mine.decisions), others.decisions), (1, []))

    def test_threads_have_contexts_of_their_own(self):
        """Fifty at once, each with its unit; a pool's thread sees none."""

        def one(i):
            with self.bandit.context(f"user-{i}") as decision:
                self.echo()
                self.echo()
            return [d.fields().unit for d in decision.decisions]

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            for i, units in enumerate(pool.map(one, range(50))):
                expected = hash_unit(Purpose.ARM, "ranker", f"user-{i}")
                self.assertEqual(units, [expected] * 2)
            with self.bandit.context("alice") as decision:
                pool.submit(self.echo).result()
                self.assertEqual(decision.decisions, [])
                run = contextvars.copy_context().run
                pool.submit(run, self.echo).result()
                self.assertEqual(len(decision.decisions), 1)

    def test_a_reward_for_no_call_at_all_is_a_mistake(self):
        with self.bandit.context("alice") as decision:
            pass
        with self.assertRaisesRegex(NoCall, "client.channel"):
            decision.reward(click=1)

    def test_a_call_that_no_experiment_takes_has_no_decision(self):
        with self.bandit.context("alice") as decision:
            self.channel.unary_unary("/other.Service/Echo")(b"x")
        with self.assertLogs("bandit_router", "WARNING") as logs:
            self.assertIs(decision.reward(click=1), Submitted.NO_DECISION)
        self.assertIn("`match`", logs.output[0])
        self.assertEqual(self.bandit.stats().no_decision, 1)
        self.assertIsNone(decision.last)

    def test_rewards_that_are_no_numbers_raise(self):
        with self.bandit.context("alice") as decision:
            self.echo()
        for wrong, error in (
            ({"click": float("nan")}, ValueError),
            ({"click": float("inf")}, ValueError),
            ({"click": "1"}, TypeError),
            ({}, ValueError),
        ):
            with self.subTest(wrong), self.assertRaises(error):
                decision.reward(**wrong)
        self.assertEqual(self.bandit.stats().submitted, 0)

    def test_a_context_cannot_be_entered_twice(self):
        scope = self.bandit.context("alice")
        with scope:
            pass
        with self.assertRaisesRegex(RuntimeError, "make another"), scope:
            pass


class OtherRoutersTest(ClientTest):
    def test_two_experiments_in_one_context_have_to_be_told_apart(self):
        second = """
  - name: ads
    match: {service: ads.Service}
    arms:
      - {name: control, backend: a}
      - {name: candidate, backend: b}
    policy: {name: thompson}
    metrics: [{name: click, kind: binary}]
"""
        bandit = self.client(self.start(tail=second).listen)
        with bandit.context("alice") as decision:
            bytes_call(bandit.channel, "Echo")(b"x")
            bandit.channel.unary_unary("/ads.Service/Echo")(b"x")
        with self.assertRaisesRegex(AmbiguousDecision, "ads, ranker"):
            decision.reward(click=1)
        self.assertTrue(decision.of_experiment("ads").reward(click=1))
        self.assertTrue(decision.of_experiment("ranker").reward(click=1))
        self.assertIsNone(decision.of_experiment("other"))
        self.assertEqual(bandit.flush(SECONDS), [])
        self.assertEqual(bandit.stats().accepted, 2)

    def test_overlays_have_decisions_of_their_own(self):
        overlays = """
  - name: prompt
    match: {service: inference.GRPCInferenceService}
    overlay: true
    arms:
      - {name: short, metadata: {x-prompt: short}}
      - {name: long, metadata: {x-prompt: long}}
    policy: {name: fixed_split}
    metrics: [{name: click, kind: binary}]
  - name: depth
    match: {service: inference.GRPCInferenceService}
    overlay: true
    draft: true
    arms: [{name: flat, metadata: {x-depth: "1"}}]
    policy: {name: fixed_split}
    metrics: [{name: click, kind: binary}]
"""
        bandit = self.client(self.start(tail=overlays).listen)
        with bandit.context("alice") as decision:
            bytes_call(bandit.channel, "Echo")(b"x")
        self.assertEqual(
            [d.experiment for d in decision.decisions],
            ["ranker", "prompt", "depth"],
        )
        self.assertEqual(decision.experiment, "ranker")
        self.assertEqual(
            [bool(d.token) for d in decision.decisions], [True, True, False]
        )
        self.assertEqual(decision.of_experiment("depth").uncounted, "draft")
        self.assertIn(decision.of_experiment("prompt").arm, ("short", "long"))
        # The one that chose the backend is meant unless another is named.
        self.assertTrue(decision.reward(click=1))
        self.assertTrue(decision.of_experiment("prompt").reward(click=0))
        self.assertEqual(bandit.flush(SECONDS), [])
        self.assertEqual(bandit.stats().accepted, 2)

    def test_a_request_that_is_not_counted_is_not_rewarded(self):
        draft = "    draft: true\n"
        bandit = self.client(self.start(more=draft).listen)
        with bandit.context("alice") as decision:
            bytes_call(bandit.channel, "Echo")(b"x")
        self.assertEqual(decision.arm, "control")
        self.assertIsNone(decision.token)
        self.assertEqual(decision.last.uncounted, "draft")
        self.assertIs(decision.reward(click=1), Submitted.UNCOUNTED)
        self.assertEqual(bandit.stats().uncounted, 1)

    def test_rewards_by_request_id(self):
        bandit = self.client(self.start(tail="\njoin: {}\n").listen)
        with bandit.context("alice", request_id="r-1"):
            bytes_call(bandit.channel, "Echo")(b"x")
        self.assertEqual(model_metadata(
            self.a if self.a.requests else self.b)["x-request-id"], "r-1")
        self.assertTrue(bandit.reward_request("r-1", click=1))
        self.assertEqual(bandit.flush(SECONDS), [])
        self.assertEqual(bandit.stats().accepted, 1)

    def test_a_channel_of_ones_own(self):
        router = self.start()
        with grpc.insecure_channel(router.listen) as channel:
            bandit = self.client(channel, rewards=router.control)
            with bandit.context("alice") as decision:
                bytes_call(bandit.channel, "Echo")(b"x")
            self.assertTrue(decision.reward(click=1))
            self.assertEqual(bandit.close(SECONDS), [])
            # Not the client's, so not closed with it.
            self.assertEqual(bytes_call(channel, "Echo")(b"x"), b"x")
        self.assertEqual(bandit.stats().accepted, 1)


if __name__ == "__main__":
    unittest.main()
