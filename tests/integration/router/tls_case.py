# SPDX-License-Identifier: Apache-2.0
"""What the tests of TLS, of access and of the life cycle share."""

import shutil
import tempfile
import time
import urllib.request

import grpc
from certificates import Authority
from harness import SERVICE, UNLIMITED, ModelServer, RouterTest

POLL_SECONDS = 0.02
PATIENCE_SECONDS = 60


class TlsTest(RouterTest):
    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.directory, True)
        self.ca = Authority(self.directory)

    def eventually(self, probe, message="it did not happen"):
        end = time.monotonic() + PATIENCE_SECONDS
        while not probe():
            if time.monotonic() > end:
                self.fail(message)
            time.sleep(POLL_SECONDS)

    def metric(self, router, family, **labels):
        with urllib.request.urlopen(f"http://{router.admin}/metrics") as page:
            text = page.read().decode()
        for line in text.splitlines():
            if line.startswith(family) and all(
                f'{k}="{v}"' in line for k, v in labels.items()
            ):
                return float(line.rsplit(" ", 1)[1])
        return None

    def secure_channel(self, router, address=None, ca=None, client=None,
                       name=None):
        options = UNLIMITED + [("grpc.use_local_subchannel_pool", 1)]
        if name:
            options.append(("grpc.ssl_target_name_override", name))
        credentials = grpc.ssl_channel_credentials(
            (ca or self.ca).pem,
            client.key_pem if client else None,
            client.pem if client else None,
        )
        channel = grpc.secure_channel(
            address or router.listen, credentials, options
        )
        self.addCleanup(channel.close)
        return channel

    def echo(self, channel, message=b"x", timeout=30):
        return channel.unary_unary(SERVICE + "Echo")(message, timeout=timeout)

    def fails(self, channel, code=grpc.StatusCode.UNAVAILABLE):
        with self.assertRaises(grpc.RpcError) as raised:
            self.echo(channel)
        self.assertEqual(raised.exception.code(), code)
        return raised.exception.details()

    def backend(self, backend, more=""):
        return f"""
state: "memory:"
backends: {{m: {backend}}}
default_backend: m
{more}
"""

    def listen_tls(self, identity, more=""):
        return (
            f"tls: {{certificate: {identity.certificate}, "
            f"key: {identity.key}{more}}}"
        )

    def tls_model(self, identity, client_ca=None):
        """A model server over TLS."""
        credentials = grpc.ssl_server_credentials(
            [(identity.key_pem, identity.pem)],
            client_ca.pem if client_ca else None,
            client_ca is not None,
        )
        server = ModelServer("model", credentials=credentials)
        self.addCleanup(server.stop)
        return server
