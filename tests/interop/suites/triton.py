# SPDX-License-Identifier: Apache-2.0
"""NVIDIA's Python client, which knows nothing of a router.

It does not show a response's metadata, so its users name the request by an id
of theirs, and reward it by that (`join`).
"""

import grpc

import interop_tls
import oip_server
from lab import eventually, holds, same
from sheet import TLS

QUICK = False
NEEDS = ["venv"]
SECONDS = 300
CONFIG = """
state: 'memory:'
learner: {{tick: 10ms}}
join: {{}}
{listen}
backends:
  a: {{address: '{a}'{tls}}}
  b: {{address: '{b}'{tls}}}
default_backend: a
experiments:
  - name: simple
    match: {{service: inference.GRPCInferenceService, method: ModelInfer,
             model: simple}}
    arms:
      - {{name: as-asked, backend: a}}
      - {{name: other, backend: b, model: {{name: simple-b, version: "7"}}}}
    policy: {{name: fixed_split}}
    metrics: [{{name: click, kind: binary}}]
"""


def run(lab, sheet):
    peer = "tritonclient " + lab.toolbox.python_version("tritonclient")
    for transport in lab.transports:
        files = interop_tls.make(lab) if transport == TLS else None
        a, b = (start_server(lab, name, files) for name in ("a", "b"))
        router = lab.router(CONFIG.format(
            a=a.address, b=b.address,
            listen=interop_tls.listen_yaml(files) if files else "",
            tls=f", tls: {interop_tls.backend_yaml(files)}" if files else "",
        ))
        lab.client(
            sheet, peer, transport, "triton_calls.py", router.listen,
            *([files.ca] if files else []),
        )
        rewards(lab, sheet, peer, transport, router, (a, b))


def start_server(lab, name, files):
    credentials = files and grpc.ssl_server_credentials(
        [(files.key.read_bytes(), files.certificate.read_bytes())]
    )
    server = oip_server.OipServer(
        oip_server.messages(lab), name, credentials
    )
    lab.later(server.stop)
    return server


def rewards(lab, sheet, peer, transport, router, servers):
    a, b = servers
    with sheet.case(peer, "arms differ by model name and version", transport):
        holds(("simple", "") in a.seen, "the first arm's model is another")
        holds(("simple-b", "7") in b.seen, f"the second arm saw {b.seen[:3]}")
        holds(("simple", "") not in b.seen, "an override was left out")
    with sheet.case(
        peer, "200 rewards by the client's own request ids", transport
    ) as case:
        with router.channel(router.control) as channel:
            for i in range(200):
                reward = lab.reward_by_id(f"triton-{i}", i % 2)
                same(lab.harness.record(channel, reward), ["ACCEPTED"])
        eventually(
            lambda: lab.metric(router, "bandit_arm_reward_count") == 200
        )
        case.note = "accepted and counted"
