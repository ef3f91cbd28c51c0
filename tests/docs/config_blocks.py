# SPDX-License-Identifier: Apache-2.0
"""Makes a whole config of a page's YAML block.

A block with `backends`, or one that the reader saves as a file, is a whole
config. Any other is a part, and its mark
says of what; the rest comes from the skeleton below, so that the real reader
judges every line of it.

  <!-- test: part of config -->      fields of the top level
  <!-- test: part of experiment -->  fields of one experiment
  <!-- test: part of arm -->         fields of one arm
  <!-- test: part of backend -->     fields of one backend
"""

import re

_FIELD = re.compile(r"^([a-z_]+):", re.M)
# What a part may rely on.
_BACKEND = {"address": 'address: "127.0.0.1:8001"\n'}
_ARM = {"name": "name: candidate\n", "backend": "backend: b\n"}
_EXPERIMENT = {
    "name": "name: ranker\n",
    "match": "match: {service: inference.GRPCInferenceService}\n",
    "arms": "arms:\n- {name: control, backend: a}\n@ARM@",
    "control": "control: control\n",
    "policy": "policy: {name: thompson, floor: 0.02}\n",
    "reward": "reward: {metric: click}\n",
    "metrics": "metrics: [{name: click, kind: binary, window: 30m}]\n",
}
_CONFIG = {
    "state": 'state: "memory:"\n',
    "backends": 'backends:\n  a: {address: "127.0.0.1:8002"}\n  b:\n@BACKEND@',
    "experiments": "experiments:\n@EXPERIMENT@",
}


class NoPart(ValueError):
    """The block does not say what it is."""


def whole(block):
    """The text of a config that has the block in it."""
    if "backends" in _FIELD.findall(block.text) and (
            not block.marks or block.marks[0] == "file"):
        return block.text
    if block.marks[:2] != ["part", "of"] or len(block.marks) != 3:
        raise NoPart("no `backends`, and no mark says what it is a part of")
    parts = {"backend": "", "arm": "", "experiment": "", "config": ""}
    if block.marks[2] not in parts:
        raise NoPart(f"there is no part of {block.marks[2]}")
    parts[block.marks[2]] = block.text
    backend = _put(_BACKEND, parts["backend"])
    arm = _item(_put(_ARM, parts["arm"]))
    experiment = _put(_EXPERIMENT, parts["experiment"]).replace("@ARM@", arm)
    config = _put(_CONFIG, parts["config"])
    return config.replace("@BACKEND@", _indented(backend, 4)).replace(
        "@EXPERIMENT@", _item(experiment))


def _put(skeleton, part):
    """The skeleton's fields, but for those that the part has."""
    own = set(_FIELD.findall(part))
    kept = [text for name, text in skeleton.items() if name not in own]
    return "".join(kept) + part


def _indented(text, width):
    return "".join(" " * width + line for line in text.splitlines(True))


def _item(text):
    """As an item of a list."""
    return "-" + _indented(text, 2)[1:]
