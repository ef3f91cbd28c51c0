# SPDX-License-Identifier: Apache-2.0
"""What a process and its children used, from the kernel's own accounting."""

import os
import pathlib

TICK = os.sysconf("SC_CLK_TCK")


def _tree(pid):
    """The process and its living descendants."""
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        for task in pathlib.Path(f"/proc/{one}/task").glob("*/children"):
            todo += [int(child) for child in task.read_text().split()]
    return found


def cpu_seconds(pid):
    """User and system time of all threads, ended ones and children included."""
    ticks = 0
    for one in _tree(pid):
        # The name, in parentheses, may hold spaces; the fields follow it.
        fields = pathlib.Path(f"/proc/{one}/stat").read_text()
        fields = fields.rpartition(")")[2].split()
        # utime, stime, and those of children already waited for.
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICK


def _memory_mib(pid, field):
    kib = 0
    for one in _tree(pid):
        for line in pathlib.Path(f"/proc/{one}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                kib += int(line.split()[1])
    return kib / 1024


def resident_mib(pid):
    return _memory_mib(pid, "VmRSS")


def peak_resident_mib(pid):
    return _memory_mib(pid, "VmHWM")
