# SPDX-License-Identifier: Apache-2.0
"""Decisions, rewards, and what the split learns from them."""

import collections
import os
import random
import signal
import subprocess
import tempfile
import threading
import unittest
import urllib.error
import urllib.request

import grpc

from harness import BINARY, RouterTest, decide, field, outcomes, record, reward

METRICS = """
    metrics:
      - {name: click, kind: binary, window: 30m}
      - {name: spend, kind: continuous, min: 0}
"""


def config(a, b, policy="{name: thompson, floor: 0.02}", more="",
           state="memory:", metrics=METRICS):
    return f"""
state: '{state}'
backends:
  a: {{address: '{a.address}'}}
  b: {{address: '{b.address}'}}
learner: {{tick: 10ms}}
experiments:
  - name: ranker
    match: {{service: inference.GRPCInferenceService}}
    arms:
      - {{name: control, backend: a, weight: 90}}
      - {{name: candidate, backend: b, weight: 10}}
    policy: {policy}
{more}{metrics}"""


class Case(RouterTest):
    def setUp(self):
        self.a = self.model("a")
        self.b = self.model("b")

    def start(self, **arguments):
        return self.router(config(self.a, self.b, **arguments))

    def get(self, router, path):
        with urllib.request.urlopen(f"http://{router.admin}{path}") as page:
            return page.read().decode()

    def metric(self, router, name, **labels):
        """The sample whose labels include these."""
        for line in self.get(router, "/metrics").splitlines():
            if line.startswith(name + "{") or line.startswith(name + " "):
                if all(f'{k}="{v}"' in line for k, v in labels.items()):
                    return float(line.rsplit(" ", 1)[1])
        return None

    def run_router(self, text, *flags):
        """One that is to end by itself."""
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "r.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            return subprocess.run(
                [BINARY, "--config", path, *flags], capture_output=True,
                text=True, timeout=60, check=False,
            )

    def eventually(self, question):
        for _ in range(600):
            if question():
                return
            threading.Event().wait(0.05)
        self.fail("it did not come about within 30 s")


class Decisions(Case):
    def test_a_response_says_what_was_decided(self):
        client = self.channel(self.start())
        first, _ = decide(client)
        self.assertEqual(first["x-bandit-experiment"], "ranker")
        arm = first["x-bandit-arm"]
        self.assertEqual(
            first["x-served-by"], {"control": "a", "candidate": "b"}[arm]
        )
        self.assertRegex(first["x-bandit-decision"], r"^[A-Za-z0-9_-]+$")

    def test_a_fixed_split_is_exact(self):
        client = self.channel(self.start(policy="{name: fixed_split}"))
        n = 3000
        call = client.unary_unary("/inference.GRPCInferenceService/Echo")
        pending = [call.future(b"", timeout=60) for _ in range(n)]
        arms = collections.Counter(
            dict(f.initial_metadata())["x-bandit-arm"] for f in pending
        )
        # 5 standard deviations of a binomial of 0.9.
        self.assertAlmostEqual(
            arms["control"] / n, 0.9, delta=5 * (0.9 * 0.1 / n) ** 0.5
        )

    def test_a_unit_keeps_its_arm_across_restarts(self):
        more = "    unit: {metadata: x-user-id}\n"
        arms = []
        for _ in range(2):
            router = self.start(policy="{name: fixed_split}", more=more)
            client = self.channel(router)
            arms.append(
                [
                    decide(client, (("x-user-id", f"u{i}"),))[0]["x-bandit-arm"]
                    for i in range(100)
                ]
            )
            router.stop()
        self.assertEqual(arms[0], arms[1])
        self.assertIn("candidate", arms[0])

    def test_absurd_features_take_their_documented_value(self):
        more = """
    context:
      features:
        - {name: device, metadata: x-device, categories: [ios, web]}
        - {name: tokens, metadata: x-tokens, transform: log1p}
"""
        router = self.start(policy="{name: linucb}", more=more)
        client = self.channel(router)
        for device, tokens in (
            ("ios", "12"), ("toaster", "nan"), ("", "1e999"), ("web", "-5"),
        ):
            decide(client, (("x-device", device), ("x-tokens", tokens)))
        decide(client)
        self.eventually(
            lambda: self.metric(
                router, "bandit_missing_features_total", feature="tokens"
            ) == 4
        )


class Rewards(Case):
    def test_every_outcome(self):
        router = self.start()
        client = self.channel(router)
        token = decide(client)[0]["x-bandit-decision"]
        other = decide(client)[0]["x-bandit-decision"]
        forged = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
        self.assertEqual(
            record(
                client,
                reward(token, 1),
                reward(token, 1),
                reward(token, 2.5, "spend"),
                reward(forged, 1),
                reward("", 1),
                reward("@@@", 1),
                reward(token, 1, "nonsense"),
                reward(other, 0.5),
                reward(other, float("nan"), "spend"),
                reward(other, -1, "spend"),
                reward(other, 0),
            ),
            [
                "ACCEPTED", "DUPLICATE", "ACCEPTED", "REJECTED", "REJECTED",
                "REJECTED", "REJECTED", "REJECTED", "REJECTED", "REJECTED",
                "ACCEPTED",
            ],
        )
        self.eventually(
            lambda: self.metric(
                router, "bandit_rewards_total", metric="click",
                outcome="ACCEPTED",
            ) == 2
        )

    def test_a_token_of_another_key_is_rejected(self):
        token = decide(self.channel(self.start()))[0]["x-bandit-decision"]
        other = self.start()
        self.assertEqual(
            record(self.channel(other), reward(token, 1)), ["REJECTED"]
        )

    def test_a_token_of_another_experiment_is_unknown(self):
        key = "token_key: shared-secret-of-the-replicas\n"
        first = self.router(key + config(self.a, self.b))
        token = decide(self.channel(first))[0]["x-bandit-decision"]
        text = config(self.a, self.b).replace("name: ranker", "name: other")
        second = self.router(key + text)
        self.assertEqual(
            record(self.channel(second), reward(token, 1)), ["UNKNOWN"]
        )

    def test_control_port_and_data_port_serve_the_same(self):
        router = self.start()
        token = decide(self.channel(router))[0]["x-bandit-decision"]
        control = self.channel(router, router.control)
        self.assertEqual(record(control, reward(token, 1)), ["ACCEPTED"])
        data = self.channel(router)
        self.assertEqual(record(data, reward(token, 1)), ["DUPLICATE"])

    def test_a_stream_answers_each_request_in_order(self):
        client = self.channel(self.start())
        tokens = [decide(client)[0]["x-bandit-decision"] for _ in range(20)]
        stream = client.stream_stream("/bandit.v1.Feedback/Stream")
        answers = stream(
            iter([reward(t, 1) + reward(t, 1) for t in tokens]), timeout=60
        )
        self.assertEqual(
            [outcomes(answer) for answer in answers],
            [["ACCEPTED", "DUPLICATE"]] * 20,
        )

    def test_the_split_learns(self):
        router = self.start()
        client = self.channel(router)
        rng = random.Random(3)
        for _ in range(10):
            batch = []
            for _ in range(60):
                first, _ = decide(client)
                rate = 0.8 if first["x-bandit-arm"] == "candidate" else 0.2
                batch.append(
                    reward(first["x-bandit-decision"], rng.random() < rate)
                )
            self.assertEqual(set(record(client, *batch)), {"ACCEPTED"})
        self.eventually(
            lambda: self.metric(
                router, "bandit_arm_probability", arm="candidate"
            ) > 0.9
        )
        share = collections.Counter(
            decide(client)[0]["x-bandit-arm"] for _ in range(200)
        )
        self.assertGreater(share["candidate"], 150)


class Durability(Case):
    def state(self, directory):
        return f"sqlite://{directory}/state.db"

    def test_rewards_are_taken_after_a_restart(self):
        with tempfile.TemporaryDirectory() as directory:
            state = self.state(directory)
            router = self.start(state=state)
            tokens = [
                decide(self.channel(router))[0]["x-bandit-decision"]
                for _ in range(5)
            ]
            self.assertEqual(
                record(self.channel(router), reward(tokens[0], 1)), ["ACCEPTED"]
            )
            router.stop()
            # A swap of the policy keeps what was learned.
            router = self.start(state=state, policy="{name: ucb1}")
            self.assertEqual(
                record(
                    self.channel(router), *[reward(t, 1) for t in tokens]
                ),
                ["DUPLICATE"] + ["ACCEPTED"] * 4,
            )
            router.stop()

    def test_kill_9_loses_and_doubles_nothing(self):
        """Killed under load again and again: each reward counts once."""
        with tempfile.TemporaryDirectory() as directory:
            state = self.state(directory)
            rng = random.Random(11)
            accepted = set()
            unsure = []
            for _ in range(5):
                router = self.start(state=state)
                client = self.channel(router)
                call = client.unary_unary("/bandit.v1.Feedback/Record")
                tokens = [
                    decide(client)[0]["x-bandit-decision"] for _ in range(150)
                ]
                # Those that no answer came for are sent again.
                batches = [unsure[i : i + 7] for i in range(0, len(unsure), 7)]
                batches += [tokens[i : i + 7] for i in range(0, 150, 7)]
                unsure = []
                kill_after = rng.randrange(2, len(batches))
                pending = []
                for i, batch in enumerate(batches):
                    message = b"".join(reward(t, 1) for t in batch)
                    pending.append((batch, call.future(message, timeout=30)))
                    if i == kill_after:
                        pending[rng.randrange(i)][1].result()
                        router.kill()
                for batch, future in pending:
                    try:
                        answers = outcomes(future.result())
                    except grpc.RpcError:
                        unsure += batch
                        continue
                    for token, answer in zip(batch, answers):
                        if answer == "ACCEPTED":
                            self.assertNotIn(token, accepted, "counted twice")
                            accepted.add(token)
                        else:
                            # Sent before the kill, committed, unanswered.
                            self.assertEqual(answer, "DUPLICATE")
                            accepted.add(token)
                client.close()
            router = self.start(state=state)
            client = self.channel(router)
            for token in unsure:
                self.assertIn(
                    record(client, reward(token, 1))[0],
                    ("ACCEPTED", "DUPLICATE"),
                )
                accepted.add(token)
            for token in accepted:
                self.assertEqual(
                    record(client, reward(token, 1)), ["DUPLICATE"]
                )
            self.eventually(
                lambda: self.metric(
                    router, "bandit_arm_reward_count", arm="control"
                ) + self.metric(
                    router, "bandit_arm_reward_count", arm="candidate"
                ) == len(accepted)
            )
            router.stop()


class Operation(Case):
    def test_health_and_reflection_on_the_control_port(self):
        router = self.start()
        control = self.channel(router, router.control)
        check = control.unary_unary("/grpc.health.v1.Health/Check")
        self.eventually(lambda: check(b"", timeout=30) == b"\x08\x01")
        reflection = control.stream_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
        )
        answer = next(reflection(iter([b"\x3a\x00"]), timeout=30))
        self.assertIn(b"bandit.v1.Feedback", answer)
        self.assertIn(b"bandit.v1.Admin", answer)

    def test_metrics_count_calls_per_arm_and_code(self):
        router = self.start(policy="{name: fixed_split}")
        client = self.channel(router)
        for _ in range(20):
            decide(client)
        with self.assertRaises(grpc.RpcError):
            decide(client, method="Fail")
        self.eventually(
            lambda: sum(
                self.metric(router, "bandit_requests_total", arm=arm,
                            code=code) or 0
                for arm in ("control", "candidate")
                for code in ("OK", "FAILED_PRECONDITION")
            ) == 21
        )
        text = self.get(router, "/metrics")
        for name in (
            "bandit_request_duration_seconds_bucket",
            "bandit_router_overhead_seconds_bucket",
            "bandit_arm_probability",
            "bandit_arm_state",
        ):
            self.assertIn(name, text)

    def ready(self, router):
        try:
            return self.get(router, "/readyz") == "ready\n"
        except urllib.error.HTTPError as error:
            error.close()
            return False

    def test_health_pages(self):
        router = self.start()
        self.assertIn("ok", self.get(router, "/healthz"))
        self.eventually(lambda: self.ready(router))
        with self.assertRaises(urllib.error.HTTPError) as raised:
            self.get(router, "/nothing")
        self.assertEqual(raised.exception.code, 404)

    def test_sigterm_lets_calls_finish(self):
        router = self.start()
        client = self.channel(router)
        call = client.unary_unary(
            "/inference.GRPCInferenceService/Block"
        ).future(b"last", timeout=60)
        while not (self.a.started.wait(0.05) or self.b.started.wait(0.05)):
            pass
        router.signal(signal.SIGTERM)
        self.eventually(lambda: "draining" in router.logged())
        self.a.release.set()
        self.b.release.set()
        self.assertEqual(call.result(), b"last")
        self.assertEqual(router.process.wait(30), 0)

    def test_sighup_swaps_the_config_or_keeps_the_old_one(self):
        router = self.start(policy="{name: fixed_split}")
        client = self.channel(router)
        token = decide(client)[0]["x-bandit-decision"]
        router.write("state: 'memory:'\nbackends: {a: {adress: x}}\n")
        router.signal(signal.SIGHUP)
        self.eventually(lambda: "the old config stays" in router.logged())
        self.assertIn('did you mean "address"?', router.logged())
        decide(client)
        router.write(config(self.a, self.b, policy="{name: thompson}"))
        router.signal(signal.SIGHUP)
        self.eventually(lambda: "was loaded: ok" in router.logged())
        decide(client)
        self.assertEqual(record(client, reward(token, 1)), ["ACCEPTED"])

    def test_a_call_held_across_a_reload_is_decided_by_its_own_plan(self):
        text = config(self.a, self.b).replace(
            "{service: inference.GRPCInferenceService}",
            "{service: inference.GRPCInferenceService, model: ranker}",
        )
        other = text.replace("name: ranker\n", "name: other\n").replace(
            "model: ranker", "model: other"
        )
        # The held call's experiment is the second of its plan, and the plan
        # that replaces it has none.
        second = text[text.index("  - name: ranker") :]
        router = self.router("default_backend: a\n" + other + second)
        client = self.channel(router)
        more = threading.Event()

        def request():
            more.wait(30)
            yield field(1, "ranker")

        call = client.stream_unary(
            "/inference.GRPCInferenceService/ModelInfer"
        ).future(request(), timeout=60)
        self.eventually(
            lambda: self.metric(router, "bandit_learner_tick_seconds_count")
        )
        decide(client)  # On the same connection, so after the headers.
        router.write(
            config(self.a, self.b).split("experiments:", maxsplit=1)[0]
            + "default_backend: a\n"
        )
        router.signal(signal.SIGHUP)
        self.eventually(lambda: "was loaded: ok" in router.logged())
        decide(client)
        more.set()
        call.result()
        first = dict(call.initial_metadata())
        self.assertEqual(first["x-bandit-experiment"], "ranker")

    def test_what_is_in_the_way_at_the_start_is_named(self):
        router = self.start()
        text = config(self.a, self.b)
        done = self.run_router(
            f"listen: {router.listen}\ncontrol: 127.0.0.1:0\n"
            "admin: 127.0.0.1:0\n" + text
        )
        self.assertEqual(done.returncode, 1)
        self.assertIn(router.listen, done.stderr)
        self.assertIn("Address already in use", done.stderr)

    def test_check_says_whether_a_config_would_serve(self):
        text = config(self.a, self.b)
        good = self.run_router(text, "--check")
        self.assertEqual((good.returncode, good.stderr), (0, ""))
        self.assertIn("1 experiment", good.stdout)
        bad = self.run_router(text.replace("thompson", "thomson"), "--check")
        self.assertEqual((bad.returncode, bad.stdout), (2, ""))
        self.assertRegex(bad.stderr, "r.yaml:13: .*thomson.*thompson")
        # Two names with one hash: found by search.
        collision = text.replace("ranker", "e14884")
        collision += collision[collision.index("  - name"):].replace(
            "e14884", "e28738")
        refused = self.run_router(collision, "--check")
        self.assertEqual((refused.returncode, refused.stdout), (2, ""))
        self.assertRegex(refused.stderr, "r.yaml: .*e14884 and e28738.*rename")


if __name__ == "__main__":
    unittest.main()
