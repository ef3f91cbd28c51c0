# SPDX-License-Identifier: Apache-2.0
"""A certificate authority of one's own and a server certificate, by openssl."""

import dataclasses
import pathlib

# The name that clients ask for and the certificate has.
NAME = "router.test"
DAYS = "2"


@dataclasses.dataclass
class Certificates:
    ca: pathlib.Path
    certificate: pathlib.Path
    key: pathlib.Path


def make(lab):
    """New files in a folder of the lab's."""
    folder = lab.folder("certificates")
    openssl = lab.debian("openssl")
    files = Certificates(
        folder / "ca.pem", folder / "server.pem", folder / "server.key"
    )
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    lab.run(
        openssl, "req", "-x509", *new_key, "-keyout", folder / "ca.key",
        "-out", files.ca, "-days", DAYS, "-subj", "/CN=interop",
    )
    lab.run(
        openssl, "req", *new_key, "-keyout", files.key, "-out",
        folder / "server.csr", "-subj", f"/CN={NAME}",
    )
    names = folder / "names"
    names.write_text(f"subjectAltName=DNS:{NAME},DNS:localhost,IP:127.0.0.1\n")
    lab.run(
        openssl, "x509", "-req", "-in", folder / "server.csr", "-CA", files.ca,
        "-CAkey", folder / "ca.key", "-CAcreateserial", "-days", DAYS,
        "-extfile", names, "-out", files.certificate,
    )
    return files


def listen_yaml(files):
    """The router's side towards clients."""
    return f"tls: {{certificate: '{files.certificate}', key: '{files.key}'}}\n"


def backend_yaml(files):
    """The value of a backend's `tls`."""
    return f"{{ca: '{files.ca}', server_name: {NAME}}}"
