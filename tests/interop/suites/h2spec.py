# SPDX-License-Identifier: Apache-2.0
"""h2spec: the rules of HTTP/2 and HPACK, case by case, at the listener.

A plain web server is behind it, for h2spec asks for a page, and needs a body
to see what flow control does.
"""

import re
import xml.etree.ElementTree
import xml.sax.saxutils

import interop_tls
from lab import holds
from suites.http import nghttpd
from sheet import TLS

QUICK = False
NEEDS = ["h2spec"]
SECONDS = 600
CONFIG = """
state: 'memory:'
{listen}
backends:
  web: {{address: '127.0.0.1:{port}'}}
default_backend: web
"""


def run(lab, sheet):
    peer = "h2spec " + lab.toolbox.go_version("h2spec")
    server = nghttpd(lab)
    for transport in lab.transports:
        files = interop_tls.make(lab) if transport == TLS else None
        router = lab.router(CONFIG.format(
            port=server.port,
            listen=interop_tls.listen_yaml(files) if files else "",
        ))
        for section, cases in sections(lab, router, files):
            enter(sheet, peer, transport, section, cases)


def sections(lab, router, files):
    """(section, [(case, what was wrong or None)])."""
    host, port = router.listen.split(":")
    report = lab.folder("h2spec") / "report.xml"
    command = [lab.toolbox.go("h2spec"), "-h", host, "-p", port, "-S",
               "-P", "/page.txt", "-o", "5", "-j", report]
    if files:
        command += ["-t", "-k"]
    done = lab.run(*command, seconds=300, check=False)
    if not report.exists():
        said = (done.stderr or done.stdout)[-300:]
        raise AssertionError(f"h2spec wrote no report: {said}")
    return parse(report.read_text(encoding="utf-8"))


def parse(text):
    """From h2spec's JUnit report; sections without cases are left out."""
    found = []
    for suite in xml.etree.ElementTree.fromstring(_mended(text)):
        cases = [
            (case.get("classname"), _wrong(case))
            for case in suite.iter("testcase")
        ]
        if cases:
            family = suite.get("package").split("/")[0]
            found.append((f"{family} {suite.get('name')}", cases))
    return found


def _mended(text):
    """h2spec writes what went wrong into its XML as it is."""
    text = re.sub(r"[^\t\n\r -\ud7ff]", "?", text)
    return re.sub(
        r"(?<=<failure>|..<error>)(.*?)(?=</(?:failure|error)>)",
        lambda words: xml.sax.saxutils.escape(words[0]), text, flags=re.S,
    )


def _wrong(case):
    for tag in ("failure", "error", "skipped"):
        element = case.find(tag)
        if element is not None:
            return f"{tag}: {' '.join((element.text or '').split())}"
    return None


def enter(sheet, peer, transport, section, cases):
    """Those that passed as one line, each other one by itself."""
    passed = [case for case, wrong in cases if wrong is None]
    if passed:
        with sheet.case(peer, section, transport) as case:
            case.counts = len(passed)
    for name, wrong in cases:
        if wrong is not None:
            with sheet.case(peer, f"{section}: {name}", transport):
                holds(False, wrong)
