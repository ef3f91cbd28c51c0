# SPDX-License-Identifier: Apache-2.0
"""One authority and one server certificate, for both sides of the router."""

import dataclasses
import pathlib

import certificates

# The name that clients ask for and the certificate has.
NAME = "router.test"


@dataclasses.dataclass
class Files:
    ca: pathlib.Path
    certificate: pathlib.Path
    key: pathlib.Path


def make(lab):
    """New files in a folder of the lab's."""
    authority = certificates.Authority(str(lab.folder("certificates")))
    server = authority.issue(
        "server", f"DNS:{NAME}", "DNS:localhost", "IP:127.0.0.1"
    )
    return Files(
        pathlib.Path(authority.certificate),
        pathlib.Path(server.certificate), pathlib.Path(server.key),
    )


def listen_yaml(files):
    """The router's side towards clients."""
    return f"tls: {{certificate: '{files.certificate}', key: '{files.key}'}}\n"


def backend_yaml(files):
    """The value of a backend's `tls`."""
    return f"{{ca: '{files.ca}', server_name: {NAME}}}"
