# SPDX-License-Identifier: Apache-2.0
"""For the programs that run in the venv: cases, printed as lines of JSON."""

import contextlib
import json


@contextlib.contextmanager
def case(name):
    """Prints how it went; what is raised fails this case alone."""
    notes = []
    try:
        yield notes.append
        passed = True
    except Exception as error:  # pylint: disable=broad-except
        passed = False
        notes = [f"{type(error).__name__}: {error}"]
    print(
        json.dumps({"case": name, "passed": passed, "note": "; ".join(notes)}),
        flush=True,
    )


def same(found, expected):
    if found != expected:
        raise AssertionError(f"{found!r}, expected {expected!r}")
