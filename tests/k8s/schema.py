# SPDX-License-Identifier: Apache-2.0
"""Holds manifests against Kubernetes' own schemas, strictly.

A program of its own: it runs in the environment that has kubernetes-validate,
reads [{"version": ..., "documents": [...]}] from standard input and writes one
line for each problem. Of custom resources it knows those below.
"""

import json
import sys

import jsonschema
import kubernetes_validate

# KServe's are its own to judge.
SKIPPED = {"InferenceService"}


def closed(required, **properties):
    return {"type": "object", "additionalProperties": False,
            "required": required, "properties": properties}


TEXT = {"type": "string"}
SELECTOR = {"$ref": "#/$defs/selector"}
ENDPOINTS = {
    "type": "array", "minItems": 1,
    "items": closed(["port"], port=TEXT, path=TEXT, interval=TEXT),
}
TEXTS = {"type": "object", "additionalProperties": TEXT}
RULE = closed(["alert", "expr"], alert=TEXT, expr=TEXT, labels=TEXTS,
              annotations=TEXTS, **{"for": TEXT})
SPECS = {
    "ServiceMonitor": closed(["selector", "endpoints"], selector=SELECTOR,
                             endpoints=ENDPOINTS),
    "PodMonitor": closed(["selector", "podMetricsEndpoints"],
                         selector=SELECTOR, podMetricsEndpoints=ENDPOINTS),
    "PrometheusRule": closed(
        ["groups"],
        groups={"type": "array", "items": closed(
            ["name", "rules"], name=TEXT,
            rules={"type": "array", "items": RULE})}),
}
DEFINITIONS = {
    "selector": closed(
        [], matchLabels=TEXTS,
        matchExpressions={"type": "array", "items": closed(
            ["key", "operator"], key=TEXT,
            operator={"enum": ["In", "NotIn", "Exists", "DoesNotExist"]},
            values={"type": "array", "items": TEXT})}),
}


def problem(document, version):
    """What is wrong, or None."""
    kind = document.get("kind")
    if kind in SKIPPED:
        return None
    try:
        if kind in SPECS:
            jsonschema.validate(document["spec"],
                                {**SPECS[kind], "$defs": DEFINITIONS})
        else:
            kubernetes_validate.validate(document, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{'.'.join(map(str, error.path))}: {error.message}"
    except jsonschema.ValidationError as error:
        return f"{'.'.join(map(str, error.path))}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError as error:
        return str(error)
    return None


def main():
    count = 0
    for batch in json.load(sys.stdin):
        for document in batch["documents"]:
            count += 1
            found = problem(document, batch["version"])
            if found:
                print(f"{batch['version']} {document.get('kind')}/"
                      f"{document['metadata']['name']}: {found}")
    print(f"{count} documents", file=sys.stderr)


if __name__ == "__main__":
    main()
