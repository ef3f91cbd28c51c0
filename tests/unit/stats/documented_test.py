#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""docs/statistics.md names every function of stats/, and none that is gone.

A function is what a header declares at the left margin; constructors and
methods belong to a type, which is named as well if it is a class.
"""

import pathlib
import re
import sys

COMMENT = re.compile(r"//.*")
# Type words, a name, an opening parenthesis: at the start of a line.
FUNCTION = re.compile(r"^[\w:<>][\w:<>, &*]*?[\s&*]([A-Z]\w*)\(", re.M)
CLASS = re.compile(r"^class (\w+)", re.M)
TYPE = re.compile(r"^(?:struct|class|enum class) (\w+)", re.M)
METHOD = re.compile(r"\b([A-Z]\w*)\(")
NAMED = re.compile(r"`(?:[A-Z]\w*::)?([A-Z]\w*)`")


def main():
    root = pathlib.Path(sys.argv[1])
    page = (root / "docs/statistics.md").read_text(encoding="utf-8")
    named = set(NAMED.findall(page))
    wanted, known = set(), set()
    for path in sorted((root / "stats").glob("*.h")):
        text = COMMENT.sub("", path.read_text(encoding="utf-8"))
        wanted |= set(FUNCTION.findall(text)) | set(CLASS.findall(text))
        known |= set(TYPE.findall(text)) | set(METHOD.findall(text))
    if len(wanted) < 80:
        print(f"only {len(wanted)} functions found: have the headers moved?")
        return 1
    for name in sorted(wanted - named):
        print(f"docs/statistics.md does not name {name}")
    for name in sorted(named - known):
        print(f"docs/statistics.md names {name}, which stats/ does not have")
    return 1 if wanted - named or named - known else 0


if __name__ == "__main__":
    sys.exit(main())
