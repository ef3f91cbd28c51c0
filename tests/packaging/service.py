# SPDX-License-Identifier: Apache-2.0
"""A router started inside a root, and requests sent to it from outside."""

import pathlib
import re
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
CONFIG = """\
listen: 127.0.0.1:0
control: 127.0.0.1:0
admin: 127.0.0.1:0
state: sqlite:///var/lib/bandit-router/state.db
token_key: ${{BANDIT_TOKEN_KEY}}
backends: {{model: {{address: "{address}"}}}}
default_backend: model
experiments:
  - name: e
    match: {{service: inference.GRPCInferenceService}}
    arms: [{{name: a, backend: model}}, {{name: b, backend: model}}]
    policy: {{name: thompson}}
    metrics: [{{name: click, kind: binary}}]
"""


def harness(router):
    """tests/integration/router/harness.py, whose router is this one."""
    import os  # pylint: disable=import-outside-toplevel

    os.environ.setdefault("BANDIT_ROUTER", str(router))
    sys.path.insert(0, str(HERE.parent / "integration" / "router"))
    import harness as found  # pylint: disable=import-outside-toplevel

    return found


def serves(root, user, config_path, read_only=False):
    """Starts /usr/bin/bandit-router as the user (uid:gid), with a config put
    at the path; sends a request and its reward, scrapes, ends it by SIGTERM.
    Returns what it said. Raises AssertionError if something is not so."""
    test = harness(root.inside("/usr/bin/bandit-router"))
    model = test.ModelServer()
    path = root.inside(config_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(CONFIG.format(address=model.address))
    path.chmod(0o644)
    path.parent.chmod(0o755)
    log = root.path.parent / f"{root.path.name}.router.log"
    try:
        with open(log, "wb") as errors, subprocess.Popen(
                root.command(
                    ["/usr/bin/bandit-router", "--config", config_path],
                    user=user, read_only=read_only,
                    environment={"BANDIT_TOKEN_KEY": "k" * 32}),
                stdout=subprocess.PIPE, stderr=errors, text=True) as process:
            try:
                ready = process.stdout.readline()
                assert ready.startswith("bandit-router ready"), log.read_text()
                _ask(test, dict(re.findall(r"(\w+)=(\S+)", ready)))
                _end(process)
            finally:
                process.kill()
    finally:
        model.stop()
    return log.read_text()


def _ask(test, addresses):
    import grpc  # pylint: disable=import-outside-toplevel

    with grpc.insecure_channel(addresses["listen"]) as channel:
        metadata, answer = test.decide(channel, message=b"ping")
        assert answer == b"ping", answer
        assert metadata["x-bandit-arm"] in "ab", metadata
        outcomes = test.record(
            channel, test.reward(metadata["x-bandit-decision"], 1.0))
        assert outcomes == ["ACCEPTED"], outcomes


def _end(process):
    """SIGTERM to the router, which is the child of unshare's child."""
    children = pathlib.Path(
        f"/proc/{process.pid}/task/{process.pid}/children")
    router = int(children.read_text().split()[0])
    import os  # pylint: disable=import-outside-toplevel

    os.kill(router, signal.SIGTERM)
    deadline = time.monotonic() + 60
    code = process.wait(max(1, deadline - time.monotonic()))
    assert code == 0, f"the router ended with {code}"
