# SPDX-License-Identifier: Apache-2.0
"""Hooks of mkdocs (mkdocs.yml): what pages link to outside docs/ becomes a page.

The pages are read in the repository, too, where a link to ../protos/x.proto is
right as it stands. On the site that file is a page of its own, under source/.
"""

import pathlib
import posixpath
import re
import tempfile

from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).resolve().parent.parent
_LINK = re.compile(r"(\]\(\s*)(?![a-z]+:)([^)#\s]+)(#[^)\s]*)?(\s*\))")
_FENCED = re.compile(r"^(```+).*?^\1\s*$", re.S | re.M)
_LANGUAGES = {".proto": "proto", ".h": "cpp", ".cc": "cpp", ".py": "python"}
_folder = None


def _in_repository(page):
    """Where a page of the site comes from."""
    if not page.startswith("source/"):
        return f"docs/{page}"
    path = page.removeprefix("source/")
    return path if (ROOT / path).is_file() else path.removesuffix(".md")


def _on_site(path):
    """The page of a file of the repository."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return f"source/{path}" if path.endswith(".md") else f"source/{path}.md"


def _links(page, text):
    """(match, path in the repository) of each link to a file."""
    folder = posixpath.dirname(_in_repository(page))
    prose = _FENCED.sub(lambda code: " " * len(code[0]), text)
    for found in _LINK.finditer(prose):
        yield found, posixpath.normpath(posixpath.join(folder, found[2]))


def _text(path):
    """The file as a page: Markdown as it is, anything else as one block."""
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".md"):
        return text
    language = _LANGUAGES.get(posixpath.splitext(path)[1], "text")
    return f"# {path}\n\n````{language}\n{text}\n````\n"


def on_files(files, config):
    """Adds the pages of what is linked to, and of what those link to."""
    global _folder  # pylint: disable=global-statement
    _folder = tempfile.TemporaryDirectory(prefix="bandit-site-")
    known = {file.src_uri for file in files}
    waiting = [
        (file.src_uri, pathlib.Path(file.abs_src_path).read_text("utf-8"))
        for file in files.documentation_pages()
    ]
    while waiting:
        page, text = waiting.pop()
        for found, path in _links(page, text):
            to = _on_site(path)
            if to in known:
                continue
            if not (ROOT / path).is_file():
                raise FileNotFoundError(
                    f"{page} links to {found[2]}: there is no file {path}")
            known.add(to)
            copy = pathlib.Path(_folder.name) / to
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(_text(path), encoding="utf-8")
            files.append(File(to, _folder.name, config["site_dir"],
                              config["use_directory_urls"]))
            if path.endswith(".md"):
                waiting.append((to, copy.read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown, page, config, files):
    """Aims the links at the site's pages."""
    del config, files
    name = page.file.src_uri
    pieces, end = [], 0
    for found, path in _links(name, markdown):
        to = posixpath.relpath(_on_site(path), posixpath.dirname(name) or ".")
        # A line of a source has no anchor here.
        anchor = found[3] or "" if path.endswith(".md") else ""
        pieces += [markdown[end:found.start()], found[1], to, anchor, found[4]]
        end = found.end()
    return "".join(pieces) + markdown[end:]


def on_post_build(config):
    del config
    _folder.cleanup()
