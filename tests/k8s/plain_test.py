# SPDX-License-Identifier: Apache-2.0
"""The plain manifests, with nothing but Debian's packages."""

import os
import unittest

import checks
import copies
import kustomize_lite
import manifests
from config_check import ConfigCheck

MONITORING = manifests.K8S / "monitoring"
SIDECAR = manifests.K8S / "kustomize" / "components" / "sidecar" / "patch.yaml"


class PlainManifests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.config_check = ConfigCheck(os.environ["BANDIT_ROUTER"])
        cls.addClassCleanup(cls.config_check.close)

    def test_every_yaml_file_is_yaml(self):
        """All but the chart's templates, which are not."""
        files = [f for f in manifests.K8S.rglob("*.yaml")
                 if "templates" not in f.parts]
        self.assertGreater(len(files), 25)
        for file in files:
            with self.subTest(file=str(file.relative_to(manifests.K8S))):
                manifests.documents(file.read_text())

    def test_kustomizations_hold_every_check(self):
        folders = manifests.kustomizations()
        self.assertGreaterEqual(len(folders), 6)
        for folder in folders:
            with self.subTest(folder=str(folder.relative_to(manifests.K8S))):
                docs = kustomize_lite.build(folder)
                self.assertTrue(manifests.router_pods(docs), "no router")
                self.assertEqual(
                    checks.all_problems(docs, self.config_check), [])

    def test_every_router_yaml_is_in_a_kustomization(self):
        """So that none escapes the test above. The base's own is seen alone."""
        used = {
            text for folder in manifests.kustomizations()
            for text in manifests.config_maps(
                kustomize_lite.build(folder)).values()}
        for file in manifests.K8S.rglob("router.yaml"):
            self.assertIn(file.read_text(), used, file)

    def test_sidecar_and_base_are_the_same_container(self):
        """But for what a sidecar must have otherwise."""
        (base,) = manifests.router_pods(
            kustomize_lite.build(manifests.K8S / "kustomize" / "base"))
        (sidecar,) = manifests.router_pods(
            manifests.documents(SIDECAR.read_text()))
        for key in ("name", "image", "args", "ports", "startupProbe",
                    "livenessProbe", "resources", "securityContext",
                    "volumeMounts"):
            self.assertEqual(base.router[key], sidecar.router[key], key)

    def test_copies_are_copies(self):
        self.assertEqual(copies.stale(), [],
                         "run /usr/bin/python3 tests/k8s/copies.py --write")


if __name__ == "__main__":
    unittest.main()
