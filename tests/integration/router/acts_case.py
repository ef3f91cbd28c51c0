# SPDX-License-Identifier: Apache-2.0
"""What tests of acts on experiments share: two arms, and banditctl."""

import json
import os
import subprocess
import time

from harness import RouterTest, decide

BANDITCTL = os.environ["BANDITCTL"]
OK, UNKNOWN, REFUSED, BROKEN = 0, 3, 5, 6


class ActsTest(RouterTest):
    def start(self, experiment="", top='state: "memory:"', **arguments):
        self.control_model = self.model("control")
        self.candidate_model = self.model("candidate")
        return self.router(self.text(experiment, top), **arguments)

    def text(self, experiment="", top='state: "memory:"'):
        return f"""
{top}
learner: {{tick: 20ms}}
backends:
  c: {{address: "{self.control_model.address}"}}
  n: {{address: "{self.candidate_model.address}"}}
experiments:
  - name: ranker
    match: {{service: inference.GRPCInferenceService}}
    unit: {{metadata: x-user}}
    arms:
      - {{name: control, backend: c}}
      - {{name: candidate, backend: n}}
    policy: {{name: fixed_split}}
    metrics: [{{name: click, kind: binary}}]
{experiment}
"""

    def ctl(self, router, *arguments, token=None, code=OK):
        environment = {**os.environ, "USER": "tester"}
        if token:
            environment["BANDIT_CONTROL_TOKEN"] = token
        done = subprocess.run(
            [BANDITCTL, *arguments, "--address", router.control],
            capture_output=True, text=True, timeout=60, env=environment,
        )
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def status(self, router, token=None):
        text = self.ctl(router, "status", "ranker", "--json", token=token)
        return json.loads(text)["experiments"][0]

    def served(self, channel, users=40):
        """Who served each user, and the calls' metadata."""
        calls = [
            decide(channel, [("x-user", f"user-{i}")])[0] for i in range(users)
        ]
        return [call["x-served-by"] for call in calls], calls

    def wait(self, what, seconds=30):
        end = time.monotonic() + seconds
        while not what():
            self.assertLess(time.monotonic(), end, "it did not come")
            time.sleep(0.02)
