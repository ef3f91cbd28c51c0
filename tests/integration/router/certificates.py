# SPDX-License-Identifier: Apache-2.0
"""Certificates made for one test, by the openssl command."""

import os
import subprocess


def openssl(*arguments):
    subprocess.run(
        ["openssl", *arguments], check=True, capture_output=True, text=True
    )


def replace(path, text):
    """Puts a file in place at once, as one that takes care does."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Identity:
    """A certificate and its key, as paths and as bytes."""

    def __init__(self, stem):
        self.certificate = stem + ".pem"
        self.key = stem + ".key"

    @property
    def pem(self):
        return read(self.certificate)

    @property
    def key_pem(self):
        return read(self.key)


class Authority(Identity):
    """Signs certificates; its files are in `directory`."""

    def __init__(self, directory, name="ca"):
        super().__init__(os.path.join(directory, name))
        self.directory = directory
        self.serial = 0
        openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", f"/CN={name}", "-keyout", self.key,
            "-out", self.certificate,
        )

    def issue(self, stem, *names, days=30):
        """`names` as OpenSSL has them: DNS:a.test, IP:127.0.0.1, URI:..."""
        made = Identity(os.path.join(self.directory, stem))
        request = os.path.join(self.directory, stem + ".csr")
        extensions = os.path.join(self.directory, stem + ".ext")
        self.serial += 1
        openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-subj", f"/CN={stem}", "-keyout", made.key,
            "-out", request,
        )
        with open(extensions, "w", encoding="utf-8") as file:
            file.write("basicConstraints=CA:FALSE\n")
            if names:
                file.write(f"subjectAltName={','.join(names)}\n")
        openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate,
            "-CAkey", self.key, "-set_serial", str(self.serial),
            "-days", str(days), "-extfile", extensions,
            "-out", made.certificate,
        )
        return made
