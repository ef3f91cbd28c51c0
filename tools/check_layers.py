#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that includes point one way between the rooms.

The order of the router's rooms is that of add_subdirectory() in
router/CMakeLists.txt: a room includes itself and the rooms before it.
policies/ sees stats/, stats/ sees itself, and neither sees the generated
protobuf headers. Prints one line for each include that points upwards.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
PROTOS = "bandit/v1"


def room_order():
    """Room -> what it may include, as path prefixes."""
    text = (ROOT / "router/CMakeLists.txt").read_text()
    rooms = re.findall(r"^add_subdirectory\((\w+)\)", text, re.M)
    allowed = {"stats": ["stats"], "policies": ["policies", "stats"]}
    below = ["policies", "stats", PROTOS]
    for room in rooms:
        below = below + [f"router/{room}"]
        allowed[f"router/{room}"] = below
    return allowed


def main():
    allowed = room_order()
    known = [*allowed, PROTOS, "router", "clients", "examples", "tests"]
    bad = 0
    for room, may in allowed.items():
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix not in (".h", ".cc"):
                continue
            for include in INCLUDE.findall(path.read_text()):
                ours = any(include.startswith(p + "/") for p in known)
                if ours and not any(include.startswith(p + "/") for p in may):
                    print(f'{path.relative_to(ROOT)}: "{include}": '
                          f"{room} may include only {', '.join(may)}")
                    bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
