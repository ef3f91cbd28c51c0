# SPDX-License-Identifier: Apache-2.0
"""What is secret stays so, and a decision is worth its own experiment only.

The rows of docs/threat_model.md for tokens and secrets.
"""

import base64
import os
import signal
import subprocess
import threading
import unittest
import urllib.request

import grpc

from harness import BINARY, RouterTest, decide, record, reward

TOKEN_KEY = "key-3f9c1e7a5b-of-the-tokens"
CONTROL_TOKEN = "tok-84d2b6f0c1-of-the-admin"
OTHER_KEY = "key-77aa55cc33-after-a-change"


def config(model, key="${TOKEN_KEY}", more=""):
    return f"""
state: 'memory:'
token_key: {key}
control_token: ${{CONTROL_TOKEN}}
backends:
  model: {{address: '{model.address}'}}
learner: {{tick: 10ms}}
{more}
experiments:
  - name: first
    match: {{service: inference.GRPCInferenceService, method: First}}
    arms: [{{name: one, backend: model}}, {{name: two, backend: model}}]
    policy: {{name: thompson}}
    metrics: [{{name: click, kind: binary}}]
  - name: second
    match: {{service: inference.GRPCInferenceService, method: Second}}
    arms: [{{name: one, backend: model}}, {{name: two, backend: model}}]
    policy: {{name: thompson}}
    metrics: [{{name: click, kind: binary}}, {{name: spend, kind: continuous}}]
"""


class TrustTest(RouterTest):
    def setUp(self):
        self.server = self.model()

    def start(self, **arguments):
        return self.router(
            config(self.server, **arguments),
            environment={
                "TOKEN_KEY": TOKEN_KEY, "CONTROL_TOKEN": CONTROL_TOKEN
            },
        )

    def page(self, router, path):
        with urllib.request.urlopen(f"http://{router.admin}{path}") as page:
            return page.read().decode()

    def eventually(self, true):
        for _ in range(3000):
            if true():
                return
            threading.Event().wait(0.01)
        self.fail("it did not come to be")

    def sample(self, router, start):
        """Of the series whose line starts so."""
        lines = self.page(router, "/metrics").splitlines()
        lines = [line for line in lines if line.startswith(start)]
        return [float(line.rsplit(" ", 1)[1]) for line in lines]


class Tokens(TrustTest):
    def test_a_reward_counts_for_the_tokens_own_experiment_alone(self):
        router = self.start()
        client = self.channel(router)
        tokens = [
            decide(client, method="First")[0]["x-bandit-decision"]
            for _ in range(20)
        ]
        # Neither a metric of the other experiment nor a second use.
        self.assertEqual(
            record(client, reward(tokens[0], 5, "spend")), ["REJECTED"]
        )
        for token in tokens:
            self.assertEqual(
                record(client, reward(token, 1), reward(token, 1)),
                ["ACCEPTED", "DUPLICATE"],
            )
        counts = "bandit_arm_reward_count{experiment=\"%s\""
        self.eventually(
            lambda: sum(self.sample(router, counts % "first")) == 20
        )
        self.assertEqual(sum(self.sample(router, counts % "second")), 0)

    def test_no_bit_of_a_token_can_be_changed(self):
        router = self.start()
        client = self.channel(router)
        token = decide(client, method="First")[0]["x-bandit-decision"]
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        forged = []
        for bit in range(len(raw) * 8):
            changed = bytearray(raw)
            changed[bit // 8] ^= 1 << bit % 8
            text = base64.urlsafe_b64encode(changed).decode().rstrip("=")
            forged.append(reward(text, 1))
        for i in range(0, len(forged), 100):
            part = forged[i : i + 100]
            self.assertEqual(record(client, *part), ["REJECTED"] * len(part))
        self.assertEqual(record(client, reward(token, 1)), ["ACCEPTED"])


class Secrets(TrustTest):
    def assert_silent(self, text, where):
        for secret in (TOKEN_KEY, CONTROL_TOKEN, OTHER_KEY):
            self.assertNotIn(secret, text, where)

    def test_they_are_in_no_log_no_metric_and_no_answer(self):
        router = self.start()
        client = self.channel(router)
        control = self.channel(router, router.control)
        _, answer = decide(client, method="First")
        headers, _ = decide(client, method="Second")
        record(client, reward(headers["x-bandit-decision"], 1))
        record(client, reward("forged", 1))
        # Who guesses at the control token is not told.
        for channel in (client, control):
            for guess in ("wrong", CONTROL_TOKEN[:-1], CONTROL_TOKEN):
                call = channel.unary_unary("/bandit.v1.Admin/GetStatus")
                try:
                    status = call(
                        b"", metadata=[("authorization", f"Bearer {guess}")],
                        timeout=30,
                    )
                    self.assert_silent(status.decode("latin-1"), "GetStatus")
                except grpc.RpcError as error:
                    self.assert_silent(str(error), "GetStatus")
        # Reloads: a good one, one that changes the key, broken ones.
        for text, sign in (
            (config(self.server, more="default_backend: model"),
             "was loaded"),
            (config(self.server, key=OTHER_KEY), "token_key was changed"),
            (config(self.server, more=f"token_key: {OTHER_KEY}"),
             "twice"),
            (config(self.server, key=f"{{a: {OTHER_KEY}}}"), "token_key"),
            (config(self.server, key=f"[{OTHER_KEY}]"), "token_key"),
        ):
            before = router.logged().count("loaded")
            router.write(text)
            router.signal(signal.SIGHUP)
            self.eventually(
                lambda: router.logged().count("loaded") > before
            )
            self.assert_silent(router.logged(), sign)
        self.assertIn("token_key was changed", router.logged())
        for path in ("/metrics", "/healthz", "/readyz"):
            self.assert_silent(self.page(router, path), path)
        # Nor in what its process shows to others.
        with open(f"/proc/{router.process.pid}/cmdline", "rb") as line:
            self.assert_silent(line.read().decode(), "the command line")
        router.stop()
        self.assert_silent(router.logged(), "the log")

    def test_check_says_nothing_of_them(self):
        path = os.path.join(self.start().directory, "checked.yaml")
        environment = {
            **os.environ, "TOKEN_KEY": TOKEN_KEY, "CONTROL_TOKEN": CONTROL_TOKEN
        }
        for text in (
            config(self.server),
            config(self.server, more="token_keys: ${TOKEN_KEY}"),
            config(self.server, more="workers: ${TOKEN_KEY}"),
            config(self.server, more="listen: ${CONTROL_TOKEN}"),
        ):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            run = subprocess.run(
                [BINARY, "--config", path, "--check"], env=environment,
                capture_output=True, text=True, check=False, timeout=60,
            )
            self.assert_silent(run.stdout + run.stderr, text)


if __name__ == "__main__":
    unittest.main()
