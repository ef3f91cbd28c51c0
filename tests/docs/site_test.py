# SPDX-License-Identifier: Apache-2.0
"""The site builds, its links lead somewhere, and it needs no other host."""

import html.parser
import json
import pathlib
import subprocess
import tempfile
import unittest
import urllib.parse

from pages import ROOT


class Html(html.parser.HTMLParser):
    """A page's anchors, what it links to and what it loads."""

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.ids = set()
        self.links = []
        self.loads = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids.update(filter(None, (given.get("id"), given.get("name"))))
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag in ("link", "script", "img", "iframe", "source"):
            to = given.get("src") or given.get("href")
            if to and given.get("rel") not in ("canonical", "next", "prev"):
                self.loads.append(to)


class Site(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.site = pathlib.Path(cls.folder.name)
        cls.built = subprocess.run(
            ["mkdocs", "build", "--strict", "--site-dir", cls.site],
            cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
        cls.pages = {path.resolve(): Html(path)
                     for path in cls.site.rglob("*.html")}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_it_builds_without_a_warning(self):
        self.assertEqual(self.built.returncode, 0, self.built.stderr)
        self.assertNotIn("WARNING", self.built.stderr)

    def test_every_page_of_docs_is_in_the_navigation(self):
        # Those under source/ are of the hook; they are reached by links.
        missing = [line for line in self.built.stderr.splitlines()
                   if line.startswith("  - ") and "source/" not in line]
        self.assertEqual([], missing, "add them to `nav` of mkdocs.yml")
        home = self.pages[(self.site / "index.html").resolve()]
        self.assertGreater(len(home.links), 30)

    def test_every_link_leads_to_a_page_and_an_anchor(self):
        faults, count = [], 0
        for page in self.pages.values():
            if page.path.name == "404.html":
                continue  # Its links are absolute: it may be served anywhere.
            for link in page.links:
                count += 1
                faults += self.broken(page, link)
        self.assertEqual("", "\n".join(sorted(set(faults))))
        self.assertGreater(count, 1000)

    def broken(self, page, link):
        url = urllib.parse.urlsplit(link)
        if url.scheme in ("http", "https"):
            return
        path = page.path
        if url.path:
            path = path.parent / urllib.parse.unquote(url.path)
            if path.is_dir():
                path = path / "index.html"
        where = f"{page.path.relative_to(self.site)}: {link}"
        if not path.exists():
            yield f"{where} leads nowhere"
        elif url.fragment and url.fragment not in ("__skip",):
            target = self.pages.get(path.resolve())
            if target and url.fragment not in target.ids:
                yield f"{where}: no such anchor"

    def test_nothing_is_loaded_from_another_host(self):
        for page in self.pages.values():
            for load in page.loads:
                url = urllib.parse.urlsplit(load)
                self.assertEqual("", url.netloc,
                                 f"{page.path.name} loads {load}")
                if page.path.name != "404.html":
                    path = page.path.parent / url.path
                    self.assertTrue(path.exists(), f"{page.path}: {load}")
        for sheet in self.site.rglob("*.css"):
            self.assertNotIn("url(http", sheet.read_text(encoding="utf-8"))

    def test_the_search_knows_every_page(self):
        index = json.loads(
            (self.site / "search" / "search_index.json").read_text("utf-8"))
        known = {entry["location"].split("#")[0] for entry in index["docs"]}
        for page in (ROOT / "docs").rglob("*.md"):
            name = page.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
            name = name.replace("README.html", "index.html")
            self.assertIn(name, known)


if __name__ == "__main__":
    unittest.main()
