# SPDX-License-Identifier: Apache-2.0
"""Every link between the pages leads somewhere."""

import pathlib
import re
import tempfile
import unittest
import urllib.parse

from pages import ROOT, Page, pages, slug


def broken(page, parsed=None):
    """What is wrong with the page's links, a line each."""
    parsed = {} if parsed is None else parsed
    for line, target in page.links():
        url = urllib.parse.urlsplit(target)
        where = f"{page.name}:{line}: {target}"
        if url.scheme in ("http", "https"):
            continue
        if url.scheme or target.startswith("/"):
            yield f"{where} is neither relative nor https"
            continue
        path = page.path
        if url.path:
            path = page.path.parent / urllib.parse.unquote(url.path)
        if not path.exists():
            yield f"{where}: there is no {url.path}"
        elif url.fragment and path.suffix == ".md":
            path = path.resolve()
            if path not in parsed:
                parsed[path] = Page(path)
            if url.fragment not in parsed[path].anchors():
                yield f"{where}: no heading is #{url.fragment}"
        elif url.fragment:
            yield f"{where}: only pages have anchors"


class Links(unittest.TestCase):
    maxDiff = None

    def test_every_link_leads_to_a_file_and_a_heading(self):
        parsed = {path.resolve(): Page(path) for path in pages()}
        count, faults = 0, []
        for page in parsed.values():
            count += sum(1 for _ in page.links())
            faults += broken(page, parsed)
        self.assertEqual("", "\n".join(faults))
        self.assertGreater(count, 100, "links are not found any more")

    def test_every_page_of_docs_can_be_reached_from_the_readme(self):
        start = (ROOT / "README.md").resolve()
        reached, waiting = {start}, [start]
        while waiting:
            page = Page(waiting.pop())
            for _, target in page.links():
                path = page.path.parent / urllib.parse.urlsplit(target).path
                path = path.resolve()
                if path.suffix == ".md" and path not in reached:
                    reached.add(path)
                    waiting.append(path)
        lost = [str(path) for path in pages() if path.resolve() not in reached]
        self.assertEqual([], lost)


class Pages(unittest.TestCase):
    def test_no_page_has_a_gap_to_be_filled_in(self):
        gaps = [f"{page.name}: {gap}" for page in map(Page, pages())
                for gap in re.findall(r"@[A-Z_]{2,}@", page.prose)]
        self.assertEqual([], gaps)


class TheTestItself(unittest.TestCase):
    def faults(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "page.md"
            path.write_text(text, encoding="utf-8")
            return list(broken(Page(path)))

    def test_a_missing_file_a_missing_heading_and_a_root_path_are_faults(self):
        self.assertIn("there is no", self.faults("[x](gone.md)")[0])
        self.assertIn("no heading", self.faults("# Here\n[x](#there)")[0])
        self.assertIn("neither", self.faults("[x](/docs/a.md)")[0])

    def test_code_and_links_that_are_right_are_none(self):
        self.assertEqual([], self.faults(
            "## The `join`, now\n[a\nb](page.md#the-join-now) `[x](gone.md)`\n"
            "```\n[x](gone.md)\n# No heading\n```\n[x](https://example.com)\n"
        ))

    def test_a_slug_is_as_github_makes_it(self):
        self.assertEqual("a-place-in-a-ramp-a-layer-or-a-holdout",
                         slug("A place in a ramp, a layer or a holdout"))
        self.assertEqual("backendsnametls", slug("`backends.NAME.tls`"))


if __name__ == "__main__":
    unittest.main()
