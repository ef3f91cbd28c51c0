# SPDX-License-Identifier: Apache-2.0
"""docs/mlserver.md, typed as it stands; its `venv` is the pinned one."""

import json
import os
import pathlib
import sys

from lab import ROOT, holds

QUICK = False
NEEDS = ["venv"]
SECONDS = 400


def run(lab, sheet):
    sys.path.insert(0, str(ROOT / "tests" / "docs"))
    # They are the documents' tests' own.
    import pages  # pylint: disable=import-outside-toplevel
    import session  # pylint: disable=import-outside-toplevel

    peer = "MLServer " + lab.toolbox.python_version("mlserver")
    build = pathlib.Path(os.environ["BANDIT_ROUTER"]).parent
    folder = lab.folder("path")
    replaced = {
        "$CLONE/build/release": str(build),
        "/tmp/second": str(folder),
        "venv/bin/": f"{lab.toolbox.python().parent}/",
    }
    with session.Session(ROOT, folder, replaced,
                         {"PYTHONDONTWRITEBYTECODE": "1"}) as reader:
        with sheet.case(peer, "docs/mlserver.md is as it says") as case:
            blocks = reader.follow(pages.Page(ROOT / "docs" / "mlserver.md"))
            holds(blocks >= 8, f"only {blocks} blocks were followed")
            case.note = f"{blocks} blocks"
        with sheet.case(peer, "the better model has the requests") as case:
            status = json.loads(reader.run("banditctl status --json"))
            arms = {arm["name"]: arm["probability"]
                    for arm in status["experiments"][0]["arms"]}
            holds(arms["good"] > 0.9, f"probabilities {arms}")
            case.note = f"{arms['good']:.2f}"
