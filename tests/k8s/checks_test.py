# SPDX-License-Identifier: Apache-2.0
"""Each check finds what it is for: a good rendering, broken in one place."""

import copy
import os
import unittest

import checks
import kustomize_lite
import manifests
from config_check import ConfigCheck

EXAMPLES = manifests.K8S / "examples"
GOOD = {
    "central": kustomize_lite.build(EXAMPLES / "triton"),
    "sidecar": kustomize_lite.build(EXAMPLES / "tf-serving"),
    "watched": kustomize_lite.build(
        manifests.K8S / "kustomize" / "overlays" / "monitored"),
}


class Broken:
    """A copy of a good rendering, with handles to break it by."""

    def __init__(self, which):
        self.docs = copy.deepcopy(GOOD[which])
        (self.pod,) = manifests.router_pods(self.docs)
        self.router = self.pod.router

    def one(self, kind, name=None):
        (found,) = [d for d in manifests.of_kind(self.docs, kind)
                    if name in (None, d["metadata"]["name"])]
        return found

    def config(self, old, new):
        for document in manifests.of_kind(self.docs, "ConfigMap"):
            if manifests.CONFIG in document["data"]:
                text = document["data"][manifests.CONFIG]
                assert old in text, old
                document["data"][manifests.CONFIG] = text.replace(old, new)


class Checks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.config_check = ConfigCheck(os.environ["BANDIT_ROUTER"])
        cls.addClassCleanup(cls.config_check.close)

    def finds(self, broken, *words):
        """One of the problems has all the words."""
        problems = checks.all_problems(broken.docs, self.config_check)
        self.assertTrue(
            any(all(word in line for word in words) for line in problems),
            (words, problems))

    def test_what_is_good_has_no_problems(self):
        for name, docs in GOOD.items():
            self.assertEqual(
                checks.all_problems(docs, self.config_check), [], name)

    def test_names(self):
        broken = Broken("central")
        broken.docs.append(copy.deepcopy(broken.one("ServiceAccount")))
        self.finds(broken, "names:", "twice")
        broken = Broken("central")
        broken.one("ServiceAccount")["metadata"]["name"] = "Bandit_Router"
        self.finds(broken, "names:", "not a name")

    def test_hardened(self):
        for key, value in {
            "runAsNonRoot": False, "readOnlyRootFilesystem": None,
            "allowPrivilegeEscalation": True, "capabilities": {"drop": []},
            "seccompProfile": {"type": "Unconfined"}, "runAsUser": 0,
        }.items():
            broken = Broken("sidecar")
            broken.router["securityContext"][key] = value
            self.finds(broken, "hardened:", {"runAsUser": "user"}.get(key, key))
        broken = Broken("central")
        broken.pod.spec["automountServiceAccountToken"] = True
        self.finds(broken, "hardened:", "token")
        broken = Broken("central")
        del broken.router["resources"]["limits"]
        self.finds(broken, "hardened:", "no limits")
        for image in ("a.example/x:latest", "a.example:5000/x"):
            broken = Broken("central")
            broken.router["image"] = image
            self.finds(broken, "hardened:", "names no version")

    def test_sidecars(self):
        broken = Broken("sidecar")
        del broken.router["restartPolicy"]
        self.finds(broken, "sidecars:", "restartPolicy: Always")

    def test_mounts(self):
        broken = Broken("central")
        broken.router["volumeMounts"][0]["name"] = "gone"
        self.finds(broken, "mounts:", "no volume gone")
        broken = Broken("central")
        broken.router["volumeMounts"][0]["subPath"] = "router.yaml"
        self.finds(broken, "mounts:", "subPath")
        broken = Broken("central")
        broken.config("/var/lib/bandit-router/", "/data/")
        self.finds(broken, "mounts:", "/data/state.db")
        broken = Broken("central")
        broken.config("backends:",
                      "access_log: {path: /var/log/calls}\nbackends:")
        self.finds(broken, "mounts:", "/var/log/calls")
        broken = Broken("sidecar")
        broken.pod.volumes()["bandit-router-config"]["configMap"]["name"] = "x"
        self.finds(broken, "mounts:", "no config")

    def test_ports(self):
        broken = Broken("central")
        broken.config("0.0.0.0:8081", "0.0.0.0:8082")
        self.finds(broken, "ports:", "control is 0.0.0.0:8082")
        broken = Broken("central")
        broken.config("admin: 0.0.0.0", "admin: 127.0.0.1")
        self.finds(broken, "ports:", "nobody can scrape")
        broken = Broken("sidecar")
        broken.config("control: 0.0.0.0", "control: 127.0.0.1")
        self.finds(broken, "ports:", "startupProbe", "loopback")
        broken = Broken("central")
        broken.router["livenessProbe"]["grpc"]["port"] = 8080
        self.finds(broken, "ports:", "livenessProbe", "control port")
        broken = Broken("central")
        del broken.router["readinessProbe"]
        self.finds(broken, "ports:", "readinessProbe", "missing")
        broken = Broken("central")
        broken.config("backends:", "control_tls: {certificate: "
                      "/etc/bandit-tls/tls.crt, key: /etc/bandit-tls/tls.key}"
                      "\nbackends:")
        self.finds(broken, "ports:", "no TLS")
        self.finds(broken, "mounts:", "/etc/bandit-tls/tls.crt")

    def test_draining(self):
        broken = Broken("central")
        broken.config("backends:", "grace: 1m\nbackends:")
        self.finds(broken, "draining:", "5 + 60 + 5")
        broken = Broken("central")
        del broken.router["lifecycle"]
        self.finds(broken, "draining:", "no preStop")

    def test_state(self):
        broken = Broken("sidecar")
        broken.pod.volumes()["bandit-router-state"].update(
            {"persistentVolumeClaim": {"claimName": "c"}})
        self.finds(broken, "state:", "two routers")

    def test_selectors(self):
        broken = Broken("central")
        broken.one("Service", "bandit-router")["spec"]["selector"] = {"a": "b"}
        self.finds(broken, "selectors:", "Service/bandit-router selects []")
        broken = Broken("central")
        broken.one("Service", "ranker-a")["spec"]["ports"][0][
            "targetPort"] = "http2"
        self.finds(broken, "selectors:", "no port http2")
        for kind, key in (("NetworkPolicy", "podSelector"),
                          ("PodDisruptionBudget", "selector")):
            broken = Broken("central")
            broken.one(kind)["spec"][key] = {"matchLabels": {"a": "b"}}
            self.finds(broken, "selectors:", kind, "selects no router")
            broken.one(kind)["spec"][key] = {}
            self.finds(broken, "selectors:", kind, "have no router")
        broken = Broken("watched")
        broken.one("ServiceMonitor")["spec"]["endpoints"][0]["port"] = "x"
        self.finds(broken, "selectors:", "ServiceMonitor", "finds 0")
        broken = Broken("sidecar")
        broken.docs.append({
            "kind": "PodMonitor", "metadata": {"name": "m"},
            "spec": {"selector": {"matchLabels": {"a": "b"}}}})
        self.finds(broken, "selectors:", "PodMonitor/m does not find")

    def test_backends(self):
        broken = Broken("central")
        broken.config("ranker-b:8001", "ranker-c:8001")
        self.finds(broken, "backends:", "no Service ranker-c")
        broken = Broken("central")
        broken.config("ranker-b:8001", "ranker-b:8002")
        self.finds(broken, "backends:", "with a port 8002")

    def test_config(self):
        broken = Broken("central")
        broken.config("floor:", "flor:")
        self.finds(broken, "config of StatefulSet", "flor", "floor")
        broken = Broken("central")
        broken.config("${BANDIT_TOKEN_KEY}", "${BANDIT_KEY}")
        self.finds(broken, "config of", "BANDIT_KEY", "env")
        broken = Broken("central")
        broken.router["env"][1]["valueFrom"]["secretKeyRef"]["optional"] = True
        self.finds(broken, "config of", "BANDIT_CONTROL_TOKEN", "env")


if __name__ == "__main__":
    unittest.main()
