# SPDX-License-Identifier: Apache-2.0
"""A router with one experiment, for tests of what it tells of its calls."""

import re
import threading
import urllib.request

from harness import RouterTest


class ObserveTest(RouterTest):
    def setUp(self):
        self.server = self.model()

    def config(self, more):
        return f"""
state: "memory:"
backends:
  m: {{address: "{self.server.address}"}}
default_backend: m
experiments:
  - name: ranker
    match: {{service: inference.GRPCInferenceService}}
    arms:
      - {{name: control, backend: m, weight: 75}}
      - {{name: candidate, backend: m, weight: 25}}
    policy: {{name: fixed_split}}
{more}
"""

    def start(self, more):
        self.proxy = self.router(self.config(more))
        self.client = self.channel(self.proxy)
        return self.proxy

    def received(self):
        """Metadata of the latest call at the model server."""
        return dict(self.server.requests[-1][1])

    def metric(self, name, result):
        with urllib.request.urlopen(
            f"http://{self.proxy.admin}/metrics", timeout=60
        ) as page:
            text = page.read().decode()
        found = re.search(
            rf'^{name}{{result="{result}"}} (\S+)$', text, re.MULTILINE
        )
        return float(found.group(1))

    def eventually(self, question):
        for _ in range(2400):
            if question():
                return
            threading.Event().wait(0.025)
        self.fail(self.proxy.logged())
