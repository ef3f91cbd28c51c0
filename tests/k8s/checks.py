# SPDX-License-Identifier: Apache-2.0
"""What must hold of every rendering, beyond what a schema can say.

A check takes the documents of one rendering and yields what is wrong, a line
each. checks_test.py breaks each of them.
"""

import re

import yaml

import manifests
from manifests import of_kind, pods, router_pods, selects, title

# Our own containers, whatever the pod.
OURS = {"bandit-router", "validate", "status"}
# What the router may take beyond its grace: a disk that hangs.
STOP_SECONDS = 5
NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")
# Fields of the config that name files.
FILES = {"certificate", "key", "client_ca", "ca", "path", "secret_file"}


def all_problems(docs, config_check):
    """Every check's, each line with the name of its check before it."""
    found = []
    for check in CHECKS:
        found += [f"{check.__name__}: {line}" for line in check(docs)]
    for pod in pods(docs):
        for container in pod.containers:
            text = manifests.config_of(pod, docs, container)
            if text is not None:
                found += [f"config of {pod.title}: {line}" for line in
                          config_check.problems(text, container)]
    return found


def names(docs):
    """Unique, and such that Kubernetes takes them."""
    seen = set()
    for document in docs:
        metadata = document["metadata"]
        name = metadata["name"]
        key = (document["kind"], metadata.get("namespace"), name)
        if key in seen:
            yield f"{title(document)} is there twice"
        seen.add(key)
        if not NAME.fullmatch(name):
            yield f"{title(document)}: not a name"


def hardened(docs):
    """Our containers run with nothing that they do not need."""
    for pod in pods(docs):
        if pod.spec.get("automountServiceAccountToken") is not False:
            yield f"{pod.title}: a service account's token is mounted"
        for container in pod.containers:
            if ":latest" in container["image"] or not re.search(
                    "[:@]", container["image"].rpartition("/")[2]):
                yield f"{pod.title}: {container['image']} names no version"
            if "limits" not in container.get("resources", {}):
                yield f"{pod.title}: {container['name']} has no limits"
            if container["name"] in OURS:
                for line in _unsafe(container):
                    yield f"{pod.title}: {container['name']}: {line}"


def _unsafe(container):
    context = container.get("securityContext", {})
    wanted = {
        "runAsNonRoot": True, "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    for key, value in wanted.items():
        if context.get(key) != value:
            yield f"securityContext.{key} is not {value}"
    if not context.get("runAsUser"):
        yield "no numeric user: an image's name would have to be looked up"


def sidecars(docs):
    """A router in initContainers is a sidecar: else the pod never starts."""
    for pod in router_pods(docs):
        if pod.is_sidecar and pod.router.get("restartPolicy") != "Always":
            yield f"{pod.title}: a router in initContainers needs " \
                  "restartPolicy: Always"


def mounts(docs):
    """What is mounted is there; what the config names is mounted."""
    maps = {d["metadata"]["name"] for d in of_kind(docs, "ConfigMap")}
    for pod in pods(docs):
        volumes = pod.volumes()
        for container in pod.containers:
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in volumes:
                    yield f"{pod.title}: no volume {mount['name']}"
        if not pod.router:
            continue
        text = manifests.config_of(pod, docs)
        if text is None:
            yield f"{pod.title}: no config at /etc/bandit-router; ConfigMaps " \
                  f"are {sorted(maps)}"
            continue
        places = []
        for mount in pod.router["volumeMounts"]:
            places.append(mount["mountPath"] + "/")
            if "subPath" in mount:
                yield f"{pod.title}: a file below a subPath never changes"
        for path in files_of(yaml.safe_load(text)):
            if not any(path.startswith(place) for place in places):
                yield f"{pod.title}: the config names {path}, nothing is " \
                      "mounted there"


def files_of(config):
    """Paths that a config names, the state's included."""
    if isinstance(config, list):
        for value in config:
            yield from files_of(value)
    if not isinstance(config, dict):
        return
    for key, value in config.items():
        if key == "state" and str(value).startswith("sqlite://"):
            yield value.removeprefix("sqlite://")
        elif key in FILES and str(value).startswith("/"):
            yield value
        else:
            yield from files_of(value)


def ports(docs):
    """The config's ports are the container's, probes reach them."""
    for pod in router_pods(docs):
        text = manifests.config_of(pod, docs)
        if text is None:
            continue
        config = yaml.safe_load(text)
        declared = {p["name"]: p["containerPort"] for p in pod.router["ports"]}
        host = {}
        for key in ("listen", "control", "admin"):
            host[key], _, port = str(config.get(key, "")).rpartition(":")
            if port != str(declared.get(key)):
                yield f"{pod.title}: {key} is {config.get(key)}, the " \
                      f"container's port {declared.get(key)}"
        if host["admin"] == "127.0.0.1":
            yield f"{pod.title}: admin is on the loopback, nobody can scrape it"
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            for line in _probe(pod.router.get(probe, {}), declared, host,
                               config):
                yield f"{pod.title}: {probe}: {line}"


def _probe(probe, declared, host, config):
    if "grpc" in probe:
        if probe["grpc"]["port"] != declared.get("control"):
            yield "not the control port"
        if host["control"] == "127.0.0.1":
            yield "control is on the loopback, the kubelet does not reach it"
        if "control_tls" in config:
            yield "a gRPC probe speaks no TLS"
    elif "httpGet" in probe:
        if probe["httpGet"]["port"] not in ("admin", declared.get("admin")):
            yield "not the admin port"
    else:
        yield "is missing"


def draining(docs):
    """The pod's patience is longer than the router's."""
    for pod in router_pods(docs):
        text = manifests.config_of(pod, docs)
        if text is None:
            continue
        grace = _seconds(yaml.safe_load(text).get("grace", "10s"))
        stop = pod.router.get("lifecycle", {}).get("preStop", {})
        delay = int(stop.get("sleep", {}).get("seconds", 0) or
                    stop.get("exec", {}).get("command", [0])[-1])
        has = pod.spec.get("terminationGracePeriodSeconds", 30)
        if has < grace + delay + STOP_SECONDS:
            yield f"{pod.title}: terminationGracePeriodSeconds is {has}, but " \
                  f"the router may take {delay} + {grace} + {STOP_SECONDS}"
        if not pod.is_sidecar and delay == 0:
            yield f"{pod.title}: no preStop: Services still send it requests"


def _seconds(text):
    number, unit = re.fullmatch(r"(\d+)(s|m|h)", str(text)).groups()
    return int(number) * {"s": 1, "m": 60, "h": 3600}[unit]


def state(docs):
    """One router has one state."""
    for pod in router_pods(docs):
        claims = [v for v in pod.spec.get("volumes", [])
                  if "persistentVolumeClaim" in v
                  and v["name"] == "bandit-router-state"]
        if claims and (pod.owner["spec"].get("replicas") != 1 or
                       pod.owner["spec"].get("strategy") !=
                       {"type": "Recreate"}):
            yield f"{pod.title}: two routers would open one state"


def selectors(docs):
    """Services, policies and monitors find what they are for."""
    everywhere = pods(docs)
    for document in of_kind(docs, "Service"):
        selector = document["spec"].get("selector", {})
        if str(selector.get("app", "")).startswith("isvc."):
            continue  # KServe makes these pods.
        chosen = [p for p in everywhere if selects(selector, p.labels)]
        if len(chosen) != 1:
            yield f"{title(document)} selects {[p.title for p in chosen]}"
        for port in document["spec"]["ports"]:
            target = port.get("targetPort", port["port"])
            for pod in chosen:
                there = pod.ports()
                if target not in there and target not in there.values():
                    yield f"{title(document)}: {pod.title} has no port {target}"
    for document in of_kind(docs, "NetworkPolicy", "PodDisruptionBudget"):
        spec = document["spec"]
        selector = spec.get("podSelector", spec.get("selector"))
        if not any(p.router and selects(selector, p.labels)
                   for p in everywhere):
            yield f"{title(document)} selects no router"
        if any(not p.router and selects(selector, p.labels)
               for p in everywhere):
            yield f"{title(document)} selects pods that have no router"
    yield from _monitors(docs, everywhere)


def _monitors(docs, everywhere):
    for document in of_kind(docs, "ServiceMonitor"):
        found = [
            port["name"] for service in of_kind(docs, "Service")
            if selects(document["spec"]["selector"],
                       service["metadata"].get("labels") or {})
            for port in service["spec"]["ports"]
        ]
        for endpoint in document["spec"]["endpoints"]:
            if found.count(endpoint["port"]) != 1:
                yield f"{title(document)} finds {found.count(endpoint['port'])}" \
                      f" Services with a port {endpoint['port']}"
    for document in of_kind(docs, "PodMonitor"):
        for pod in everywhere:
            if pod.is_sidecar and not selects(document["spec"]["selector"],
                                              pod.labels):
                yield f"{title(document)} does not find {pod.title}"


def backends(docs):
    """Backends that are in the same namespace, by their short name, have a
    Service. Only where the rendering brings its model servers."""
    services = {
        d["metadata"]["name"]: {p["port"] for p in d["spec"]["ports"]}
        for d in of_kind(docs, "Service")
    }
    others = [d for d in of_kind(docs, "Deployment", "InferenceService")
              if not any(p.router and p.owner is d for p in pods(docs))]
    if not others:
        return
    for text in manifests.config_maps(docs).values():
        for name, backend in yaml.safe_load(text)["backends"].items():
            match = re.fullmatch(r"dns:///([^.:]+):(\d+)",
                                 str(backend["address"]))
            if match and int(match[2]) not in services.get(match[1], ()):
                yield f"backends.{name}: no Service {match[1]} with a port " \
                      f"{match[2]}"


CHECKS = [names, hardened, sidecars, mounts, ports, draining, state,
          selectors, backends]
