# SPDX-License-Identifier: Apache-2.0
"""Follows a page as a reader would: a shell, a folder, block after block.

Blocks say by a mark, `<!-- test: ... -->`, what is done with them:

  run            the reader types it; it must end with 0
  run fails      ... and must not
  file NAME      the reader saves it under that name
  prints         what the block before prints: `...` on a line of its own stands
                 for any lines, in a line for anything; a number for any number
  says           the same, but numbers are meant as they are
  begins         as `prints`, but more may follow

The page's servers listen on 127.0.0.1. Here they get an address of the
loopback that is theirs alone, so that neither their ports nor their clients
meet anybody else's.
"""

import os
import pathlib
import random
import re
import signal
import subprocess
import threading

PAGE_ADDRESS = "127.0.0.1"
BLOCK_SECONDS = 120
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class Failed(AssertionError):
    """The page does not say what happens."""


def loopback():
    """An address that is most likely nobody else's."""
    return ".".join(["127"] + [str(random.randint(1, 254)) for _ in range(3)])


def pattern(text, numbers_count):
    """What the block shows, as a regular expression."""
    lines = []
    for line in text.rstrip("\n").splitlines():
        if line.strip() == "...":
            lines.append(r"(?:.*\n)*?")
            continue
        parts = " ".join(line.split()).split("...")
        expression = ".*?".join(re.escape(part.strip()) for part in parts)
        expression = expression.replace(r"\ ", r"\s+")
        if not numbers_count:
            expression = re.sub(r"(?:\d|\\\.(?=\d))+", r"[-+]?\\d[\\d.e+-]*",
                                expression)
        lines.append(r"\s*" + expression + r"\s*\n")
    return "".join(lines)


def shows(text, printed, numbers_count, more=False):
    """Whether that was printed."""
    expression = pattern(text, numbers_count)
    if more:
        expression += r"[\s\S]*"
    return re.fullmatch(expression, printed.rstrip("\n") + "\n") is not None


class Session:
    """One reader's shell, which begins in `start`; a context manager.

    `folder` is empty: the reader's, where his files go. Ends what it started.
    """

    def __init__(self, start, folder, replaced, environment):
        self.folder = pathlib.Path(folder)
        self._notes = self.folder / ".session"
        self._notes.mkdir()
        self.address = loopback()
        self._replaced = {PAGE_ADDRESS: self.address, **replaced}
        self._count = 0
        self._printed = ""
        # What it starts is in its process group.
        self._shell = subprocess.Popen(
            ["bash", "--norc", "--noprofile"], cwd=start,
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, text=True, start_new_session=True,
            env={**os.environ, "LC_ALL": "C.UTF-8", "TERM": "dumb",
                 "BANDIT_ADDRESS": f"{self.address}:8081", **environment})

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        try:
            os.killpg(self._shell.pid, signal.SIGTERM)
            self._shell.wait(20)
        except subprocess.TimeoutExpired:
            pass
        finally:
            # What is left, if anything.
            try:
                os.killpg(self._shell.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self._shell.wait(20)
            self._shell.stdin.close()

    def follow(self, page):
        """Every marked block of the page, in order; how many there were."""
        followed = 0
        for block in page.blocks:
            if not block.marks or block.marks[0] in ("part", "not"):
                continue
            try:
                self.do(block)
            except Failed as failure:
                raise Failed(f"{page.name}:{block.line}: {failure}") from None
            followed += 1
        return followed

    def do(self, block):
        what, *more = block.marks
        text = self.here(block.text)
        if what == "file":
            (self.folder / more[0]).write_text(text, encoding="utf-8")
        elif what == "run":
            self._run(text, fails="fails" in more)
        elif what in ("prints", "says", "begins"):
            if not shows(text, self._printed, what == "says", what == "begins"):
                raise Failed(f"the page shows\n{text}\nand there was\n"
                             f"{self._printed}")
        else:
            raise Failed(f"no such mark: {' '.join(block.marks)}")

    def here(self, text):
        for old, new in self._replaced.items():
            text = text.replace(old, new)
        return text

    def run(self, command):
        """What it printed; it must end with 0."""
        self._run(command + "\n", fails=False)
        return self._printed

    def _run(self, text, fails):
        self._count += 1
        stem = self._notes / f"block-{self._count}"
        script, output, code = (stem.with_suffix(suffix)
                                for suffix in (".sh", ".out", ".rc"))
        script.write_text(text, encoding="utf-8")
        os.mkfifo(code)
        # In the reader's own shell: `cd`, variables and jobs stay.
        self._shell.stdin.write(
            f". {script} > {output} 2>&1; echo $? > {code}\n")
        self._shell.stdin.flush()
        status = self._read(code)
        printed = output.read_text(encoding="utf-8", errors="replace")
        # The shell says of each job that it ended; at a terminal, too.
        self._printed = re.sub(r"(?m)^.*(?:Terminated|Killed).*\n", "", printed)
        if status is None:
            raise Failed(f"not done within {BLOCK_SECONDS} s; it printed\n"
                         f"{printed}")
        if (status != 0) != fails:
            raise Failed(f"ended with {status}; it printed\n{printed}")

    def _read(self, fifo):
        """The exit code, once there is one."""
        found = []

        def read():
            with open(fifo, encoding="ascii") as file:
                found.append(int(file.read()))

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        thread.join(BLOCK_SECONDS)
        return found[0] if found else None
