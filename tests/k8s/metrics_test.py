# SPDX-License-Identifier: Apache-2.0
"""Every metric, label and value that an alert or the dashboard asks for is
one that a router has: by docs/metrics.md, and by one that runs."""

import json
import os
import re
import subprocess
import tempfile
import unittest
import urllib.request

import manifests

MONITORING = manifests.K8S / "monitoring"
# Prometheus and its operator put these on.
ADDED = {"namespace", "pod", "instance", "le"}
# Labels whose values the router knows before anything has happened.
CLOSED = {"state", "outcome", "result", "reason"}
SELECTOR = re.compile(r"\b(bandit_\w+)\s*(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')
BY = re.compile(r"\b(?:by|on)\s*\(([^)]*)\)")

CONFIG = """
listen: 127.0.0.1:0
control: 127.0.0.1:0
admin: 127.0.0.1:0
state: "memory:"
backends: {a: {address: "127.0.0.1:1"}}
default_backend: a
experiments:
  - name: e
    match: {service: s}
    arms: [{name: x, backend: a}, {name: y, backend: a}]
    policy: {name: thompson}
    metrics: [{name: click, kind: binary}]
"""


def documented():
    """Labels of each metric of docs/metrics.md, by its name."""
    page = (manifests.ROOT / "docs" / "metrics.md").read_text()
    found = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 4 and cells[0].startswith("`bandit_"):
            name = cells[0].strip("`")
            labels = set(re.findall(r"`(\w+)`", cells[2]))
            names = [name]
            if cells[1] == "histogram":
                names = [name + end for end in ("_bucket", "_sum", "_count")]
            found.update({n: labels for n in names})
    return found


def expressions():
    """(where, expression) of all alerts and panels."""
    (rules,) = manifests.documents((MONITORING / "alerts.yaml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield f"${variable['name']}", variable["query"]["query"]


def running_metrics():
    """/metrics of a router, as text."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        config.write(CONFIG)
        config.flush()
        with subprocess.Popen(
                [os.environ["BANDIT_ROUTER"], "--config", config.name],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                text=True) as router:
            try:
                ready = router.stdout.readline()
                admin = re.search(r"admin=(\S+)", ready)[1]
                with urllib.request.urlopen(
                        f"http://{admin}/metrics", timeout=30) as answer:
                    return answer.read().decode()
            finally:
                router.terminate()
                router.wait(60)


class Metrics(unittest.TestCase):
    def test_names_and_labels_are_documented(self):
        known = documented()
        self.assertGreater(len(known), 50)
        checked = 0
        for where, expression in expressions():
            names = SELECTOR.findall(expression)
            self.assertTrue(names, where)
            grouped = {
                label.strip() for labels in BY.findall(expression)
                for label in labels.split(",")}
            for name, matchers in names:
                self.assertIn(name, known, where)
                asked = {m[0] for m in MATCHER.findall(matchers)}
                self.assertLessEqual(asked, known[name] | ADDED, where)
                checked += 1
            union = set().union(*(known[name] for name, _ in names))
            self.assertLessEqual(grouped, union | ADDED, where)
        self.assertGreater(checked, 60)

    def test_values_are_those_that_a_router_has(self):
        """`state=~"backof"` would be an alert that never fires."""
        there = {}
        for name, labels in SELECTOR.findall(running_metrics()):
            for label, _, value in MATCHER.findall(labels):
                there.setdefault((name, label), set()).add(value)
        checked = 0
        for where, expression in expressions():
            for name, matchers in SELECTOR.findall(expression):
                for label, _, pattern in MATCHER.findall(matchers):
                    if label not in CLOSED:
                        continue
                    for value in pattern.split("|"):
                        self.assertIn(value, there[name, label], where)
                        checked += 1
        self.assertGreater(checked, 15)

    def test_panels_lie_beside_each_other(self):
        """None over another, none beyond the 24 columns, ids unique."""
        panels = json.loads(
            (MONITORING / "dashboard.json").read_text())["panels"]
        self.assertEqual(len({p["id"] for p in panels}), len(panels))
        taken = set()
        for panel in panels:
            at = panel["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], 24, panel["title"])
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                     for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells


if __name__ == "__main__":
    unittest.main()
