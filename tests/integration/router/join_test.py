# SPDX-License-Identifier: Apache-2.0
"""Rewards that name their decision by the id of its request."""

import signal
import threading
import time
import unittest
import urllib.request

import grpc

from harness import RouterTest, decide, field, outcomes, record, reward

METRICS = """
    metrics:
      - {name: click, kind: binary, window: 30m}
      - {name: rating, kind: continuous, window: 30m}
"""


def by_request(request_id, value, metric="", decision=""):
    """As harness.reward, with the request's id."""
    encoded = reward(decision, value, metric)
    body = encoded[2:] + field(4, request_id)
    return field(1, body)


class Case(RouterTest):
    def setUp(self):
        self.a = self.model("a")
        self.b = self.model("b")

    def config(self, join="join: {}", name="ranker"):
        return f"""
state: 'memory:'
backends:
  a: {{address: '{self.a.address}'}}
  b: {{address: '{self.b.address}'}}
learner: {{tick: 10ms}}
{join}
experiments:
  - name: {name}
    match: {{service: inference.GRPCInferenceService}}
    arms:
      - {{name: control, backend: a}}
      - {{name: candidate, backend: b}}
    policy: {{name: thompson}}
{METRICS}"""

    def start(self, **arguments):
        return self.router(self.config(**arguments))

    def ask(self, client, request_id, key="x-request-id", method="Echo"):
        """A request with that id; the token of its decision."""
        first, _ = decide(client, ((key, request_id),), method=method)
        return first["x-bandit-decision"]

    def metric(self, router, name):
        for line in self.metrics(router):
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        return None

    def decisions(self, router):
        return sum(
            float(line.rsplit(" ", 1)[1]) for line in self.metrics(router)
            if line.startswith("bandit_arm_decisions{")
        )

    def metrics(self, router):
        page = f"http://{router.admin}/metrics"
        with urllib.request.urlopen(page) as answer:
            return answer.read().decode().splitlines()

    def eventually(self, question):
        for _ in range(600):
            if question():
                return
            threading.Event().wait(0.05)
        self.fail("it did not come about within 30 s")


class Join(Case):
    def test_a_reward_at_once_after_the_response(self):
        """The reward is there before the learner has heard of the decision."""
        router = self.start(join="join: {}\nworkers: 2")
        client = self.channel(router)
        for i in range(200):
            self.ask(client, f"request-{i}")
            self.assertEqual(
                record(client, by_request(f"request-{i}", i % 2)), ["ACCEPTED"]
            )
        self.eventually(
            lambda: self.metric(router, "bandit_join_entries") == 200
        )
        self.assertGreater(self.metric(router, "bandit_join_bytes"), 200 * 40)
        self.assertEqual(
            self.metric(router, "bandit_join_unresolved_total"), 0
        )

    def test_an_unknown_id_delays_and_spoils_nothing(self):
        router = self.start()
        client = self.channel(router)
        token = self.ask(client, "known")
        self.assertEqual(
            record(
                client,
                by_request("unknown", 1),
                by_request("known", 1),
                by_request("", 1),
                by_request("x" * 257, 1),
                by_request("unknown", 1, decision=token, metric="rating"),
            ),
            ["UNKNOWN", "ACCEPTED", "REJECTED", "REJECTED", "ACCEPTED"],
        )
        self.eventually(
            lambda: self.metric(router, "bandit_join_unresolved_total") == 1
        )

    def test_once_by_token_and_by_id(self):
        client = self.channel(self.start())
        first = self.ask(client, "first")
        second = self.ask(client, "second")
        self.assertEqual(
            record(
                client, reward(first, 1), by_request("first", 1),
                by_request("first", 3, "rating"), reward(first, 3, "rating"),
            ),
            ["ACCEPTED", "DUPLICATE", "ACCEPTED", "DUPLICATE"],
        )
        self.assertEqual(record(client, by_request("second", 1)), ["ACCEPTED"])
        self.assertEqual(record(client, reward(second, 1)), ["DUPLICATE"])
        self.assertEqual(
            record(client, by_request("second", 1)), ["DUPLICATE"]
        )

    def test_a_request_that_fails_can_be_rewarded(self):
        client = self.channel(self.start())
        with self.assertRaises(grpc.RpcError):
            self.ask(client, "failed", method="Fail")
        self.assertEqual(record(client, by_request("failed", 0)), ["ACCEPTED"])

    def test_a_retry_takes_the_id_over(self):
        router = self.start()
        client = self.channel(router)
        first = self.ask(client, "same")
        second = self.ask(client, "same")
        # The learner has heard of both.
        self.eventually(lambda: self.decisions(router) == 2)
        self.assertEqual(record(client, by_request("same", 1)), ["ACCEPTED"])
        self.assertEqual(
            record(client, reward(second, 1), reward(first, 1)),
            ["DUPLICATE", "ACCEPTED"],
        )

    def test_after_the_window_it_is_unknown(self):
        router = self.start(join="join: {window: 1s}")
        client = self.channel(router)
        token = self.ask(client, "old")
        decided = time.monotonic()
        self.eventually(lambda: self.metric(router, "bandit_join_entries") == 1)
        self.eventually(lambda: self.metric(router, "bandit_join_entries") == 0)
        self.assertGreater(time.monotonic() - decided, 0.5)
        self.assertEqual(record(client, by_request("old", 1)), ["UNKNOWN"])
        self.assertEqual(record(client, reward(token, 1)), ["ACCEPTED"])

    def test_the_key_is_configured(self):
        client = self.channel(self.start(join="join: {metadata: x-trace}"))
        self.ask(client, "one", key="x-trace")
        self.ask(client, "two")
        self.assertEqual(
            record(client, by_request("one", 1), by_request("two", 1)),
            ["ACCEPTED", "UNKNOWN"],
        )

    def test_a_stream_answers_in_order(self):
        client = self.channel(self.start())
        token = self.ask(client, "known")
        stream = client.stream_stream("/bandit.v1.Feedback/Stream")
        answers = stream(
            iter(
                [
                    by_request("unknown", 1),
                    reward(token, 1),
                    by_request("known", 1),
                ]
            ),
            timeout=60,
        )
        self.assertEqual(
            [outcomes(answer) for answer in answers],
            [["UNKNOWN"], ["ACCEPTED"], ["DUPLICATE"]],
        )

    def test_memory_is_bounded_and_what_is_dropped_is_counted(self):
        router = self.start(join="join: {memory: 1MiB}")
        client = self.channel(router)
        call = client.unary_unary("/inference.GRPCInferenceService/Echo")
        long = "r" * 250
        for start in range(0, 5000, 250):
            pending = [
                call.future(
                    b"", metadata=(("x-request-id", f"{long}{i}"),), timeout=60
                )
                for i in range(start, start + 250)
            ]
            for answer in pending:
                answer.result()
        self.eventually(
            lambda: 'bandit_join_dropped_total{reason="memory"} 0\n'
            not in urllib.request.urlopen(
                f"http://{router.admin}/metrics"
            ).read().decode()
        )
        self.assertLessEqual(
            self.metric(router, "bandit_join_bytes"), 1 << 20
        )
        self.assertEqual(
            record(
                client, by_request(f"{long}4999", 1), by_request(f"{long}0", 1)
            ),
            ["ACCEPTED", "UNKNOWN"],
        )


class Reload(Case):
    def reload(self, router, config):
        loads = router.logged().count("was loaded: ok")
        router.write(config)
        router.signal(signal.SIGHUP)
        self.eventually(
            lambda: router.logged().count("was loaded: ok") > loads
        )

    def test_off_unless_configured_and_changed_by_a_reload(self):
        router = self.start(join="")
        client = self.channel(router)
        self.ask(client, "a")
        self.assertEqual(record(client, by_request("a", 1)), ["REJECTED"])
        self.assertEqual(self.metric(router, "bandit_join_entries"), 0)
        self.reload(router, self.config())
        # Its plan, and so its notes, came with this request or before.
        self.assertEqual(record(client, by_request("a", 1)), ["UNKNOWN"])
        self.ask(client, "b")
        self.assertEqual(record(client, by_request("b", 1)), ["ACCEPTED"])
        self.reload(router, self.config(join=""))
        self.assertEqual(record(client, by_request("b", 1)), ["REJECTED"])

    def test_an_experiment_that_is_gone_is_unknown(self):
        router = self.start()
        client = self.channel(router)
        self.ask(client, "a")
        self.reload(router, self.config(name="other"))
        self.assertEqual(record(client, by_request("a", 1)), ["UNKNOWN"])

    def test_a_restart_forgets(self):
        key = "token_key: shared\n"
        router = self.router(key + self.config())
        token = self.ask(self.channel(router), "a")
        router.stop()
        client = self.channel(self.router(key + self.config()))
        self.assertEqual(
            record(client, by_request("a", 1), reward(token, 1)),
            ["UNKNOWN", "ACCEPTED"],
        )


if __name__ == "__main__":
    unittest.main()
