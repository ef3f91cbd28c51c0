# SPDX-License-Identifier: Apache-2.0
"""Kubernetes manifests as the checks see them.

A rendering is a list of documents. Routers are containers named
`bandit-router`, in containers or initContainers, of anything with a pod.
"""

import pathlib
from dataclasses import dataclass

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
K8S = ROOT / "k8s"
ROUTER = "bandit-router"
CONFIG = "router.yaml"


def documents(text):
    """The documents of a YAML stream, `List`s taken apart."""
    found = []
    for document in yaml.safe_load_all(text):
        if not document:
            continue
        if document.get("kind") == "List":
            found += document["items"]
        else:
            found.append(document)
    return found


def title(document):
    name = document.get("metadata", {}).get("name", "?")
    return f"{document.get('kind', '?')}/{name}"


@dataclass
class Pod:
    """What a document says of pods."""

    owner: dict
    metadata: dict
    spec: dict

    @property
    def title(self):
        return title(self.owner)

    @property
    def labels(self):
        return self.metadata.get("labels") or {}

    @property
    def containers(self):
        return self.spec.get("initContainers", []) + self.spec.get(
            "containers", [])

    @property
    def router(self):
        """The router's container, or None."""
        for container in self.containers:
            if container["name"] == ROUTER:
                return container
        return None

    @property
    def is_sidecar(self):
        return self.router in self.spec.get("initContainers", [])

    def volumes(self):
        """By name: those of the pod, and the claims of a StatefulSet."""
        found = {v["name"]: v for v in self.spec.get("volumes", [])}
        for claim in self.owner["spec"].get("volumeClaimTemplates", []):
            found[claim["metadata"]["name"]] = claim
        return found

    def ports(self):
        """Numbers of the ports of all containers, by name."""
        return {
            port["name"]: port["containerPort"]
            for container in self.containers
            for port in container.get("ports", [])
        }


def pods(docs):
    found = []
    for document in docs:
        spec = document.get("spec") or {}
        if document.get("kind") == "Pod":
            found.append(Pod(document, document["metadata"], spec))
        elif isinstance(spec.get("template"), dict):
            template = spec["template"]
            found.append(
                Pod(document, template.get("metadata") or {}, template["spec"]))
    return found


def router_pods(docs):
    return [pod for pod in pods(docs) if pod.router]


def of_kind(docs, *kinds):
    return [d for d in docs if d.get("kind") in kinds]


def config_maps(docs):
    """Texts of the routers' configs, by the name of their ConfigMap."""
    return {
        d["metadata"]["name"]: d["data"][CONFIG]
        for d in of_kind(docs, "ConfigMap") if CONFIG in d.get("data", {})
    }


def config_of(pod, docs, container=None):
    """The text of the config that a container of the pod is given (the
    router, unless another is named), or None."""
    container = container or pod.router
    mounts = {m["mountPath"]: m["name"]
              for m in container.get("volumeMounts", [])}
    volume = pod.volumes().get(mounts.get("/etc/bandit-router"), {})
    return config_maps(docs).get(volume.get("configMap", {}).get("name"))


def selects(selector, labels):
    """Whether a label selector, or a Service's map of labels, fits."""
    if selector is None:
        return False
    if not {"matchLabels", "matchExpressions"} & set(selector):
        wanted, expressions = selector, []
    else:
        wanted = selector.get("matchLabels") or {}
        expressions = selector.get("matchExpressions") or []
    for expression in expressions:
        if expression["operator"] != "Exists":
            raise ValueError(f"operator {expression['operator']}")
        if expression["key"] not in labels:
            return False
    return all(labels.get(key) == value for key, value in wanted.items())


def kustomizations():
    """Folders that a user may apply: no components."""
    return sorted(
        file.parent for file in K8S.rglob("kustomization.yaml")
        if documents(file.read_text())[0]["kind"] == "Kustomization")
