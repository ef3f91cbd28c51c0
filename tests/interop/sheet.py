# SPDX-License-Identifier: Apache-2.0
"""The results of a run: what was tried against whom, and how it went.

A suite opens a case, does what it does, and may note what it saw:

    with sheet.case("curl 7.88.1", "GET passes") as case:
        ...
        case.note = "200"

What is raised in a case fails that case and no other.
"""

import contextlib
import dataclasses
import json
import traceback

PLAIN = "plain"
TLS = "TLS"


@dataclasses.dataclass
class Case:
    suite: str
    peer: str  # With its version.
    name: str
    transport: str
    passed: bool = False
    note: str = ""  # What was seen; of a failed case, what was wrong.
    # How many cases of the peer's own this one stands for.
    counts: int = 1


class Sheet:
    def __init__(self, say=print):
        self.cases = []
        self.suite = ""
        self._say = say

    @contextlib.contextmanager
    def case(self, peer, name, transport=PLAIN):
        case = Case(self.suite, peer, name, transport)
        self.cases.append(case)
        try:
            yield case
            case.passed = True
        except Exception as error:  # pylint: disable=broad-except
            case.note = _brief(error)
        self._say(_line(case))

    def enter(self, peer, transport, case, passed, note=""):
        """One that another program has run."""
        entered = Case(self.suite, peer, case, transport, passed, note)
        self.cases.append(entered)
        self._say(_line(entered))

    @property
    def passed(self):
        return bool(self.cases) and all(case.passed for case in self.cases)

    def to_json(self):
        cases = [dataclasses.asdict(case) for case in self.cases]
        return json.dumps({"passed": self.passed, "cases": cases}, indent=1)

    def summary(self):
        """A line for each suite and peer, and the closing one."""
        lines = []
        for suite, peer, transport, cases in self.groups():
            passed = sum(case.counts for case in cases if case.passed)
            total = sum(case.counts for case in cases)
            verdict = "ok" if passed == total else "FAILED"
            lines.append(
                f"{suite:9} {peer:34} {transport:6} {passed:4} of {total:4}"
                f"  {verdict}"
            )
        passed, failed = (
            sum(case.counts for case in self.cases if case.passed == verdict)
            for verdict in (True, False)
        )
        lines.append(f"{passed} passed, {failed} failed")
        return "\n".join(lines)

    def groups(self):
        """(suite, peer, transport, cases), in the order of their beginning."""
        groups = {}
        for case in self.cases:
            key = (case.suite, case.peer, case.transport)
            groups.setdefault(key, []).append(case)
        return [(*key, cases) for key, cases in groups.items()]

    def markdown(self):
        """The tables of docs/conformance.md."""
        lines = ["| suite | peer | transport | passed |", "|---|---|---|---|"]
        for suite, peer, transport, cases in self.groups():
            passed = sum(case.counts for case in cases if case.passed)
            total = sum(case.counts for case in cases)
            lines.append(f"| {suite} | {peer} | {transport} | {passed} of {total} |")
        for suite in dict.fromkeys(case.suite for case in self.cases):
            lines += ["", f"### {suite}", ""]
            lines += _suite_table([c for c in self.cases if c.suite == suite])
        return "\n".join(lines) + "\n"


def _suite_table(cases):
    """A row for each case, a column for each transport."""
    transports = list(dict.fromkeys(case.transport for case in cases))
    rows = {}
    for case in filter(lambda case: case.counts, cases):
        row = rows.setdefault((case.peer, case.name), {})
        row[case.transport] = case
    yield "| peer | case | " + " | ".join(transports) + " | |"
    yield "|---" * (3 + len(transports)) + "|"
    for (peer, name), row in rows.items():
        results = [_result(row.get(transport)) for transport in transports]
        notes = dict.fromkeys(case.note for case in row.values() if case.note)
        note = "; ".join(notes).replace("|", "\\|")
        yield f"| {peer} | {name} | {' | '.join(results)} | {note} |"


def _result(case):
    if case is None:
        return ""
    if case.counts > 1:
        return f"{case.counts} {'passed' if case.passed else 'FAILED'}"
    return "passed" if case.passed else "FAILED"


def _brief(error):
    text = " ".join(str(error).split()) or type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    where = frames[-1] if frames else None
    if isinstance(error, AssertionError) and not str(error) and where:
        text = f"{where.line}"
    return text if len(text) <= 600 else text[:300] + " ... " + text[-300:]


def _line(case):
    verdict = "ok    " if case.passed else "FAILED"
    note = f"  ({case.note})" if case.note else ""
    return f"{verdict} {case.peer}, {case.transport}: {case.name}{note}"
