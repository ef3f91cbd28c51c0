# SPDX-License-Identifier: Apache-2.0
"""gRPC's interop test cases: grpc-go's client and server around the router.

The test service is an experiment of two arms, so that what the router adds is
there too. Cases that need credentials of a cloud are left out.

`pick_first_unary` asks whether all calls reach one server; grpc-go's does not
say who it is. So two servers of ours do, as the arms of a sticky experiment.
"""

import interop_tls
from lab import eventually, holds
from sheet import TLS

QUICK = False
NEEDS = ["interop_client", "interop_server"]
SECONDS = 600
CASES = [
    "empty_unary",
    "large_unary",
    "client_streaming",
    "server_streaming",
    "ping_pong",
    "empty_stream",
    "timeout_on_sleeping_server",
    "cancel_after_begin",
    "cancel_after_first_response",
    "status_code_and_message",
    "special_status_message",
    "custom_metadata",
    "unimplemented_method",
    "unimplemented_service",
    "orca_per_rpc",
    "orca_oob",
    "rpc_soak",
    "channel_soak",
]
CONFIG = """
state: 'memory:'
{listen}
backends:
  model: {{address: '127.0.0.1:{port}'{tls}}}
default_backend: model
experiments:
  - name: interop
    match: {{service: grpc.testing.TestService}}
    arms: [{{name: a, backend: model}}, {{name: b, backend: model}}]
    policy: {{name: fixed_split}}
"""
# Every call has this unit.
STICKY = """
state: 'memory:'
{listen}
backends:
  one: {{address: '{one}'}}
  two: {{address: '{two}'}}
experiments:
  - name: sticky
    match: {{service: grpc.testing.TestService}}
    unit: {{metadata: x-user-id}}
    arms: [{{name: a, backend: one}}, {{name: b, backend: two}}]
    policy: {{name: fixed_split}}
"""
SERVER_ID = 4  # Of grpc.testing.SimpleResponse.
ORCA = '{"loadBalancingConfig": [{"test_backend_metrics_load_balancer": {}}]}'
LISTENING = "interop server listening on 127.0.0.1:"


def run(lab, sheet):
    peer = "grpc-go " + lab.toolbox.go_version("interop_client")
    for transport in lab.transports:
        files = interop_tls.make(lab) if transport == TLS else None
        router = start(lab, files)
        for name in CASES:
            with sheet.case(peer, name, transport):
                call(lab, router.listen, name, files)
        pick_first(lab, sheet, peer, transport, files)


def pick_first(lab, sheet, peer, transport, files):
    listen = interop_tls.listen_yaml(files) if files else ""
    one, two = (sayer(lab, name) for name in ("one", "two"))
    router = lab.router(STICKY.format(
        one=one.address, two=two.address, listen=listen))
    with sheet.case(peer, "pick_first_unary", transport) as case:
        call(lab, router.listen, "pick_first_unary", files,
             "-additional_metadata", "x-user-id:somebody")
        counts = sorted([len(one.requests), len(two.requests)])
        holds(counts[0] == 0 and counts[1] > 0, f"requests: {counts}")
        case.note = f"{counts[1]} calls of one unit, one of two servers"


def sayer(lab, name):
    """A server whose answers have nothing but its id."""
    server = lab.model(name)
    server.UnaryCall = lambda _request, _context: lab.harness.field(
        SERVER_ID, name)
    return server


def start(lab, files):
    flags = ["-port", "0"]
    if files:
        flags += ["-use_tls", "-tls_cert_file", files.certificate,
                  "-tls_key_file", files.key]
    server = lab.serve(
        "interop_server", [lab.toolbox.go("interop_server"), *flags],
        env={"GRPC_GO_LOG_SEVERITY_LEVEL": "info"},
    )
    return lab.router(CONFIG.format(
        port=_port(server),
        listen=interop_tls.listen_yaml(files) if files else "",
        tls=f", tls: {interop_tls.backend_yaml(files)}" if files else "",
    ))


def call(lab, address, name, files, *more):
    host, port = address.split(":")
    flags = ["-server_host", host, "-server_port", port, "-test_case", name,
             *more]
    if files:
        flags += ["-use_tls", "-use_test_ca", "-ca_file", files.ca,
                  "-server_host_override", interop_tls.NAME]
    if name.startswith("orca"):
        flags += ["-service_config_json", ORCA]
    if name.endswith("soak"):
        flags += ["-soak_iterations", "200", "-soak_num_threads", "4",
                  "-soak_overall_timeout_seconds", "50",
                  "-soak_per_iteration_max_acceptable_latency_ms", "10000"]
    lab.run(lab.toolbox.go("interop_client"), *flags)


def _port(server):
    """From its log: it says so on standard error."""

    def said():
        with open(server.log, encoding="utf-8") as log:
            _, found, rest = log.read().partition(LISTENING)
        return found and rest.split("\n")[0]

    return int(eventually(said, what="the interop server did not start"))
