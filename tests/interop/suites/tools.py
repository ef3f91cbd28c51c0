# SPDX-License-Identifier: Apache-2.0
"""grpcurl and ghz: what people call and load gRPC services with.

Reflection: on `control` it is the router's own, on `listen` it goes to the
default backend like any other call.
"""

import json
import re

import grpc

import interop_tls
import oip_server
from lab import ROOT, eventually, holds, same
from sheet import TLS

QUICK = False
NEEDS = ["grpcurl", "ghz"]
SECONDS = 300
OIP = ["-import-path", ROOT / "protos", "-proto",
       "inference/grpc_predict_v2.proto"]
BANDIT = ["-import-path", ROOT / "protos", "-proto",
          "bandit/v1/feedback.proto", "-proto", "bandit/v1/admin.proto"]
SERVICE = "inference.GRPCInferenceService"
CONFIG = """
state: 'memory:'
learner: {{tick: 10ms}}
{listen}
backends:
  model: {{address: '{address}'{tls}}}
default_backend: model
experiments:
  - name: simple
    match: {{service: inference.GRPCInferenceService, model: simple}}
    arms: [{{name: a, backend: model}}, {{name: b, backend: model}}]
    policy: {{name: thompson}}
    metrics: [{{name: click, kind: binary}}]
"""


def run(lab, sheet):
    for transport in lab.transports:
        files = interop_tls.make(lab) if transport == TLS else None
        server = oip_server.OipServer(
            oip_server.messages(lab), "python",
            files and grpc.ssl_server_credentials(
                [(files.key.read_bytes(), files.certificate.read_bytes())]),
        )
        lab.later(server.stop)
        router = lab.router(CONFIG.format(
            address=server.address,
            listen=interop_tls.listen_yaml(files) if files else "",
            tls=f", tls: {interop_tls.backend_yaml(files)}" if files else "",
        ))
        curl = Grpcurl(lab, files)
        calls(sheet, curl, router, transport)
        rewards(lab, sheet, curl, router, transport)
        load(lab, sheet, router, files, transport)
    reflection(lab, sheet, Grpcurl(lab, None), router)


class Grpcurl:
    def __init__(self, lab, files):
        self.lab = lab
        self.program = lab.toolbox.go("grpcurl")
        self.peer = "grpcurl " + lab.toolbox.go_version("grpcurl")
        self.security = ["-plaintext"] if files is None else [
            "-cacert", files.ca, "-servername", interop_tls.NAME]

    def __call__(self, *arguments, data=None, check=True):
        flags = [] if data is None else ["-d", data]
        done = self.lab.run(
            self.program, *self.security, "-max-time", "30", *flags,
            *arguments, check=check,
        )
        return done.stdout if check else done.stderr


def infer_request(**more):
    tensor = {"datatype": "INT32", "shape": [1, 16],
              "contents": {"int_contents": list(range(16))}}
    return json.dumps({
        "model_name": "simple",
        "inputs": [{"name": "INPUT0", **tensor}, {"name": "INPUT1", **tensor}],
        **more,
    })


def calls(sheet, curl, router, transport):
    with sheet.case(curl.peer, "unary call", transport):
        said = curl(*OIP, router.listen, f"{SERVICE}/ServerMetadata", data="{}")
        same(json.loads(said)["name"], "python")
    with sheet.case(curl.peer, "decision in the headers (-v)", transport):
        said = curl("-v", *OIP, router.listen, f"{SERVICE}/ModelInfer",
                    data=infer_request(id="seven"))
        holds('"id": "seven"' in said, said[-300:])
        for name in ("x-bandit-decision", "x-bandit-arm",
                     "x-bandit-experiment: simple"):
            holds(name in said, f"no {name}")
    with sheet.case(curl.peer, "bidirectional stream", transport):
        said = curl(*OIP, router.listen, f"{SERVICE}/ModelStreamInfer",
                    data=infer_request(id="one") + infer_request(id="two"))
        same(re.findall(r'"id": "(\w+)"', said), ["one", "two"])
    with sheet.case(curl.peer, "an error of the server's", transport):
        said = curl(
            *OIP, router.listen, f"{SERVICE}/ModelInfer", check=False,
            data=infer_request(model_name="absent"),
        )
        holds("NotFound" in said and "no model absent" in said, said)
    with sheet.case(curl.peer, "-max-time is a deadline", transport):
        said = curl(
            "-max-time", "1", *OIP, router.listen, f"{SERVICE}/ModelInfer",
            check=False, data=infer_request(model_name="slow"),
        )
        holds("DeadlineExceeded" in said, said)


def rewards(lab, sheet, curl, router, transport):
    with sheet.case(curl.peer, "reward through `listen`, then status",
                    transport):
        said = curl("-v", *OIP, router.listen, f"{SERVICE}/ModelInfer",
                    data=infer_request())
        token = re.search(r"x-bandit-decision: (\S+)", said)[1]
        body = json.dumps({"rewards": [{"decision": token, "value": 1}]})
        said = curl(*BANDIT, router.listen, "bandit.v1.Feedback/Record",
                    data=body)
        same(json.loads(said)["outcomes"], ["ACCEPTED"])
        eventually(lambda: lab.metric(
            router, "bandit_arm_reward_count", experiment="simple") == 1)
        said = curl(*BANDIT, router.listen, "bandit.v1.Admin/GetStatus",
                    data="{}")
        same([e["name"] for e in json.loads(said)["experiments"]], ["simple"])


def load(lab, sheet, router, files, transport):
    peer = "ghz " + lab.toolbox.go_version("ghz")
    security = ["--insecure"] if files is None else [
        "--cacert", files.ca, "--cname", interop_tls.NAME]

    def ghz(method, count, data):
        done = lab.run(
            lab.toolbox.go("ghz"), *security, "-i", ROOT / "protos", "--proto",
            ROOT / "protos/inference/grpc_predict_v2.proto", "--call",
            f"{SERVICE}.{method}", "-n", count, "-c", 20, "--connections", 4,
            "-d", data, "-O", "json", "--timeout", "30s", router.listen,
            seconds=120,
        )
        found = json.loads(done.stdout)
        same(found["statusCodeDistribution"], {"OK": count})

    with sheet.case(peer, "2,000 unary calls, 4 connections", transport):
        ghz("ModelInfer", 2000, infer_request())
    with sheet.case(peer, "500 streams of 3 messages", transport):
        ghz("ModelStreamInfer", 500, f"[{', '.join([infer_request()] * 3)}]")
    with sheet.case(peer, "the router counted each call", transport) as case:
        name = "bandit_requests_total"
        found = eventually(lambda: lab.metric(
            router, name, experiment="simple", code="OK") >= 2500)
        holds(found, "too few")
        case.note = f"{int(lab.metric(router, name)):,} requests"


def reflection(lab, sheet, curl, router):
    with sheet.case(curl.peer, "reflection on `control` is the router's"):
        said = curl(router.control, "list")
        for name in ("bandit.v1.Feedback", "bandit.v1.Admin",
                     "grpc.health.v1.Health"):
            holds(name in said, said)
    with sheet.case(curl.peer, "reflection on `listen` is the backend's"):
        # A server with reflection that is at hand: another control port.
        text = CONFIG.format(address=router.control, listen="", tls="")
        front = lab.router(text)
        same(curl(front.listen, "list"), curl(router.control, "list"))
        said = curl(front.listen, "describe", "bandit.v1.Feedback")
        holds("rpc Record" in said, said)
    with sheet.case(curl.peer, "a backend without reflection") as case:
        server = oip_server.OipServer(oip_server.messages(lab), "python")
        lab.later(server.stop)
        alone = lab.router(
            CONFIG.format(address=server.address, listen="", tls=""))
        said = curl(alone.listen, "list", check=False)
        case.note = said.strip().splitlines()[0]
        holds("Failed to list services" in said, said)
