# SPDX-License-Identifier: Apache-2.0
"""watch on a real terminal (a pty), and where there is none."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest

sys.path.insert(
    0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../router")
)

from acts_case import BANDITCTL, ActsTest  # noqa: E402
from harness import Router, decide  # noqa: E402

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
PATIENCE = 30


class Screen:
    """What a terminal shows of the few escapes that watch writes."""

    def __init__(self, rows, columns):
        self.resize(rows, columns)
        self.fits = True

    def resize(self, rows, columns):
        self.columns = columns
        self.lines = [""] * rows
        self.row = self.column = 0
        # Frames drawn for the size before may still come: they are cut, as a
        # terminal does. From the first whole one that fits, all must.
        self.fits = False
        self.frame_fits = False

    def feed(self, text):
        i = 0
        while i < len(text):
            if text.startswith("\x1b[", i):
                end = i + 2
                while not text[end].isalpha():
                    end += 1
                self.escape(text[i + 2:end], text[end])
                i = end + 1
                continue
            if text[i] == "\r":
                self.column = 0
            elif text[i] == "\n":
                self.row = min(self.row + 1, len(self.lines) - 1)
            else:
                self.put(text[i])
            i += 1

    def put(self, letter):
        if self.column >= self.columns:
            assert not self.fits, (letter, self.text())
            self.frame_fits = False
            return
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = (
            line[:self.column] + letter + line[self.column + 1:]
        )
        self.column += 1

    def escape(self, arguments, final):
        if final == "H":
            self.fits = self.fits or self.frame_fits
            self.frame_fits = True
            self.row = self.column = 0
        elif final == "K":
            self.lines[self.row] = self.lines[self.row][:self.column]
        elif final == "J":
            self.lines[self.row + 1:] = [""] * (len(self.lines) - self.row - 1)
        else:
            assert final in "hlm", (arguments, final)

    def text(self):
        return "\n".join(self.lines)


class Watching:
    """banditctl watch in a pty."""

    def __init__(self, *arguments, rows=40, columns=120, **environment):
        self.master, slave = pty.openpty()
        self.size(rows, columns)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        variables = {
            key: value for key, value in os.environ.items()
            if key not in ("LC_ALL", "LC_CTYPE", "NO_COLOR", "BANDIT_ADDRESS")
        }
        variables.update(TERM="xterm", LANG="C.UTF-8")
        variables.update(environment)
        self.process = subprocess.Popen(
            [BANDITCTL, "watch", *arguments], stdin=slave, stdout=slave,
            stderr=slave, env=variables, start_new_session=True,
            # Ctrl-C is for the terminal's foreground group.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        self.bytes = b""
        self.rest = b""
        self.screen = Screen(rows, columns)

    def size(self, rows, columns):
        fcntl.ioctl(
            self.master, termios.TIOCSWINSZ,
            struct.pack("HHHH", rows, columns, 0, 0),
        )

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        self.size(rows, columns)

    def read(self, seconds=0.1):
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.bytes += data
        # A frame is written at once, but read in parts: keep what is cut.
        self.rest += data
        cut = self.rest.rfind(b"\x1b")
        whole = self.rest
        if cut >= 0 and not any(65 <= c <= 122 and c != 91
                                for c in self.rest[cut + 1:]):
            whole = self.rest[:cut]
        text = whole.decode(errors="ignore")
        self.rest = self.rest[len(text.encode()):]
        self.screen.feed(text)
        return True

    def until(self, what):
        end = time.monotonic() + PATIENCE
        while not (self.screen.fits and what(self.screen.text())):
            assert time.monotonic() < end, self.screen.text()
            self.read()

    def type(self, text):
        os.write(self.master, text.encode())

    def end(self):
        """The exit code; reads what is left."""
        while self.process.poll() is None:
            self.read(0.05)
        while self.read(0):
            pass
        return self.process.wait(PATIENCE)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for end in (self.master, self.slave):
            os.close(end)


class RouterAt(Router):
    """One whose control address is given: that of one that has ended."""

    def __init__(self, control, config):
        self.fixed = control
        super().__init__(config)

    def write(self, config):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(
                f"listen: 127.0.0.1:0\ncontrol: {self.fixed}\n"
                "admin: 127.0.0.1:0\n" + config
            )


class Watch(ActsTest):
    def watch(self, router, *arguments, **how):
        watching = Watching(
            *arguments, "--address", router.control, "--interval", "0.1",
            "--timeout", "20", **how,
        )
        self.addCleanup(watching.close)
        return watching

    def restored(self, watching):
        """The terminal is as it was."""
        self.assertEqual(watching.bytes.count(ENTER), 1)
        self.assertEqual(watching.bytes.count(LEAVE), 1)
        # The cursor is there again.
        self.assertGreater(
            watching.bytes.rfind(b"\x1b[?25h"),
            watching.bytes.rfind(b"\x1b[?25l"),
        )
        self.assertEqual(termios.tcgetattr(watching.slave), watching.before)


class Terminal(Watch):
    def test_it_shows_what_happens_and_gives_the_terminal_back(self):
        router = self.start()
        channel = self.channel(router)
        watching = self.watch(router)
        watching.until(lambda s: "ranker: fixed_split on click" in s)
        self.served(channel)
        watching.until(lambda s: "40 decisions" in s)
        self.ctl(router, "pause", "ranker", "--why", "lunch")
        watching.until(lambda s: "ranker: paused by tester: lunch" in s)
        self.ctl(router, "resume", "ranker")
        self.ctl(router, "reset", "ranker")
        watching.until(lambda s: "ranker: epoch 2 begins" in s)
        watching.until(lambda s: "split: " in s)
        watching.type("\x03")  # Ctrl-C.
        self.assertEqual(watching.end(), 0)
        self.restored(watching)

    def test_every_way_to_end_it_gives_the_terminal_back(self):
        router = self.start()
        for end in (
            lambda w: w.type("q"),
            lambda w: w.process.send_signal(signal.SIGTERM),
            lambda w: w.process.send_signal(signal.SIGHUP),
        ):
            watching = self.watch(router)
            watching.until(lambda s: "ranker: " in s)
            end(watching)
            self.assertEqual(watching.end(), 0)
            self.restored(watching)

    def test_after_count_looks_the_last_one_stays_to_be_read(self):
        router = self.start()
        watching = self.watch(router, "--count", "3")
        self.assertEqual(watching.end(), 0)
        self.restored(watching)
        left = watching.bytes.split(LEAVE)[1]
        self.assertIn(b"ranker", left)

    def test_it_follows_the_size_of_the_terminal(self):
        router = self.start()
        watching = self.watch(router, rows=30, columns=160)
        watching.until(lambda s: "p50 ms" in s)
        watching.resize(12, 40)
        # Screen.put fails if anything is wider than the terminal.
        watching.until(lambda s: "ranker" in s and "candidate" in s)
        self.assertNotIn("p50 ms", watching.screen.text())
        watching.until(lambda s: "q ends" in s)
        watching.resize(6, 40)
        watching.until(lambda s: "0 above" in s)
        watching.type("\x1b[B")
        watching.until(lambda s: "1 above" in s)
        watching.type("q")
        self.assertEqual(watching.end(), 0)

    def test_a_router_that_restarts_is_waited_for(self):
        router = self.start()
        watching = self.watch(router)
        watching.until(lambda s: "ranker: " in s)
        router.kill()
        watching.until(lambda s: "NO ANSWER for" in s)
        again = RouterAt(router.control, self.text())
        self.addCleanup(again.stop)
        watching.until(lambda s: "the router has restarted" in s)
        watching.until(lambda s: "NO ANSWER" not in s)
        self.assertIn("the router answers again", watching.screen.text())
        watching.type("q")
        self.assertEqual(watching.end(), 0)

    def test_no_color_and_no_utf8_are_respected(self):
        router = self.start()
        self.served(self.channel(router))
        watching = self.watch(router, NO_COLOR="1", LANG="C")
        watching.until(lambda s: "40 decisions" in s and "####" in s)
        watching.type("q")
        self.assertEqual(watching.end(), 0)
        self.assertNotRegex(watching.bytes, rb"\x1b\[[0-9;]*m")
        watching.bytes.decode("ascii")

    def test_a_router_that_is_not_there_at_first_is_an_error(self):
        router = self.start()
        router.stop()
        watching = self.watch(router)
        self.assertEqual(watching.end(), 1)
        self.assertIn(b"no router at", watching.bytes)
        self.assertNotIn(ENTER, watching.bytes)


class Appended(Watch):
    def test_without_a_terminal_lines_are_appended(self):
        router = self.start()
        text = self.ctl(router, "watch", "--once")
        self.assertRegex(
            text,
            r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ranker epoch=1 running "
            r"decisions=0: control p=0.5000 errors=0; candidate p=0.5000 "
            r"errors=0\n$",
        )
        text = self.ctl(
            router, "watch", "ranker", "--count", "3", "--interval", "0.1"
        )
        self.assertEqual(len(text.splitlines()), 3)
        self.assertNotIn("\x1b", text)

    def test_json_lines_are_objects(self):
        router = self.start()
        text = self.ctl(
            router, "watch", "--count", "2", "--interval", "0.1", "--json"
        )
        lines = [json.loads(line) for line in text.splitlines()]
        self.assertEqual(len(lines), 2)
        for line in lines:
            self.assertEqual(line["failure"], "")
            self.assertEqual(line["events"], [])
            (ranker,) = line["status"]["experiments"]
            self.assertEqual(ranker["name"], "ranker")

    def test_an_interrupt_ends_it_well(self):
        router = self.start()
        process = subprocess.Popen(
            [BANDITCTL, "watch", "--address", router.control, "--interval",
             "0.1"],
            stdout=subprocess.PIPE, text=True,
        )
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        self.assertEqual(process.wait(PATIENCE), 0)
        process.stdout.close()

    def test_a_reader_that_goes_ends_it(self):
        router = self.start()
        process = subprocess.Popen(
            [BANDITCTL, "watch", "--address", router.control, "--interval",
             "0.1"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        process.stdout.readline()
        process.stdout.close()
        self.assertNotEqual(process.wait(PATIENCE), 0)
        process.stderr.close()

    def test_what_is_not_there_says_so(self):
        router = self.start()
        text = self.ctl(router, "watch", "none", code=3)
        self.assertIn("no experiment is named none", text)
        text = self.ctl(
            router, "watch", "--once", "--count", "2", code=2
        )
        self.assertIn("--once", text)


if __name__ == "__main__":
    unittest.main()
