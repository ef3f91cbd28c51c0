# SPDX-License-Identifier: Apache-2.0
"""Where a suite works: the programs it needs, servers, routers, a folder.

All servers listen on loopback, on ports that were free, and end with the
suite. What is downloaded stays in `cache`, by version.
"""

import contextlib
import importlib
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HARNESS = HERE.parent / "integration" / "router"
sys.path.insert(0, str(HERE.parent / "bench" / "proxy"))
sys.path.insert(0, str(HARNESS))

import proxies  # noqa: E402
import tools  # noqa: E402


class Lab:
    """One suite's; a context manager."""

    def __init__(self, work, toolbox, transports):
        # harness.py asks for BANDIT_ROUTER when it is imported.
        import harness  # pylint: disable=import-outside-toplevel

        self.harness = harness
        self.work = work
        self.toolbox = toolbox
        self.transports = transports
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return self._stack.__exit__(*exception)

    def later(self, function, *arguments):
        self._stack.callback(function, *arguments)

    # --- servers

    def router(self, config, environment=None):
        directory = self.folder("router")
        router = self.harness.Router(
            config, directory=str(directory), environment=environment
        )
        self.later(_end_router, router)
        return router

    def model(self, name="model"):
        """The integration tests' server: any method of any service."""
        server = self.harness.ModelServer(name)
        self.later(server.stop)
        return server

    def serve(self, name, command, env=None, cwd=None):
        """A program that says on standard output where it listens."""
        command = ["env", "-C", str(cwd or self.work), *map(str, command)]
        server = proxies.Server(
            name, command, self.folder(name) / "log", env=env
        )
        self.later(server.stop)
        return server

    def serve_on_free_port(self, name, command, env=None, cwd=None):
        """A program that must be told; `command(port)` gives its argv."""
        for _ in range(3):
            port = free_port()
            server = self.serve(name, command(port), env, cwd)
            with contextlib.suppress(proxies.Unavailable):
                server.wait_for_port(port)
                return server
        raise server.failure("did not start on three ports")

    def folder(self, name):
        """A new one."""
        number = 1
        while (folder := self.work / f"{name}-{number}").exists():
            number += 1
        folder.mkdir(parents=True)
        return folder

    # --- what is asked of a router

    def metric(self, router, name, **labels):
        """The sum of the samples whose labels include these."""
        with urllib.request.urlopen(f"http://{router.admin}/metrics") as page:
            lines = page.read().decode().splitlines()
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in lines
            if line.startswith((name + "{", name + " "))
            and all(f'{key}="{value}"' in line for key, value in labels.items())
        )

    def reward_by_id(self, request_id, value):
        """A RecordRequest; the decision is found by the request's id."""
        field = self.harness.field
        return field(1, b"\x19" + struct.pack("<d", value)
                     + field(4, request_id))

    # --- programs

    def run(self, *command, seconds=60, check=True, text=True, **more):
        """Runs it; unless told otherwise it must exit with 0."""
        done = subprocess.run(
            [str(word) for word in command], capture_output=True,
            text=text, timeout=seconds, check=False, **more,
        )
        if check and done.returncode != 0:
            raise Failed(command, done)
        return done

    def client(self, sheet, peer, transport, script, *arguments):
        """A script of clients/, in the venv; enters its cases."""
        command = [self.toolbox.python(), "-B", HERE / "clients" / script]
        self.cases(sheet, peer, transport, [*command, *arguments],
                   {"PYTHONPATH": str(HARNESS)})

    def cases(self, sheet, peer, transport, command, env):
        """A program that prints its cases as lines of JSON; enters them."""
        script = next(
            pathlib.Path(word).name for word in command
            if str(word).endswith((".py", ".cjs"))
        )
        with sheet.case(peer, f"{script} runs to its end", transport) as whole:
            done = self.run(*command, seconds=180, check=False,
                            env={**os.environ, **env})
            lines = [line for line in done.stdout.splitlines()
                     if line.startswith('{"case"')]
            for line in lines:
                sheet.enter(peer, transport, **json.loads(line))
            if done.returncode != 0 or not lines:
                raise Failed([script], done)
            # Its cases count, it does not.
            whole.counts = 0

    def messages(self, proto):
        """The Python module that Debian's protoc makes of one of ours."""
        protos = ROOT / "protos"
        out = self.folder("protos")
        self.run(self.debian("protoc"), "-I", protos, f"--python_out={out}",
                 protos / proto)
        sys.path.insert(0, str(out))
        self.later(sys.path.remove, str(out))
        name = proto.removesuffix(".proto").replace("/", ".") + "_pb2"
        return importlib.import_module(name)

    def debian(self, name):
        """A program that a Debian package brings."""
        path = shutil.which(name, path="/usr/bin:/usr/sbin")
        if path is None:
            raise tools.Missing(f"{name}: run ./dev setup test")
        return path


class Failed(Exception):
    """A program ended otherwise than it should."""

    def __init__(self, command, done):
        said = (done.stderr or done.stdout or "").strip()
        name = pathlib.Path(str(command[0])).name
        super().__init__(f"{name} exited with {done.returncode}: {said[-500:]}")


def _end_router(router):
    code = router.stop()
    logged = router.logged()
    holds(code == 0 and "Sanitizer" not in logged,
          f"the router ended with {code}: {logged[-2000:]}")


def free_port():
    return proxies._free_port()  # pylint: disable=protected-access


def eventually(question, seconds=30, what="it did not come about"):
    """Its first answer that is true; for what another process does."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} within {seconds} s")
        time.sleep(0.02)


def same(found, expected, what="found"):
    if found != expected:
        raise AssertionError(f"{what}: {found!r}, expected {expected!r}")


def holds(condition, message):
    if not condition:
        raise AssertionError(message)
