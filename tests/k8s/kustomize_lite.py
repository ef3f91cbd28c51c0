# SPDX-License-Identifier: Apache-2.0
"""As much of kustomize as our kustomizations use, so that they are tested
where there is none. `./dev k8s` holds the two against each other."""

import copy
import pathlib
import re

from manifests import documents, title

KNOWN = {
    "apiVersion", "kind", "namespace", "resources", "components",
    "configMapGenerator", "generatorOptions", "images", "patches",
}


def build(folder, below=()):
    """The documents that `kustomize build` of the folder prints, in some
    order. `below`: what a component is laid over."""
    folder = pathlib.Path(folder)
    (what,) = documents((folder / "kustomization.yaml").read_text())
    unknown = set(what) - KNOWN
    if unknown:
        raise ValueError(f"{folder}: {unknown} is not known here")
    docs = copy.deepcopy(list(below))
    for entry in what.get("resources", []):
        path = folder / entry
        docs += build(path) if path.is_dir() else documents(path.read_text())
    for generator in what.get("configMapGenerator", []):
        docs = _generate(folder, generator, what, docs)
    for entry in what.get("components", []):
        docs = build(folder / entry, docs)
    for patch in what.get("patches", []):
        (change,) = documents((folder / patch["path"]).read_text())
        for document in docs:
            if _is_target(patch["target"], document):
                for key in ("kind", "metadata", "apiVersion"):
                    change.pop(key, None)
                _merge(document, change)
    for document in docs:
        _transform(document, what)
    return docs


def _generate(folder, generator, what, docs):
    options = {**what.get("generatorOptions", {}),
               **generator.get("options", {})}
    if not options.get("disableNameSuffixHash"):
        raise ValueError(f"{folder}: a hash in {generator['name']}'s name "
                         "would restart the routers at each change")
    data = {}
    for file in generator["files"]:
        key, _, path = file.rpartition("=")
        path = folder / path
        data[key or path.name] = path.read_text()
    made = {"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": generator["name"]}, "data": data}
    if "labels" in options:
        made["metadata"]["labels"] = dict(options["labels"])
    old = [d for d in docs if title(d) == title(made)]
    if bool(old) != (generator.get("behavior") == "replace"):
        raise ValueError(f"{folder}: behavior of {generator['name']}")
    return [d for d in docs if d not in old] + [made]


def _is_target(target, document):
    if not re.fullmatch(target["kind"], document["kind"]):
        return False
    metadata = document["metadata"]
    if target.get("name", metadata["name"]) != metadata["name"]:
        return False
    key, _, value = target.get("labelSelector", "").partition("=")
    return not key or (metadata.get("labels") or {}).get(key) == value


def _merge(into, change):
    """A strategic merge of what our patches have: maps and lists by name."""
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        elif isinstance(value, list) and isinstance(into.get(key), list):
            names = [entry["name"] for entry in into[key] + value]
            if len(set(names)) != len(names):
                raise ValueError(f"{key}: {names}")
            into[key] = value + into[key]
        else:
            into[key] = copy.deepcopy(value)


def _transform(document, what):
    namespace = what.get("namespace")
    if namespace and document["kind"] == "Namespace":
        document["metadata"]["name"] = namespace
    elif namespace:
        document["metadata"]["namespace"] = namespace
    for image in what.get("images", []):
        _replace_image(document, image)


def _replace_image(value, image):
    if isinstance(value, list):
        for entry in value:
            _replace_image(entry, image)
    elif isinstance(value, dict):
        name = str(value.get("image", "")).rpartition(":")[0]
        if name == image["name"]:
            value["image"] = f"{image['newName']}:{image['newTag']}"
        for entry in value.values():
            _replace_image(entry, image)
