# SPDX-License-Identifier: Apache-2.0
"""The project's Markdown pages, as far as tests ask of them.

A block is fenced by ``` and may be marked by an HTML comment on the line
before, `<!-- test: WORDS -->`, which readers do not see.
"""

import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

_MARK = re.compile(r"<!-- test: (.+) -->\s*$")
_HEADING = re.compile(r"#{1,6} +(.+?)(?: +#+)?\s*$")
# [text](target) and ![text](target), also broken over lines.
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*([^()\s]+(?:\([^()]*\))?)\s*\)")
_CODE = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.S)


def pages():
    """Every page that is held to be right: README, docs/, and the like."""
    found = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
    for folder in ("docs", "examples", "clients"):
        found += sorted(
            path for path in (ROOT / folder).rglob("*.md")
            if "node_modules" not in path.parts
        )
    return found


@dataclasses.dataclass
class Block:
    language: str
    marks: list  # The words of its mark; empty: it has none.
    text: str
    line: int  # Of its first line, from 1.


class Page:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.blocks = []
        self.prose = ""  # Without code, with as many lines.
        self._read(self.path.read_text(encoding="utf-8"))

    @property
    def name(self):
        try:
            return str(self.path.relative_to(ROOT))
        except ValueError:
            return self.path.name

    def _read(self, text):
        fence, block, marks, prose = None, None, [], []
        for number, line in enumerate(text.splitlines(), 1):
            bare = line.strip()
            if fence is not None:
                prose.append("")
                if bare == fence:
                    fence = None
                else:
                    block.text += line[indent:] + "\n"
                continue
            if bare.startswith("```"):
                fence = "`" * (len(bare) - len(bare.lstrip("`")))
                indent = len(line) - len(line.lstrip())
                block = Block(bare.strip("`").strip(), marks, "", number + 1)
                self.blocks.append(block)
                prose.append("")
                marks = []
                continue
            mark = _MARK.match(bare)
            if mark:
                marks = mark[1].split()
            elif bare:
                if marks:
                    raise ValueError(f"{self.name}:{number}: a mark stands on "
                                     "the line before its block")
            prose.append(line)
        if fence is not None:
            raise ValueError(f"{self.name}: a block is not closed")
        self.prose = "\n".join(prose)

    def links(self):
        """(line, target) of each link that is written out."""
        text = _CODE.sub(lambda code: " " * len(code[0]), self.prose)
        for link in _LINK.finditer(text):
            yield text.count("\n", 0, link.start()) + 1, link[1]

    def anchors(self):
        """Those that readers of the source and of the site both have."""
        found, seen = set(), {}
        for line in self.prose.splitlines():
            heading = _HEADING.match(line)
            if not heading:
                continue
            anchor = slug(heading[1])
            number = seen.get(anchor, 0)
            seen[anchor] = number + 1
            found.add(f"{anchor}-{number}" if number else anchor)
        return found


def slug(heading):
    """As GitHub makes it."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    text = text.replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
