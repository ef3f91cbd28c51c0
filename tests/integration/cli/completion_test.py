# SPDX-License-Identifier: Apache-2.0
"""Completion as the shells do it, each by its own means.

A shell that is not installed is skipped with a word: bash is everywhere, zsh
and fish are packages of the group `test`.
"""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(
    0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../router")
)

from acts_case import BANDITCTL, ActsTest  # noqa: E402

PATIENCE = 30


class Shell(ActsTest):
    """Tests with banditctl in the PATH and a router that it finds."""

    shell = ""

    def setUp(self):
        if not shutil.which(self.shell):
            self.skipTest(f"no {self.shell} here: ./dev setup test")
        self.started = self.start()
        self.home = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.home)
        os.symlink(BANDITCTL, os.path.join(self.home, "banditctl"))
        with open(os.path.join(self.home, "some file.yaml"), "w"):
            pass
        self.environment = {
            "PATH": self.home + ":" + os.environ["PATH"],
            "HOME": self.home, "TERM": "dumb", "LANG": "C.UTF-8",
            "BANDIT_ADDRESS": self.started.control,
        }

    def run_script(self, *command, text=None):
        done = subprocess.run(
            command, input=text, env=self.environment, cwd=self.home,
            capture_output=True, text=True, timeout=60, check=False,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout.splitlines()


class Bash(Shell):
    shell = "bash"

    def complete(self, *words):
        """COMPREPLY for words as bash has cut them."""
        line = " ".join(f"'{word}'" for word in words)
        return self.run_script("bash", "--norc", "-c", f"""
            source <(banditctl completion bash)
            COMP_WORDS=(banditctl {line})
            COMP_CWORD={len(words)}
            _banditctl
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """)

    def test_commands_options_and_names(self):
        self.assertEqual(
            self.complete("re"),
            ["report", "reward", "resume", "reset", "reinstate"],
        )
        self.assertEqual(self.complete("status", ""), ["ranker"])
        self.assertEqual(
            self.complete("promote", "ranker", "c"), ["control", "candidate"]
        )
        self.assertEqual(self.complete("watch", "--int"), ["--interval"])

    def test_words_that_bash_cuts_at_colons_and_equals_signs(self):
        host, port = self.started.control.split(":")
        self.environment["BANDIT_ADDRESS"] = "127.0.0.1:1"
        self.assertEqual(self.complete("status", ""), [""])
        self.assertEqual(
            self.complete("status", "--address", host, ":", port, ""),
            ["ranker"],
        )
        self.assertEqual(
            self.complete("status", "--address", "=", host, ":", port, "r"),
            ["ranker"],
        )
        self.assertEqual(
            self.complete("reward", "--address", self.started.control,
                          "--metric", "=", "cl"),
            ["click"],
        )

    def test_a_line_typed_by_a_person(self):
        """Tab in an interactive bash, files included."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.home)
            os.execvpe("bash", ["bash", "--norc", "-i"], self.environment)
        self.addCleanup(os.close, terminal)
        self.addCleanup(os.waitpid, pid, 0)
        self.addCleanup(os.kill, pid, signal.SIGKILL)

        def type_and_read(text, what):
            os.write(terminal, text.encode())
            seen, end = "", time.monotonic() + PATIENCE
            while not re.search(what, seen):
                self.assertLess(time.monotonic(), end, seen)
                if select.select([terminal], [], [], 0.1)[0]:
                    seen += os.read(terminal, 4096).decode(errors="replace")
            return seen

        type_and_read(
            "source <(banditctl completion bash); echo rea''dy\n", "ready"
        )
        type_and_read("banditctl stat\t", r"status ")
        type_and_read("r\t", r"ranker ")
        type_and_read("\x15banditctl validate so\t", r"some\\ file\.yaml")


class Zsh(Shell):
    shell = "zsh"

    def complete(self, line):
        """What zsh lists for the line, from a zsh in a pty of zsh's own."""
        lines = self.run_script("zsh", "-f", "-c", r"""
            zmodload zsh/zpty zsh/zselect
            zpty child zsh -f -i
            zpty -w child "PROMPT=; setopt zle; autoload -U compinit"
            zpty -w child "compinit -u -D; source <(banditctl completion zsh)"
            zpty -w child "zstyle ':completion:*' list-prompt ''"
            zpty -w child "zstyle ':completion:*' menu no"
            zpty -w child "LISTMAX=1000; unsetopt list_beep; print rea''dy"
            zpty -r -m child seen '*ready*'
            zpty -w -n child "$1"$'\C-D'
            until=$((SECONDS + 40)) again=$((SECONDS + 4)) text=
            while (( SECONDS < until )); do
              zpty -r -t child seen && text+=$seen || zselect -t 10
              [[ $text == *$2* ]] && break
              # banditctl gives up on a slow router: a person asks again.
              (( SECONDS < again )) && continue
              again=$((SECONDS + 4))
              zpty -w -n child $'\C-D'
            done
            print -r -- $text
            zpty -d child
        """, "zsh", line[0], line[1])
        return "\n".join(lines)

    def test_commands_options_and_names(self):
        text = self.complete(("banditctl re", "reinstate"))
        for word in ("report", "reward", "resume", "reset", "reinstate"):
            self.assertIn(word, text)
        self.assertIn("ranker", self.complete(("banditctl status ", "ranker")))
        self.assertIn(
            "candidate", self.complete(("banditctl promote ranker ", "candid"))
        )


class Fish(Shell):
    shell = "fish"

    def complete(self, line):
        return [
            word.split("\t")[0] for word in self.run_script(
                "fish", "--no-config", "-c",
                "banditctl completion fish | source\n"
                f"complete --do-complete '{line}'",
            )
        ]

    def test_commands_options_names_and_files(self):
        self.assertEqual(
            sorted(self.complete("banditctl re")),
            ["reinstate", "report", "reset", "resume", "reward"],
        )
        self.assertEqual(self.complete("banditctl status "), ["ranker"])
        self.assertEqual(
            sorted(self.complete("banditctl promote ranker ")),
            ["candidate", "control"],
        )
        self.assertEqual(
            self.complete("banditctl watch --int"), ["--interval"]
        )
        self.assertIn(
            "some file.yaml",
            " ".join(self.complete("banditctl validate so")).replace("\\", ""),
        )


class Script(unittest.TestCase):
    def test_every_script_is_one_that_its_shell_reads(self):
        for shell in ("bash", "zsh", "fish"):
            done = subprocess.run(
                [BANDITCTL, "completion", shell], capture_output=True,
                text=True, check=True,
            )
            self.assertIn("__complete", done.stdout)
            if not shutil.which(shell):
                continue
            checked = subprocess.run(
                [shell, "-n", "/dev/stdin"], input=done.stdout,
                capture_output=True, text=True, check=False,
            )
            self.assertEqual((checked.returncode, checked.stderr), (0, ""))

    def test_another_shell_is_a_wrong_command_line(self):
        done = subprocess.run(
            [BANDITCTL, "completion", "tcsh"], capture_output=True, text=True,
            check=False,
        )
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("bash", done.stderr)


if __name__ == "__main__":
    unittest.main()
