# SPDX-License-Identifier: Apache-2.0
"""The chart and the kustomizations, rendered by the real tools.

run.py says where these are: HELM, KUSTOMIZE, PROMTOOL, SCHEMA_PYTHON.
"""

import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import checks
import kustomize_lite
import manifests
from config_check import ConfigCheck

CHART = manifests.K8S / "helm" / "bandit-router"
EXAMPLE = manifests.K8S / "examples" / "helm-sidecar"
# The oldest that has native sidecars, one between, the newest known.
VERSIONS = ["1.29.0", "1.33.0", "1.37.0"]
HERE = pathlib.Path(__file__).resolve().parent

# On top of a file of ci/: what else a user may say.
VARIANTS = [
    ("central", "replicas=0", "tokenKey.existingSecret=keys"),
    ("central", "state.kind=emptyDir", "tokenKey.existingSecret=keys"),
    ("central", "state.kind=memory", "tokenKey.existingSecret=keys"),
    ("central", "kind=Deployment", "tokenKey.existingSecret=keys"),
    ("central", "expose.control=false"),
    ("central", "probes.readiness=process"),
    ("central", "probes.type=http"),
    ("central", "tls.listen.secretName=tls"),
    ("central", "tls.control.secretName=tls",
     "controlToken.existingSecret=keys"),
    ("central", "networkPolicy.enabled=false", "monitor.enabled=true"),
    ("central", "serviceAccount.name=mine", "fullnameOverride=ranker"),
    ("central", "podDisruptionBudget.enabled=false", "image.tag=1.2.3"),
    ("central", "drain.graceSeconds=0", "drain.delaySeconds=1"),
    ("sidecar", "expose.listen=true"),
    ("sidecar", "expose.control=false", "state.kind=memory"),
    ("sidecar", "tls.control.secretName=tls"),
    ("everything", "mode=sidecar"),
]

# What the chart must refuse, and a word of why.
REFUSED = [
    ("central", ["config=null"], "config is empty"),
    ("central", ["config.listen=0.0.0.0:1"], "config.listen is written by"),
    ("central", ["config.token_key=x"], "config.token_key is written by"),
    ("central", ["replicas=2"], "replicas must share a key"),
    ("central", ["kind=Deployment"], "the state is not persistent"),
    ("central", ["state.kind=memory"], "the state is not persistent"),
    ("central", ["kind=Deployment", "state.kind=persistent"], "name a claim"),
    ("claim", ["replicas=2", "tokenKey.existingSecret=k"],
     "the state of one router"),
    ("central", ["expose.listen=false"], "a port that answers"),
    ("central", ["probes.type=grpc", "tls.control.secretName=t"],
     "speak no TLS"),
    ("central", ["probes.type=grpc", "expose.control=false"],
     "a pod's loopback"),
    ("sidecar", ["tokenKey.existingSecret="], "sidecars must share a key"),
    ("sidecar", ["state.kind=persistent"], "not for mode sidecar"),
    # By values.schema.json.
    ("central", ["mode=proxy"], "mode"),
    ("central", ["replica=2"], "replica"),
    ("central", ["ports.listen=70000"], "ports"),
    ("central", ["state.kind=redis"], "kind"),
    ("central", ["image.digest=abc"], "digest"),
]


def tool(name, *arguments, **options):
    done = subprocess.run(
        [os.environ[name], *map(str, arguments)], capture_output=True,
        text=True, timeout=120, check=False, **options)
    return done


def schema_problems(batches):
    done = subprocess.run(
        [os.environ["SCHEMA_PYTHON"], "-B", HERE / "schema.py"],
        input=json.dumps(batches), capture_output=True, text=True, timeout=300,
        check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout.splitlines()


class Rendering(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.config_check = ConfigCheck(os.environ["BANDIT_ROUTER"])
        cls.addClassCleanup(cls.config_check.close)

    def must(self, name, *arguments, **options):
        done = tool(name, *arguments, **options)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        return done.stdout

    def template(self, chart, values, sets=(), version=VERSIONS[-1]):
        flags = [flag for pair in sets for flag in ("--set", pair)]
        if values:
            flags += ["-f", values]
        return manifests.documents(self.must(
            "HELM", "template", "test", chart, "--namespace", "models",
            "--kube-version", version, *flags))

    def check(self, docs, version=VERSIONS[-1]):
        self.assertEqual(
            checks.all_problems(docs, self.config_check), [])
        self.assertEqual(
            schema_problems([{"version": version, "documents": docs}]), [])


class Chart(Rendering):
    def test_lint(self):
        for values in sorted((CHART / "ci").glob("*-values.yaml")):
            with self.subTest(values=values.name):
                self.must("HELM", "lint", "--strict", CHART, "-f", values)

    def test_every_values_file_for_every_kubernetes(self):
        files = sorted((CHART / "ci").glob("*-values.yaml"))
        self.assertGreaterEqual(len(files), 5)
        for values, version in itertools.product(files, VERSIONS):
            with self.subTest(values=values.name, version=version):
                docs = self.template(CHART, values, version=version)
                self.check(docs, version)
                self.assertTrue(manifests.config_maps(docs))

    def test_variants(self):
        for name, *sets in VARIANTS:
            with self.subTest(name=name, sets=sets):
                docs = self.template(
                    CHART, CHART / "ci" / f"{name}-values.yaml", sets)
                self.check(docs)

    def test_what_would_not_work_is_refused_with_the_reason(self):
        for name, sets, reason in REFUSED:
            with self.subTest(name=name, sets=sets):
                flags = [flag for pair in sets for flag in ("--set", pair)]
                done = tool("HELM", "template", "test", CHART,
                            "--kube-version", VERSIONS[-1], "-f",
                            CHART / "ci" / f"{name}-values.yaml", *flags)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(reason, done.stderr)

    def test_a_package_renders_as_the_folder_does(self):
        values = CHART / "ci" / "everything-values.yaml"
        with tempfile.TemporaryDirectory() as folder:
            self.must("HELM", "package", CHART, "--destination", folder)
            (package,) = pathlib.Path(folder).glob("*.tgz")
            self.assertEqual(self.template(package, values),
                             self.template(CHART, values))

    def test_an_experiment_restarts_nothing_a_port_does(self):
        """The annotation that rolls pods is of what needs a restart alone."""
        values = CHART / "ci" / "central-values.yaml"

        def mark(*sets):
            (pod,) = manifests.router_pods(
                self.template(CHART, values, sets))
            return pod.metadata["annotations"]

        self.assertEqual(mark(), mark("config.default_backend=ranker-b"))
        self.assertNotEqual(mark(), mark("ports.listen=8888"))
        self.assertNotEqual(mark(), mark("workers=3"))

    def test_whole_numbers_stay_whole(self):
        """Helm's numbers are floats: 1000000 must not become 1e+06."""
        docs = self.template(CHART, CHART / "ci" / "central-values.yaml")
        self.assertIn("max_requests: 1000000",
                      "".join(manifests.config_maps(docs).values()))

    def test_a_config_that_would_not_load_is_found(self):
        docs = self.template(
            CHART, CHART / "ci" / "central-values.yaml",
            ["config.default_backend=nobody"])
        found = checks.all_problems(docs, self.config_check)
        self.assertTrue(any("nobody" in line for line in found), found)

    def notes(self, values):
        """What `helm install` says at its end. It wants a cluster for that,
        so the text is rendered as a value of a ConfigMap."""
        with tempfile.TemporaryDirectory() as folder:
            chart = pathlib.Path(folder) / "bandit-router"
            shutil.copytree(CHART, chart)
            (chart / "templates" / "seen.yaml").write_text(
                "kind: ConfigMap\nmetadata: {name: seen}\ndata:\n"
                '  notes: {{ include "bandit-router.notes" . | toJson }}\n')
            docs = self.template(chart, values)
        (seen,) = [d for d in docs if d["metadata"]["name"] == "seen"]
        return seen["data"]["notes"], docs

    def test_notes_name_what_is_there(self):
        for values in sorted((CHART / "ci").glob("*-values.yaml")):
            with self.subTest(values=values.name):
                said, docs = self.notes(values)
                names = {
                    f"{d['metadata']['name']}.models.svc:{port['port']}"
                    for d in manifests.of_kind(docs, "Service")
                    for port in d["spec"]["ports"]
                } or set(manifests.config_maps(docs))
                self.assertTrue(any(name in said for name in names), said)
                config = "".join(manifests.config_maps(docs).values())
                self.assertEqual(
                    "WARNING" in said, "control_token" not in config
                    and "control: 0.0.0.0" in config, said)

    def test_the_values_of_the_document(self):
        """As docs/kubernetes.md has them, under the name it gives."""
        page = (manifests.ROOT / "docs" / "kubernetes.md").read_text()
        (values,) = re.findall(r"```yaml\n(image:.*?)```", page, re.S)
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(values)
            file.flush()
            docs = manifests.documents(self.must(
                "HELM", "template", "ranker", CHART, "-n", "models", "-f",
                file.name, "--kube-version", VERSIONS[-1]))
        self.check(docs)
        named = re.search(r"`(\S+)\.models\.svc:8080`", page)[1]
        self.assertIn(named, [d["metadata"]["name"]
                              for d in manifests.of_kind(docs, "Service")])

    def test_a_chart_that_has_it_as_a_sidecar(self):
        """examples/helm-sidecar, as its own user would build it."""
        with tempfile.TemporaryDirectory() as folder:
            # Beside a copy of the chart, as in the repository.
            work = pathlib.Path(folder)
            shutil.copytree(CHART, work / "helm" / "bandit-router")
            mine = work / "examples" / "helm-sidecar"
            shutil.copytree(EXAMPLE, mine)
            environment = {**os.environ, "HELM_CACHE_HOME": folder,
                           "HELM_CONFIG_HOME": folder,
                           "HELM_DATA_HOME": folder}
            self.must("HELM", "dependency", "update", mine, env=environment)
            self.must("HELM", "lint", "--strict", mine)
            docs = self.template(mine, None)
            self.check(docs)
            (pod,) = manifests.router_pods(docs)
            self.assertTrue(pod.is_sidecar)


class Kustomizations(Rendering):
    def test_each_holds_every_check_and_is_as_the_lite_one(self):
        for folder in manifests.kustomizations():
            with self.subTest(folder=str(folder.relative_to(manifests.K8S))):
                docs = manifests.documents(
                    self.must("KUSTOMIZE", "build", folder))
                for version in VERSIONS:
                    self.check(docs, version)

                def key(document):
                    return document["kind"], document["metadata"]["name"]

                self.assertEqual(sorted(docs, key=key), sorted(
                    kustomize_lite.build(folder), key=key))


class Schemas(Rendering):
    def test_they_find_what_is_wrong(self):
        """A field that nobody knows, in a resource and in a custom one."""
        docs = kustomize_lite.build(manifests.K8S / "kustomize" / "base")
        (pod,) = manifests.router_pods(docs)
        pod.spec["automountToken"] = False
        pod.router["startupProbe"]["grpc"]["port"] = "control"
        found = schema_problems(
            [{"version": v, "documents": [pod.owner]} for v in VERSIONS])
        self.assertEqual(len(found), len(VERSIONS), found)
        monitor = {"kind": "PodMonitor", "metadata": {"name": "m"},
                   "spec": {"selector": {}, "podMetricsEndpoint": []}}
        self.assertEqual(len(schema_problems(
            [{"version": VERSIONS[0], "documents": [monitor]}])), 1)


class Alerts(Rendering):
    FOLDER = manifests.K8S / "monitoring"

    def test_rules_are_rules(self):
        self.must("PROMTOOL", "check", "rules", self.FOLDER / "alerts.yaml")

    def test_each_fires_when_it_should(self):
        self.must("PROMTOOL", "test", "rules",
                  self.FOLDER / "alerts_test.yaml", cwd=self.FOLDER)

    def test_none_is_untested(self):
        (rules,) = manifests.documents(
            (self.FOLDER / "alerts.yaml").read_text())
        (tests,) = manifests.documents(
            (self.FOLDER / "alerts_test.yaml").read_text())
        fired = {
            case["alertname"] for test in tests["tests"]
            for case in test["alert_rule_test"] if case["exp_alerts"]}
        self.assertEqual(fired, {
            rule["alert"] for group in rules["groups"]
            for rule in group["rules"]})


if __name__ == "__main__":
    unittest.main()
