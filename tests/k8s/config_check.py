# SPDX-License-Identifier: Apache-2.0
"""Gives the configs inside manifests to the real binary."""

import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration" / "router"))

VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(:-[^}]*)?\}")
# Where manifests mount certificates; the check reads them.
TLS_FILE = re.compile(r"/etc/(?:bandit-tls|models-ca)/[\w./-]+")


class ConfigCheck:
    """`bandit-router --check`, in an environment as the container's."""

    def __init__(self, router):
        self.router = router
        self.folder = tempfile.TemporaryDirectory(prefix="bandit-k8s-")
        self.identity = self.authority = None

    def close(self):
        self.folder.cleanup()

    def problems(self, text, container):
        """What is wrong with the config in this container; a list of lines."""
        environment = {}
        for variable in container.get("env", []):
            secret = variable.get("valueFrom", {}).get("secretKeyRef", {})
            if secret.get("optional"):
                continue  # It may not be there.
            # A secret's value: long enough for a key or a token.
            value = variable.get("value", "k8s-test-" + "0123456789abcdef" * 4)
            environment[variable["name"]] = value
        for name, default in VARIABLE.findall(_without_comments(text)):
            if name not in environment and not default:
                return [f"${{{name}}} is not in the container's env"]
        path = pathlib.Path(self.folder.name) / "router.yaml"
        path.write_text(TLS_FILE.sub(self._certificate, text))
        done = subprocess.run(
            [self.router, "--check", "--config", path], env=environment,
            capture_output=True, text=True, timeout=60, check=False)
        if done.returncode == 0:
            return []
        said = done.stderr.replace(f"{path}:", "router.yaml:").strip()
        return [f"exit code {done.returncode}", *said.splitlines()]

    def _certificate(self, match):
        if self.identity is None:
            from certificates import Authority  # pylint: disable=C0415

            authority = Authority(self.folder.name)
            self.identity = authority.issue("router", "DNS:router")
            self.authority = authority
        if match[0].endswith(".key"):
            return str(self.identity.key)
        if match[0].endswith("tls.crt"):
            return str(self.identity.certificate)
        return str(self.authority.certificate)


def _without_comments(text):
    return "\n".join(line for line in text.splitlines()
                     if not line.lstrip().startswith("#"))
