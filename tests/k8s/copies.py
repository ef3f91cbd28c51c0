#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Files of k8s/monitoring that must lie elsewhere, too.

Helm packs only what is below the chart, kustomize reads only what is below the
kustomization, and a link out of either is refused or complained about. So
there are copies: `--write` makes them anew, plain_test.py compares them.
"""

import sys

from manifests import K8S

ALERTS = K8S / "monitoring" / "alerts.yaml"
DASHBOARD = K8S / "monitoring" / "dashboard.json"
CHART_FILES = K8S / "helm" / "bandit-router" / "files"

RULE_HEAD = """\
# Made from alerts.yaml by tests/k8s/copies.py --write.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: bandit-router
spec:
"""


def copies():
    """What each copy must hold, by its path."""
    alerts = ALERTS.read_text()
    groups = alerts[alerts.index("groups:"):]
    indented = "".join(
        f"  {line}" if line.strip() else line
        for line in groups.splitlines(keepends=True))
    return {
        CHART_FILES / "alerts.yaml": alerts,
        CHART_FILES / "dashboard.json": DASHBOARD.read_text(),
        ALERTS.with_name("prometheus-rule.yaml"): RULE_HEAD + indented,
    }


def stale():
    """Paths of copies that are not what they must be."""
    return [path for path, text in copies().items()
            if not path.exists() or path.read_text() != text]


def main():
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: copies.py --write")
    for path, text in copies().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
