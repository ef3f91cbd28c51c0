# SPDX-License-Identifier: Apache-2.0
"""What everybody gets wrong once: each message names the cause and the mend."""

import os
import shutil
import socket
import sys
import tempfile
import unittest

sys.path.insert(
    0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../router")
)

from acts_case import ActsTest  # noqa: E402
from certificates import Authority  # noqa: E402

NO_ANSWER, INVALID, UNKNOWN, REFUSED = 1, 2, 3, 5
TOKEN = "t" * 40

# Of every command that asks a router, as it is called.
ASKING = {
    "status": (),
    "watch": ("--once",),
    "report": ("ranker",),
    "explain": ("ranker",),
    "reward": ("--decision", "x", "--value", "1"),
    "start": ("ranker",),
    "pause": ("ranker",),
    "resume": ("ranker",),
    "promote": ("ranker", "control"),
    "rollback": ("ranker",),
    "conclude": ("ranker",),
    "reset": ("ranker",),
    "approve": ("ranker",),
    "reinstate": ("ranker",),
    "audit": (),
}


class Errors(ActsTest):
    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.directory)
        self.ca = Authority(self.directory)

    def says(self, router, code, words, *arguments, token=None):
        text = self.ctl(router, *arguments, code=code, token=token)
        self.assertIn(words, text)
        self.assertEqual(text.count("\n"), 1, text)

    def at(self, address):
        """A stand-in for the router: `ctl` needs its address only."""
        return type("Address", (), {"control": address})

    def tls_router(self, more=""):
        identity = self.ca.issue("router", "DNS:router.test")
        return self.start(
            top=f"state: 'memory:'\ncontrol_tls: {{certificate: "
            f"{identity.certificate}, key: {identity.key}{more}}}"
        )


class WrongPort(Errors):
    def test_the_admin_port_for_every_command(self):
        router = self.start()
        for command, arguments in ASKING.items():
            with self.subTest(command):
                self.says(
                    self.at(router.admin), NO_ANSWER,
                    f"what answers at {router.admin} speaks HTTP/1, so it is "
                    "not the router's control address; is it the admin port?",
                    command, *arguments,
                )

    def test_nobody_there_for_every_command(self):
        # Bound, so that no one else can take it, and never listening.
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{unused.getsockname()[1]}"
            for command, arguments in ASKING.items():
                with self.subTest(command):
                    self.says(
                        self.at(address), NO_ANSWER,
                        f"no router at {address}: connection refused; is it "
                        "running", command, *arguments,
                    )

    def test_a_model_server_for_every_command(self):
        # It answers every method by what it was sent.
        server = self.model()
        for command, arguments in ASKING.items():
            with self.subTest(command):
                self.says(
                    self.at(server.address), NO_ANSWER, server.address,
                    command, *arguments,
                )

    def test_addresses_that_are_none(self):
        for address, words in (
            ("localhost", "has no port"),
            ("127.0.0.1:99999", "expected a port in [1, 65535]"),
            ("http://127.0.0.1:1", "has an unknown scheme"),
        ):
            self.says(self.at(address), INVALID, words, "status")


class Names(Errors):
    def test_an_unknown_experiment_for_every_command(self):
        router = self.start()
        for command, arguments in ASKING.items():
            # These take none, or any for a filter.
            if command in ("reward", "audit"):
                continue
            with self.subTest(command):
                given = [
                    "rankr" if word == "ranker" else word for word in arguments
                ]
                if "rankr" not in given:
                    given.insert(0, "rankr")
                self.says(
                    router, UNKNOWN, "no experiment is named rankr", command,
                    *given,
                )


class Tls(Errors):
    def test_tls_to_a_router_without(self):
        router = self.start()
        self.says(
            router, NO_ANSWER, "does not speak TLS", "status", "--tls"
        )

    def test_cleartext_to_a_router_with_tls(self):
        router = self.tls_router()
        self.says(
            router, NO_ANSWER, "does it speak TLS? --tls-ca FILE", "status"
        )

    def test_another_authority_and_another_name(self):
        router = self.tls_router()
        other = Authority(self.directory, "other")
        self.says(
            router, NO_ANSWER,
            f"is not signed by an authority in {other.certificate}; --tls-ca",
            "status", "--tls-ca", other.certificate, "--tls-name",
            "router.test",
        )
        self.says(
            router, NO_ANSWER, "is for another name", "status", "--tls-ca",
            self.ca.certificate,
        )
        self.ctl(
            router, "status", "--tls-ca", self.ca.certificate, "--tls-name",
            "router.test",
        )

    def test_a_client_certificate(self):
        router = self.tls_router(f", client_ca: {self.ca.certificate}")
        flags = ("status", "--tls-ca", self.ca.certificate, "--tls-name",
                 "router.test")
        self.says(
            router, NO_ANSWER,
            "does it ask for a certificate? --tls-cert and --tls-key", *flags,
        )
        other = Authority(self.directory, "other").issue("me", "DNS:me.test")
        self.says(
            router, NO_ANSWER, "signed by its control_tls.client_ca?", *flags,
            "--tls-cert", other.certificate, "--tls-key", other.key,
        )
        mine = self.ca.issue("mine", "DNS:mine.test")
        self.ctl(
            router, *flags, "--tls-cert", mine.certificate, "--tls-key",
            mine.key,
        )

    def test_files_that_cannot_be_used(self):
        mine = self.ca.issue("mine", "DNS:mine.test")
        nowhere = self.at("127.0.0.1:1")
        for words, *flags in (
            ("--tls-ca /nowhere cannot be read", "--tls-ca", "/nowhere"),
            (f"--tls-ca {mine.key} ", "--tls-ca", mine.key),
            ("belong together", "--tls-cert", mine.certificate),
            (f"is not the key of --tls-cert {mine.certificate}",
             "--tls-cert", mine.certificate, "--tls-key", self.ca.key),
        ):
            self.says(nowhere, INVALID, words, "status", *flags)


class Token(Errors):
    def test_a_missing_and_a_wrong_token(self):
        router = self.start(
            top=f"state: 'memory:'\ncontrol_token: {TOKEN}"
        )
        for token in (None, "wrong"):
            for command, arguments in ASKING.items():
                # A reward has its own token.
                if command == "reward":
                    continue
                with self.subTest(command, token=token):
                    self.says(
                        router, REFUSED,
                        "give it with --token or BANDIT_CONTROL_TOKEN",
                        command, *arguments, token=token,
                    )
        self.ctl(router, "status", token=TOKEN)
        self.says(
            router, INVALID, "cannot be sent in metadata", "status",
            token="two words",
        )


if __name__ == "__main__":
    unittest.main()
