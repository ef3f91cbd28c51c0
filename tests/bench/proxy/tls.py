#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""TLS on both sides: this router beside HAProxy, CPU per request.

One thread each, TLS 1.3 with AES-128-GCM, h2load in front, nghttpd behind, the
same load in turn; a figure is the median of its rounds. The calls are plain
HTTP/2 with bodies both ways: what differs from gRPC is the content type.
"""

import argparse
import pathlib
import re
import statistics
import subprocess
import tempfile

import procfs
import proxies

# Bytes, connections, streams of each, requests.
SHAPES = [
    (300, 1, 1, 8_000),
    (300, 4, 8, 60_000),
    (300, 8, 32, 80_000),
    (16_384, 4, 8, 20_000),
    (1_048_576, 2, 4, 400),
]
SUITE = "TLS_AES_128_GCM_SHA256"
HAPROXY = """
global
  nbthread 1
  maxconn 1000
  tune.h2.max-concurrent-streams 1000
  ssl-default-bind-ciphersuites {suite}
  ssl-default-server-ciphersuites {suite}
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend bench
  bind 127.0.0.1:{port} ssl crt {work}/both.pem alpn h2
  default_backend model
backend model
  default-server ssl verify required ca-file {work}/cert.pem
  default-server verifyhost localhost alpn h2 proto h2
  server model 127.0.0.1:{backend}
"""
ROUTER = """
listen: 127.0.0.1:{port}
control: 127.0.0.1:0
admin: 127.0.0.1:0
workers: 1
state: "memory:"
tls: {{certificate: {work}/cert.pem, key: {work}/key.pem}}
backends:
  model: {{address: "127.0.0.1:{backend}", tls: {{ca: {work}/cert.pem}}}}
default_backend: model
"""


def make_files(work):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=b",
         "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
         "-keyout", work / "key.pem", "-out", work / "cert.pem"],
        check=True, capture_output=True)
    (work / "both.pem").write_bytes(
        (work / "cert.pem").read_bytes() + (work / "key.pem").read_bytes())
    (work / "www").mkdir()
    for size, *_ in SHAPES:
        (work / "www" / str(size)).write_bytes(b"x" * size)


def start(name, work, program, template, backend, *arguments):
    def command(port):
        config = work / f"{name}.cfg"
        config.write_text(template.format(
            port=port, backend=backend, work=work, suite=SUITE))
        return [program, *arguments, config]

    return proxies.start_on_free_port(name, work, command)


def cpu_us(server, work, shape):
    """CPU microseconds of the proxy for each request; every one must do."""
    size, connections, streams, requests = shape
    before = procfs.cpu_seconds(server.pid)
    text = subprocess.run(
        [proxies.tool("h2load"), "-n", str(requests), "-c", str(connections),
         "-m", str(streams), "-d", work / "www" / str(size),
         f"https://127.0.0.1:{server.port}/{size}"],
        check=True, capture_output=True, text=True).stdout
    if f"status codes: {requests} 2xx" not in text:
        raise SystemExit(f"requests failed through {server.name}:\n{text}")
    assert re.search(rf"Cipher: {SUITE}", text), text
    return (procfs.cpu_seconds(server.pid) - before) / requests * 1e6


def main():
    parser = argparse.ArgumentParser(
        prog="./dev bench tls", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True,
                        help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        make_files(work)
        servers = []
        try:
            backend = proxies.start_on_free_port(
                "nghttpd", work, lambda port: [
                    proxies.tool("nghttpd"), "-d", work / "www", "-n1",
                    "-m1000", str(port), work / "key.pem", work / "cert.pem"])
            servers.append(backend)
            servers.append(start(
                "haproxy", work, proxies.tool("haproxy"), HAPROXY,
                backend.port, "-db", "-f"))
            servers.append(start(
                "router", work, options.build / "bandit-router", ROUTER,
                backend.port, "--config"))
            print("| size, shape | HAProxy, us | router, us | ratio |")
            print("|---|---|---|---|")
            for shape in SHAPES:
                figures = {server.name: [] for server in servers[1:]}
                for _ in range(options.rounds):
                    for server in servers[1:]:
                        figures[server.name].append(
                            cpu_us(server, work, shape))
                medians = [statistics.median(f) for f in figures.values()]
                print(f"| {shape[0]} B, {shape[1]}x{shape[2]} "
                      f"| {medians[0]:.1f} | {medians[1]:.1f} "
                      f"| {medians[1] / medians[0]:.2f} |", flush=True)
        finally:
            for server in servers:
                server.stop()


if __name__ == "__main__":
    main()
