# SPDX-License-Identifier: Apache-2.0
"""Guardrails of the real binary: a model turns bad, and what follows.

An arm that fails or turns slow is ejected, the webhook hears of it, a restart
keeps it out, and after a probation with a small share it is back.
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import queue
import struct
import subprocess
import threading
import time
import unittest
import urllib.request

import grpc

import harness
from harness import RouterTest

TIMEOUT = 60
CONFIG = """
workers: 1
state: 'sqlite://{state}'
backends:
  a: {{address: '{a}'}}
  b: {{address: '{b}'}}
learner: {{tick: 10ms}}
webhooks:
  - {{url: '{hook}', secret: s3cret, token: t0ken, events: {events}}}
experiments:
  - name: ranker
    match: [{{service: inference.GRPCInferenceService}}]
    arms: [{{name: control, backend: a}}, {{name: candidate, backend: b}}]
    policy: {{name: fixed_split}}
    guardrails: {rules}
    probation: {probation}
"""
ALL = "[]"
QUICK = (
    "{base_ejection: 500ms, max_ejection: 1m, share: 0.1, duration: 0s, "
    "requests: 20}"
)
LONG = "{base_ejection: 10m, share: 0.1, duration: 0s, requests: 20}"


class Hook:
    """Takes what is POSTed to it; answers 503 to the first `failures`."""

    def __init__(self, failures=0):
        self.events = queue.Queue()
        self.failures = failures
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                code = 200
                if hook.failures > 0:
                    hook.failures -= 1
                    code = 503
                else:
                    hook.events.put((self.path, self.headers, body))
                self.send_response(code)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/bandit?x=1"

    def next(self):
        """The next event as a dict, its signature checked."""
        path, headers, body = self.events.get(timeout=TIMEOUT)
        mac = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
        assert path == "/bandit?x=1", path
        assert headers["x-bandit-signature"] == "sha256=" + mac
        assert headers["authorization"] == "Bearer t0ken"
        event = json.loads(body)
        assert headers["x-bandit-event-id"] == event["id"]
        return event

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def propensity(token):
    """Of a decision token; docs/token.md has the layout."""
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    at = 5  # Behind version and experiment: the epoch, a varint.
    while raw[at] & 0x80:
        at += 1
    at += 2  # The arm.
    return struct.unpack("<d", raw[at : at + 8])[0]


class Sick(harness.ModelServer):
    """A model that can be made to fail, or to answer late."""

    failing = False
    delay = 0.0

    def Echo(self, request, context):
        if self.failing:
            context.abort(grpc.StatusCode.INTERNAL, "no model")
        if self.delay:
            # Stands for the work of a slow model.
            time.sleep(self.delay)
        return super().Echo(request, context)


class GuardrailTest(RouterTest):
    def setUp(self):
        self.a = self.model("a")
        self.b = Sick("b")
        self.addCleanup(self.b.stop)
        self.hook = self.make_hook()

    def make_hook(self, failures=0):
        hook = Hook(failures)
        self.addCleanup(hook.stop)
        return hook

    def serve(self, rules, probation=QUICK, directory=None, events=ALL):
        self.directory = directory or self.enterContext(TemporaryDirectory())
        text = CONFIG.format(
            state=os.path.join(self.directory, "state.db"),
            a=self.a.address,
            b=self.b.address,
            hook=self.hook.url,
            rules=rules,
            probation=probation,
            events=events,
        ).replace(", events: []", "")
        self.proxy = self.router(text, directory=self.directory)
        self.client = self.channel(self.proxy)
        return self.proxy

    def call(self):
        """The arm, its propensity, and whether the call was answered well."""
        call = self.client.unary_unary(harness.SERVICE + "Echo")
        try:
            _, state = call.with_call(b"x", timeout=TIMEOUT)
            metadata = dict(state.initial_metadata())
            good = True
        except grpc.RpcError as error:
            metadata = dict(error.initial_metadata() or ())
            metadata.update(dict(error.trailing_metadata() or ()))
            good = False
        # What is not counted is not drawn.
        certain = "x-bandit-uncounted" in metadata
        return (
            metadata["x-bandit-arm"],
            1 if certain else propensity(metadata["x-bandit-decision"]),
            good,
        )

    def call_until(self, condition):
        """Calls, one after the other, until the condition holds of one."""
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            answer = self.call()
            if condition(*answer):
                return answer
        self.fail("never came: " + self.proxy.logged())

    def call_until_event(self, name):
        """Calls until the webhook has heard of the event."""
        deadline = time.monotonic() + TIMEOUT
        while self.hook.events.empty():
            self.assertLess(time.monotonic(), deadline, self.proxy.logged())
            self.call()
        event = self.hook.next()
        self.assertEqual(event["event"], name)
        self.assertEqual(event["experiment"], "ranker")
        return event

    def metrics(self):
        url = f"http://{self.proxy.admin}/metrics"
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
            text = response.read().decode()
        return dict(
            line.rsplit(" ", 1)
            for line in text.splitlines()
            if line and not line.startswith("#")
        )

    def state(self):
        at = 'bandit_arm_state{experiment="ranker",arm="candidate",state='
        values = self.metrics()
        return [
            name
            for name in ("active", "ejected", "probation")
            if values[f'{at}"{name}"}}'] == "1"
        ]

    def ctl(self, *arguments):
        done = subprocess.run(
            [os.environ["BANDITCTL"], *arguments, "--address",
             self.proxy.control],
            capture_output=True, text=True, timeout=TIMEOUT, check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_a_failing_arm_is_ejected_and_comes_back(self):
        self.serve("[{metric: error, below: 0.05}]")
        for _ in range(50):
            self.assertEqual(self.call()[1:], (0.5, True))
        self.assertEqual(self.state(), ["active"])
        self.b.failing = True
        event = self.call_until_event("ejected")
        self.assertEqual(event["arm"], "candidate")
        self.assertEqual(event["rule"], "error below 0.05")
        self.assertIn("where 0.05 is the limit", event["reason"])
        self.assertIn(
            "guardrail: experiment ranker, arm candidate: ejected by error "
            "below 0.05", self.proxy.logged())
        # Propensities are those that are used: a sole arm has 1.
        self.call_until(lambda arm, p, good: p == 1)
        for _ in range(30):
            arm, p, good = self.call()
            if p != 1:
                break  # On probation already.
            self.assertEqual((arm, good), ("control", True))
        # Still bad: out again, twice as long.
        self.call_until_event("probation")
        self.call_until_event("ejected")
        self.b.failing = False
        self.call_until_event("probation")
        arm, p, _ = self.call_until(lambda arm, p, good: p < 0.5)
        self.assertEqual((arm, p), ("candidate", 0.1))
        arm, p, _ = self.call_until(lambda arm, p, good: arm == "control")
        if p != 0.5:  # Not active meanwhile.
            self.assertAlmostEqual(p, 0.9, places=12)
        event = self.call_until_event("active")
        self.assertEqual(event["reason"], "was well while on probation")
        self.call_until(lambda arm, p, good: p == 0.5 and arm == "candidate")
        self.assertEqual(self.state(), ["active"])
        values = self.metrics()
        labels = ('{experiment="ranker",arm="candidate",'
                  'rule="error below 0.05"}')
        self.assertEqual(values["bandit_guardrail_trips_total" + labels], "2")
        self.assertEqual(
            values['bandit_webhook_events_total{result="delivered"}'], "5")

    def test_a_slow_arm_is_ejected_beside_the_control_arm(self):
        self.serve(
            "[{metric: latency_ms, quantile: 0.9, below_control_times: 3}]",
            LONG)
        for _ in range(20):
            self.call()
        self.b.delay = 0.05
        event = self.call_until_event("ejected")
        self.assertIn("the control arm", event["reason"])
        self.call_until(lambda arm, p, good: p == 1)
        status = self.ctl("status")
        self.assertIn("candidate is EJECTED: latency_ms p90 below control "
                      "times 3", status)
        self.assertIn("guardrails hold the ramp", status)

    def test_a_restart_keeps_an_arm_out(self):
        self.serve("[{metric: error, below: 0.05}]", LONG)
        self.b.failing = True
        self.call_until_event("ejected")
        self.call_until(lambda arm, p, good: p == 1)
        # Not even the time to say goodbye.
        self.proxy.kill()
        self.serve("[{metric: error, below: 0.05}]", LONG, self.directory)
        for _ in range(30):
            self.assertEqual(self.call(), ("control", 1, True))
        self.assertEqual(self.state(), ["ejected"])
        # So does a reload.
        with open(self.proxy.config, encoding="utf-8") as file:
            text = file.read()
        with open(self.proxy.config, "w", encoding="utf-8") as file:
            file.write(text.replace("tick: 10ms", "tick: 20ms"))
        deadline = time.monotonic() + TIMEOUT
        loaded = 'bandit_config_reloads_total{result="ok"}'
        while float(self.metrics()[loaded]) < 1:
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual(self.call(), ("control", 1, True))
        self.ctl("reinstate", "ranker", "--reason", "ann: mended")
        event = self.hook.next()
        self.assertEqual(event["event"], "reinstated")
        self.assertEqual(event["reason"], "ann: mended")
        self.b.failing = False
        self.call_until(lambda arm, p, good: p == 0.5)

    def test_a_roll_back_needs_a_person(self):
        self.serve("[{metric: error, below: 0.05, action: roll_back}]")
        self.b.failing = True
        self.call_until_event("rolled_back")
        self.call_until(lambda arm, p, good: p == 1)
        self.b.failing = False
        self.assertEqual(
            self.metrics()[
                'bandit_experiment_rolled_back{experiment="ranker"}'], "1")
        self.assertIn("ROLLED BACK to the control arm", self.ctl("status"))
        self.assertIn("guardrails", self.ctl("audit"))
        self.proxy.stop()
        self.serve("[{metric: error, below: 0.05, action: roll_back}]",
                   directory=self.directory)
        for _ in range(30):
            self.assertEqual(self.call(), ("control", 1, True))
        self.ctl("reinstate", "ranker")
        self.call_until(lambda arm, p, good: arm == "candidate" and p == 0.5)

    def test_a_webhook_that_fails_is_tried_again(self):
        self.hook = self.make_hook(failures=1)
        self.serve("[{metric: error, below: 0.05, action: alert}]",
                   events="[alert]")
        self.b.failing = True
        event = self.call_until_event("alert")
        self.assertEqual(event["arm"], "candidate")
        self.assertIn("attempt 1 of 10 failed: answered HTTP 503",
                      self.proxy.logged())
        # An alert moves nothing.
        self.call_until(lambda arm, p, good: arm == "candidate" and p == 0.5)

    def test_a_threshold_wants_its_least_sample(self):
        self.serve("[{metric: error, below: 0.05, test: threshold, "
                   "min_samples: 40, window: 1m}]", LONG)
        self.b.failing = True
        sent = 0
        while self.hook.events.empty() and sent < 3000:
            sent += self.call()[0] == "candidate"
        self.assertGreaterEqual(sent, 40)
        self.assertEqual(self.hook.next()["event"], "ejected")


class TemporaryDirectory:
    """Removed when the router that is in it has ended."""

    def __enter__(self):
        import tempfile

        self.directory = tempfile.TemporaryDirectory()
        return self.directory.name

    def __exit__(self, *_):
        self.directory.cleanup()


if __name__ == "__main__":
    unittest.main()
