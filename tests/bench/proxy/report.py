# SPDX-License-Identifier: Apache-2.0
"""The figures of a run as tables."""

import os
import pathlib
import statistics

REFERENCE = "haproxy"


def size_name(size):
    for unit, factor in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size % factor == 0:
            return f"{size // factor} {unit}"
    return f"{size} B"


def machine():
    model = "unknown CPU"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {"cpu": model, "cpus": len(os.sched_getaffinity(0)),
            "kernel": os.uname().release, "load_average": os.getloadavg()[0]}


class Cells:
    """Rounds by cell: (mode, bytes, load) and proxy -> rows, by round."""

    def __init__(self, rows):
        self.cells = {}
        for row in rows:
            cell = (row["mode"], row["bytes"], row["load"])
            self.cells.setdefault(cell, {}).setdefault(
                row["proxy"], {})[row["round"]] = row

    def median(self, cell, proxy, value):
        """The median over rounds of value(row); None if there is none."""
        rows = self.cells[cell].get(proxy, {}).values()
        values = [value(row) for row in rows]
        values = [one for one in values if one is not None]
        return statistics.median(values) if values else None

    def paired(self, cell, proxy, other, value, combine):
        """The median over rounds of combine(value here, value there)."""
        rows = self.cells[cell]
        here, there = rows.get(proxy, {}), rows.get(other, {})
        pairs = [(value(here[r]), value(there[r])) for r in here if r in there]
        pairs = [combine(a, b) for a, b in pairs if a is not None and b]
        return statistics.median(pairs) if pairs else None


def _text(value, form="{:.1f}", none="-"):
    return none if value is None else form.format(value)


def _table(head, rows):
    widths = [max(len(row[i]) for row in [head, *rows])
              for i in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) if i == 0
                               else cell.rjust(width)
                               for i, (cell, width) in
                               enumerate(zip(row, widths))) + " |"
             for row in [head, *rows]]
    lines.insert(1, "|" + "|".join(
        "-" * (w + 2) if i == 0 else "-" * (w + 1) + ":"
        for i, w in enumerate(widths)) + "|")
    return "\n".join(lines)


def _closed(cells, size, proxies):
    loads = [c for c in cells.cells if c[0] == "closed" and c[1] == size]
    if not loads:
        return None
    head = ["proxy"]
    for cell in loads:
        head += [f"{cell[2]} us", f"/{REFERENCE}", "req/s"]
    rows = []
    for proxy in proxies:
        row = [proxy]
        for cell in loads:
            row += [
                _text(cells.median(cell, proxy, lambda r: r["cpu_us"])),
                _text(cells.paired(cell, proxy, REFERENCE,
                                   lambda r: r["cpu_us"],
                                   lambda a, b: a / b), "{:.2f}"),
                _text(cells.median(cell, proxy, lambda r: r["per_second"]),
                      "{:,.0f}")]
        rows.append(row)
    return (f"{size_name(size)}, closed loop: CPU time of the proxy for each "
            f"request, its ratio to {REFERENCE}, throughput\n\n"
            + _table(head, rows))


def _open(cells, size, proxies):
    loads = [c for c in cells.cells if c[0] == "open" and c[1] == size]
    if not loads:
        return None
    head = ["proxy"]
    for cell in loads:
        head += [f"{cell[2]} +p50 us", "+p99 us", "CPU us"]
    rows = []
    for proxy in proxies:
        row = [proxy]
        for cell in loads:
            for quantile in ("p50", "p99"):
                def latency(r, quantile=quantile):
                    return r["latency_us"][quantile]
                if proxy == "direct":
                    row.append("(%s)" % _text(
                        cells.median(cell, proxy, latency), "{:.0f}"))
                else:
                    row.append(_text(cells.paired(
                        cell, proxy, "direct", latency, lambda a, b: a - b),
                        "{:.0f}"))
            row.append(_text(cells.median(cell, proxy, lambda r: r["cpu_us"])))
        rows.append(row)
    return (f"{size_name(size)}, open loop: latency added to direct "
            "(in parentheses: direct itself), counted from the time a request "
            "was due\n\n" + _table(head, rows))


def _memory(memory):
    rows = [[proxy] + [_text(figures.get(key))
                       for key in ("idle_mib", "streams_1000_mib", "peak_mib")]
            for proxy, figures in memory.items()]
    return "Resident memory, MiB\n\n" + _table(
        ["proxy", "idle", "1,000 streams", "peak of the run"], rows)


def tables(figures):
    """All tables of a run as Markdown."""
    cells = Cells(figures["rows"])
    proxies = list(dict.fromkeys(row["proxy"] for row in figures["rows"]))
    m, o = figures["machine"], figures["options"]
    parts = [f"{m['cpu']}, {m['cpus']} CPUs, Linux {m['kernel']}, load average "
             f"{m['load_average']:.1f}; {o['rounds']} rounds of "
             f"{o['seconds']:g} s, medians; one worker for each proxy"]
    for size in dict.fromkeys(row["bytes"] for row in figures["rows"]):
        parts += [part for part in (_closed(cells, size, proxies),
                                    _open(cells, size, proxies)) if part]
    if figures["memory"]:
        parts.append(_memory(figures["memory"]))
    errors = {}
    for row in figures["rows"]:
        for outcome, count in row["outcomes"].items():
            if outcome != "ok" and count:
                key = (row["proxy"], row["load"], row["bytes"], outcome)
                errors[key] = errors.get(key, 0) + count
    parts += [f"ERRORS {proxy} {size_name(size)} {load}: {count} {outcome}"
              for (proxy, load, size, outcome), count in errors.items()]
    parts += [f"skipped: {name}: {reason}"
              for name, reason in figures["skipped"].items()]
    return "\n\n".join(parts)
