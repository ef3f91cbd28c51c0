# SPDX-License-Identifier: Apache-2.0
"""banditctl as people and scripts use it."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from concurrent import futures

import grpc

sys.path.insert(
    0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../router")
)

from harness import RouterTest, decide  # noqa: E402

BANDITCTL = os.environ["BANDITCTL"]

CONFIG = """
state: 'memory:'
backends:
  a: {{address: '{0}'}}
learner: {{tick: 10ms}}
join: {{}}
experiments:
  - name: ranker
    match: {{service: inference.GRPCInferenceService}}
    arms:
      - {{name: control, backend: a}}
      - {{name: candidate, backend: a}}
    policy: {{name: thompson}}
    metrics:
      - {{name: click, kind: binary}}
      - {{name: spend, kind: continuous, min: 0}}
  - name: other
    match: {{service: nobody.Calls}}
    arms: [{{name: only, backend: a}}]
    policy: {{name: fixed_split}}
    metrics: [{{name: click, kind: binary}}]
"""


def banditctl(*arguments, **environment):
    variables = {**os.environ, **environment}
    # A value of the person who runs the tests must not decide them.
    if "BANDIT_ADDRESS" not in environment:
        variables.pop("BANDIT_ADDRESS", None)
    # Patient with a busy machine, where the timeout is not what is tested.
    if arguments[:1] in (("status",), ("reward",)):
        if "--timeout" not in arguments:
            arguments += ("--timeout", "50")
    return subprocess.run(
        [BANDITCTL, *arguments],
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Case(RouterTest):
    def setUp(self):
        self.server = self.model("a")
        self.started = self.router(CONFIG.format(self.server.address))
        self.client = self.channel(self.started)

    def ask(self, *arguments):
        return banditctl(*arguments, "--address", self.started.control)

    def status(self, *arguments):
        done = self.ask("status", "--json", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def eventually(self, question):
        for _ in range(600):
            if question():
                return
            threading.Event().wait(0.05)
        self.fail("it did not come about within 30 s")


class Reward(Case):
    def send(self, decision, *arguments):
        return self.ask("reward", "--decision", decision, *arguments)

    def decision(self):
        return decide(self.client)[0]["x-bandit-decision"]

    def test_a_reward_counts_once_and_both_times_is_success(self):
        decision = self.decision()
        first = self.send(decision, "--value", "1")
        self.assertEqual((first.returncode, first.stderr), (0, ""))
        self.assertEqual(first.stdout, "ACCEPTED: counted, and durable\n")
        second = self.send(decision, "--value", "1")
        self.assertEqual(second.returncode, 0)
        self.assertTrue(second.stdout.startswith("DUPLICATE: "))

    def test_a_reward_names_its_metric(self):
        decision = self.decision()
        self.send(decision, "--value", "1")
        spend = self.send(decision, "--metric", "spend", "--value", "2.5")
        self.assertTrue(spend.stdout.startswith("ACCEPTED: "), spend.stdout)

    def test_a_request_id_stands_in_for_the_decision(self):
        decide(self.client, (("x-request-id", "abc"),))
        done = self.ask("reward", "--request-id", "abc", "--value", "1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue(done.stdout.startswith("ACCEPTED: "), done.stdout)
        done = self.ask("reward", "--request-id", "abd", "--value", "1")
        self.assertEqual(done.returncode, 4)
        self.assertTrue(done.stdout.startswith("UNKNOWN: "), done.stdout)

    def test_what_does_not_count_exits_4(self):
        decision = self.decision()
        for arguments in (
            (decision, "--value", "0.5", "expected 0 or 1"),
            (decision, "--value", "nan", "nan is no value of metric"),
            (decision, "--metric", "spend", "--value", "-1",
             "expected a number in [0, "),
            (decision, "--metric", "undeclared", "--value", "1",
             "no metric \"undeclared\", expected click or spend"),
            ("no-token", "--value", "1", "the decision token is "),
        ):
            with self.subTest(arguments[1:]):
                *arguments, why = arguments
                done = self.send(*arguments)
                self.assertEqual(done.returncode, 4, done.stderr)
                self.assertTrue(
                    done.stdout.startswith("REJECTED: not counted: "))
                self.assertIn(why, done.stdout)

    def test_json_holds_the_outcome(self):
        done = self.send(self.decision(), "--value", "1", "--json")
        self.assertEqual(json.loads(done.stdout), {
            "outcomes": ["ACCEPTED"], "refusals": []})
        done = self.send("no-token", "--value", "1", "--json")
        self.assertEqual(done.returncode, 4)
        answer = json.loads(done.stdout)
        self.assertEqual(answer["outcomes"], ["REJECTED"])
        self.assertEqual(answer["refusals"][0]["reward"], 0)
        self.assertIn("too short", answer["refusals"][0]["why"])


class Status(Case):
    def test_a_table_for_each_experiment(self):
        done = self.ask("status")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        self.assertRegex(lines[0], r"^bandit-router \S+, up \S+, .*learned")
        self.assertIn("ranker: thompson on click, epoch 1, 0 decisions", lines)
        self.assertIn("other: fixed_split on click, epoch 1, 0 decisions", lines)
        arms = [line.split()[:2] for line in lines]
        self.assertIn(["control", "a"], arms)
        self.assertIn(["candidate", "a"], arms)

    def test_decisions_rewards_and_latency_arrive(self):
        metadata, _ = decide(self.client)
        done = self.ask(
            "reward", "--decision", metadata["x-bandit-decision"],
            "--value", "1",
        )
        self.assertEqual(done.returncode, 0, done.stderr)

        def arm():
            (ranker,) = self.status("ranker")["experiments"]
            (found,) = [
                arm for arm in ranker["arms"]
                if arm["name"] == metadata["x-bandit-arm"]
            ]
            return found if found["reward_count"] == 1 else None

        self.eventually(lambda: arm() is not None and arm()["codes"])
        found = arm()
        self.assertEqual(found["decisions"], "1")
        self.assertEqual(found["reward_mean"], 1)
        self.assertEqual(found["codes"], {"OK": "1"})
        self.assertGreater(float(found["latency"]["p50"].rstrip("s")), 0)
        table = self.ask("status", "ranker").stdout
        self.assertIn("rewards for click: ACCEPTED 1\n", table)
        self.assertIn("100.0 %", table)
        self.assertNotIn("other:", table)

    def test_an_unknown_experiment_exits_3(self):
        done = self.ask("status", "rankr")
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn("rankr", done.stderr)
        self.assertIn(self.started.control, done.stderr)

    def test_the_data_port_answers_too(self):
        done = banditctl("status", "--address", self.started.listen)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("ranker: ", done.stdout)

    def test_the_environment_gives_the_address_and_the_flag_wins(self):
        done = banditctl("status", BANDIT_ADDRESS=self.started.control)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = banditctl(
            "status", "--address", self.started.control, BANDIT_ADDRESS="wrong"
        )
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_proxy_of_the_environment_is_not_asked(self):
        done = banditctl(
            "status", "--address", self.started.control,
            http_proxy="http://127.0.0.1:1", no_proxy="", no_grpc_proxy="",
        )
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_model_server_is_no_router(self):
        # It answers every method by what it was sent.
        for command in (
            ("status",), ("reward", "--decision", "x", "--value", "1")
        ):
            done = banditctl(*command, "--address", self.server.address)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(self.server.address, done.stderr)

    def test_a_server_without_the_service_is_no_router(self):
        server = grpc.server(futures.ThreadPoolExecutor(1))
        self.addCleanup(lambda: server.stop(0).wait())
        address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        done = banditctl("status", "--address", address)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn(f"what answers at {address} is no router", done.stderr)


class Unreachable(unittest.TestCase):
    """No router at all."""

    def test_a_refused_connection_names_address_cause_and_mend(self):
        # Bound, so that no one else can take it, and never listening.
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{unused.getsockname()[1]}"
            for command in (
                ("status",), ("reward", "--decision", "x", "--value", "1")
            ):
                done = banditctl(*command, "--address", address)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertEqual(
                    done.stderr,
                    f"no router at {address}: connection refused; is it "
                    "running, and is --address its control address?\n",
                )

    def test_a_silent_server_is_waited_for_no_longer_than_asked(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            address = f"127.0.0.1:{silent.getsockname()[1]}"
            done = banditctl(
                "status", "--address", address, "--timeout", "0.2"
            )
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("no connection within 0.2 s", done.stderr)

    def test_an_address_without_port_is_a_wrong_command_line(self):
        done = banditctl("status", "--address", "router")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("--address router has no port", done.stderr)


class CommandLine(unittest.TestCase):
    def test_help_lists_commands_and_exit_codes(self):
        done = banditctl("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ("validate", "status", "reward", "Exit codes:"):
            self.assertIn(word, done.stdout)

    def test_wrong_command_lines_exit_2(self):
        for arguments in (
            (),
            ("no-such-command",),
            ("status", "--no-such-flag"),
            ("status", "--timeout", "0"),
            ("reward", "--decision", "x"),
            ("reward", "--value", "1"),
            ("reward", "--decision", "x", "--request-id", "y", "--value", "1"),
            ("reward", "--decision", "x", "--value", "much"),
            ("validate",),
        ):
            with self.subTest(arguments):
                done = banditctl(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertNotEqual(done.stderr, "")

    def test_validate_says_ok_or_each_error_line(self):
        with tempfile.TemporaryDirectory() as directory:
            good = os.path.join(directory, "good.yaml")
            bad = os.path.join(directory, "bad.yaml")
            with open(good, "w", encoding="utf-8") as file:
                file.write(CONFIG.format("127.0.0.1:1"))
            with open(bad, "w", encoding="utf-8") as file:
                file.write("listn: x\nbackends: {a: {address: '127.0.0.1:1'}}\n"
                           "workers: -1\n")
            done = banditctl("validate", good)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(
                done.stdout, f"{good}: ok, 2 experiments, 1 backend\n"
            )
            done = banditctl("validate", bad)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            lines = done.stderr.splitlines()
            self.assertEqual(len(lines), 2, lines)
            self.assertTrue(lines[0].startswith(f"{bad}:1: "), lines)
            self.assertTrue(lines[1].startswith(f"{bad}:3: "), lines)
            done = banditctl("validate", "--json", bad)
            self.assertEqual((done.returncode, done.stderr), (2, ""))
            self.assertEqual(
                json.loads(done.stdout),
                {"ok": False, "errors": lines, "warnings": []},
            )

    def test_output_that_cannot_be_written_is_no_success(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run(
                [BANDITCTL, "validate", "--json", "/"],
                stdout=full, stderr=subprocess.PIPE, timeout=60, check=False,
            )
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"No space left", done.stderr)


if __name__ == "__main__":
    unittest.main()
