#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The router between clients and servers that others wrote.

Each suite starts what it needs on loopback, with the router between, tries its
cases and ends it all. Without names all suites run; `--quick` runs those that
download nothing. What the others need is fetched once and kept in build/.

Ends with 0 if all cases passed, 1 if not, 2 if a program could not be had.
"""

import argparse
import importlib
import os
import pathlib
import re
import signal
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import sheet as sheets  # noqa: E402
import tools  # noqa: E402

SUITES = [
    "http", "tfserving", "defects", "grpc", "h2spec", "triton", "mlserver",
    "tools", "web", "path",
]
TRANSPORTS = {"plain": sheets.PLAIN, "tls": sheets.TLS}
PAGE = HERE.parent.parent / "docs" / "conformance.md"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


def arguments():
    parser = argparse.ArgumentParser(
        prog="./dev interop", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--router", type=pathlib.Path, required=True,
                        help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=pathlib.Path, required=True,
                        help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help="suites: " + ", ".join(SUITES))
    parser.add_argument("--quick", action="store_true",
                        help="only the suites that download nothing")
    parser.add_argument("--transport", choices=TRANSPORTS,
                        help="only this one; else plain and tls")
    parser.add_argument("--json", action="store_true",
                        help="the results as JSON on standard output")
    parser.add_argument("--write", action="store_true",
                        help="put the results into docs/conformance.md; all "
                        "suites must run")
    options = parser.parse_args()
    if options.write and (options.names or options.quick or options.transport):
        parser.error("--write takes the results of all suites")
    unknown = [name for name in options.names if name not in SUITES]
    if unknown:
        parser.error(f"no suite {unknown[0]}; there are {', '.join(SUITES)}")
    return options


class TookTooLong(Exception):
    """A suite's time is over."""


def run_suite(name, options, sheet, work):
    suite = importlib.import_module(f"suites.{name}")
    if options.quick and not suite.QUICK:
        return
    # Downloads and builds come first: they have time limits of their own.
    from lab import Lab  # pylint: disable=import-outside-toplevel

    sheet.suite = name
    toolbox = tools.Toolbox(options.cache)
    for need in getattr(suite, "NEEDS", ()):
        toolbox.fetch(need)

    def over(*_):
        raise TookTooLong(f"after {suite.SECONDS} s")

    signal.signal(signal.SIGALRM, over)
    signal.alarm(suite.SECONDS)
    try:
        with Lab(work / name, toolbox, transports(options)) as lab:
            suite.run(lab, sheet)
    except (tools.Missing, KeyboardInterrupt):
        raise
    except Exception as error:  # pylint: disable=broad-except
        with sheet.case(name, "the suite runs to its end"):
            raise error
    finally:
        signal.alarm(0)


def transports(options):
    if options.transport:
        return [TRANSPORTS[options.transport]]
    return list(TRANSPORTS.values())


def write(page, sheet):
    text = page.read_text(encoding="utf-8")
    results = f"{BEGIN}\n{sheet.markdown()}{END}"
    pattern = re.escape(BEGIN) + ".*" + re.escape(END)
    new, count = re.subn(pattern, lambda _: results, text, flags=re.S)
    if count != 1:
        raise SystemExit(f"{page} lacks the marks {BEGIN} and {END}")
    page.write_text(new, encoding="utf-8")


def main():
    options = arguments()
    os.environ["BANDIT_ROUTER"] = str(options.router.resolve())
    sys.dont_write_bytecode = True
    options.cache = options.cache.resolve()
    out = sys.stderr if options.json else sys.stdout
    sheet = sheets.Sheet(lambda line: print(line, file=out, flush=True))
    with tempfile.TemporaryDirectory(prefix="bandit-interop-") as work:
        for name in options.names or SUITES:
            try:
                run_suite(name, options, sheet, pathlib.Path(work))
            except tools.Missing as missing:
                print(f"interop: {name}: {missing}", file=sys.stderr)
                return 2
    if options.write:
        write(PAGE, sheet)
    print(f"\n{sheet.summary()}", file=out)
    if options.json:
        print(sheet.to_json())
    return 0 if sheet.passed else 1


if __name__ == "__main__":
    sys.exit(main())
