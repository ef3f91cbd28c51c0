# SPDX-License-Identifier: Apache-2.0
"""Reads a Containerfile: as much of its language as ours uses.

Anything else is an error, not a guess.
"""

import re
import shlex
from dataclasses import dataclass, field


class Unknown(Exception):
    """Something in the file that is not understood here."""


@dataclass
class Step:
    word: str  # RUN, COPY, ...
    text: str  # What follows, on one line.
    line: int


@dataclass
class Stage:
    base: str
    name: str
    steps: list = field(default_factory=list)
    # From ARG before the first FROM.
    arguments: dict = field(default_factory=dict)


STEPS = {"RUN", "COPY", "WORKDIR", "ARG", "USER", "EXPOSE", "ENTRYPOINT", "CMD"}


def instructions(text):
    """Steps, with their continuation lines; comments are left out."""
    whole, begun = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or not (whole or line.strip()):
            continue
        begun = begun or number
        whole += line
        if whole.endswith("\\"):
            whole = whole[:-1]
            continue
        word, _, rest = whole.strip().partition(" ")
        yield Step(word.upper(), rest.strip(), begun)
        whole, begun = "", 0
    if whole:
        raise Unknown(f"line {begun}: continues beyond the end")


def stages(text):
    """The stages, in order."""
    found, arguments = [], {}
    for step in instructions(text):
        if step.word == "FROM":
            match = re.fullmatch(r"(\S+)(?:\s+AS\s+(\w+))?", step.text, re.I)
            if not match:
                raise Unknown(f"line {step.line}: FROM {step.text}")
            found.append(Stage(expand(match[1], arguments),
                               match[2] or str(len(found)),
                               arguments=dict(arguments)))
        elif step.word not in STEPS:
            raise Unknown(f"line {step.line}: {step.word}")
        elif found:
            found[-1].steps.append(step)
        elif step.word == "ARG":
            name, _, value = step.text.partition("=")
            arguments[name] = value
        else:
            raise Unknown(f"line {step.line}: {step.word} before FROM")
    return found


def expand(text, arguments):
    """`${NAME}` and `$NAME` of ARG; any other variable is an error."""
    def value(match):
        name = match[1] or match[2]
        if name not in arguments:
            raise Unknown(f"${name} is no ARG")
        return arguments[name]

    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", value, text)


def words(text):
    """The words of the JSON form, or None if it is the shell's."""
    if not text.startswith("["):
        return None
    import json  # pylint: disable=import-outside-toplevel

    return json.loads(text)


@dataclass
class Copy:
    stage: str  # Empty: from the context.
    sources: list
    target: str


def copy_of(step):
    parts = shlex.split(step.text)
    stage = ""
    while parts and parts[0].startswith("--"):
        flag, _, value = parts.pop(0).partition("=")
        if flag != "--from":
            raise Unknown(f"line {step.line}: COPY {flag}")
        stage = value
    if len(parts) < 2:
        raise Unknown(f"line {step.line}: COPY {step.text}")
    return Copy(stage, parts[:-1], parts[-1])


class Ignore:
    """.dockerignore: a later line goes before an earlier one."""

    def __init__(self, text):
        self.rules = []
        for line in text.splitlines():
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            keep = line.startswith("!")
            self.rules.append((_pattern(line.lstrip("!").strip("/")), keep))

    def leaves_out(self, path):
        """Whether the path (of a file, by `/` from the context) is left out,
        itself or with a folder above it."""
        parts = path.split("/")
        above = ["/".join(parts[:n]) for n in range(1, len(parts) + 1)]
        out = False
        for pattern, keep in self.rules:
            if any(pattern.fullmatch(p) for p in above):
                out = not keep
        return out


def _pattern(glob):
    made = ""
    for part in re.split(r"(\*\*/|\*|\?)", glob):
        made += {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}.get(
            part, re.escape(part))
    return re.compile(made)
