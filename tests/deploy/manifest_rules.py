"""What a Kubernetes manifest must keep to, and which of it is broken."""

import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

import yaml

from proxy.settings import Settings
from tests.deploy.manifest import Manifest, fits
from tests.deploy.pod_rules import (
    asks,
    bounded,
    end_seconds,
    files,
    may_start_slowly,
    pause,
    readable_by_us_only,
    restricted,
    rolls,
    runs,
    spread,
)
from tests.deploy.variables import unknown
from tests.support.processes import ROOT

SCRAPING = ROOT / "deploy" / "prometheus" / "prometheus.yaml"

ASKED = {
    name: server["port"]
    for job in yaml.safe_load(SCRAPING.read_text(encoding="utf-8"))["scrape_configs"]
    for server in job["dns_sd_configs"]
    for name in server["names"]
}

KINDS = {
    "ConfigMap": "v1",
    "ServiceAccount": "v1",
    "Service": "v1",
    "Deployment": "apps/v1",
    "PodDisruptionBudget": "policy/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
}

# Seconds that a node may go on sending requests to a pod that has left its service.
ENDPOINTS_LAG = 5


def _selected(manifest: Manifest, selector: Mapping[str, str]) -> list[str]:
    return [each.whole["metadata"]["name"] for each in manifest.workloads if fits(selector, each.labels)]


def _one_each(manifest: Manifest, kind: str, member: str) -> bool:
    """Whether each workload is selected by exactly one such object."""
    found = [_selected(manifest, each["spec"][member]["matchLabels"]) for each in manifest.all(kind)]
    return sorted(found) == sorted([each.whole["metadata"]["name"]] for each in manifest.workloads)


def _can_be_moved(manifest: Manifest) -> bool:
    """Whether a node can be emptied: each budget lets one pod go."""
    for budget in manifest.all("PodDisruptionBudget"):
        spec = budget["spec"]
        for each in manifest.workloads:
            if fits(spec["selector"]["matchLabels"], each.labels):
                stay = spec.get("minAvailable", each.whole["spec"]["replicas"] - spec.get("maxUnavailable", 0))
                if each.whole["spec"]["replicas"] <= stay:
                    return False
    return True


def _ring_is_followed(manifest: Manifest) -> bool:
    """Whether the ring's file lies in a mounted secret whose changes arrive."""
    file = PurePosixPath(manifest.settings.get("PROXY_KEYRING_FILE", ""))
    return (
        all(
            any(
                PurePosixPath(mount["mountPath"]) == file.parent and "secret" in volume and "subPath" not in mount
                for mount, volume in workload.volumes
            )
            for workload in manifest.workloads
        )
        and f"--from-file={file.name}" in manifest.text
    )


def _secrets_are_told(manifest: Manifest) -> bool:
    named = {
        volume["secret"]["secretName"]
        for each in manifest.workloads
        for _, volume in each.volumes
        if "secret" in volume
    }
    named |= {
        source["secretRef"]["name"]
        for each in manifest.workloads
        for source in each.container["envFrom"]
        if "secretRef" in source
    }
    return not manifest.all("Secret") and all(f"create secret generic {name} " in manifest.text for name in named)


def _metrics_stay_inside(manifest: Manifest) -> bool:
    port = int(manifest.settings.get("PROXY_METRICS_PORT", 0))
    rules = [rule for each in manifest.all("NetworkPolicy") for rule in each["spec"]["ingress"]]
    guarded = all(rule.get("from") for rule in rules if {"port": "metrics"} in rule.get("ports", [{"port": "metrics"}]))
    ours = manifest.all("Service")
    told = {served["targetPort"] for each in ours if not _headless(each) for served in each["spec"]["ports"]}
    inside = all(each["spec"].get("type", "ClusterIP") == "ClusterIP" for each in ours)
    return (
        guarded and inside and told == {"http"} and {each.ports.get("metrics") for each in manifest.workloads} == {port}
    )


def _headless(service: Any) -> bool:
    """Whether the service's name stands for each of its pods."""
    return bool(service["spec"].get("clusterIP") == "None")


def _prometheus_finds_each(manifest: Manifest) -> bool:
    told = {each["metadata"]["name"]: each["spec"] for each in manifest.all("Service") if _headless(each)}
    found = [name for spec in told.values() for name in _selected(manifest, spec["selector"])]
    ports = {name: spec["ports"][0]["port"] for name, spec in told.items()}
    right = all(spec["ports"][0]["targetPort"] == "metrics" for spec in told.values())
    return (
        right
        and ports == ASKED
        and sorted(found) == sorted(each.whole["metadata"]["name"] for each in manifest.workloads)
    )


def _ports_agree(manifest: Manifest) -> bool:
    (service,) = (each for each in manifest.all("Service") if not _headless(each))
    server = manifest.workload("serve")
    return (
        service["spec"]["selector"].items() <= server.labels.items()
        and _selected(manifest, service["spec"]["selector"]) == [server.whole["metadata"]["name"]]
        and server.ports.get("http") == Settings.model_fields["port"].default
        and "PROXY_PORT" not in manifest.settings
    )


RULES: Mapping[str, Callable[[Manifest], object]] = {
    "kinds are of versions that every Kubernetes has": lambda all_: all(
        KINDS.get(each["kind"]) == each["apiVersion"] for each in all_.objects
    ),
    "no namespace is named": lambda all_: all("namespace" not in each["metadata"] for each in all_.objects),
    "each deployment selects its own pods": lambda all_: all(
        _selected(all_, each.whole["spec"]["selector"]["matchLabels"]) == [each.whole["metadata"]["name"]]
        for each in all_.workloads
    ),
    "pods are restricted": lambda all_: all(map(restricted, all_.workloads)),
    "a ring is not for everybody": lambda all_: all(map(readable_by_us_only, all_.workloads)),
    "a slow start is none that failed": lambda all_: all(map(may_start_slowly, all_.workloads)),
    "no token without need": lambda all_: all(
        each.get("automountServiceAccountToken") is False
        for each in [*all_.all("ServiceAccount"), *(each.pod for each in all_.workloads)]
    ),
    "Prometheus finds each pod": _prometheus_finds_each,
    "the server is asked whether it lives and is ready": lambda all_: (
        asks(all_.workload("serve"), "startupProbe", "/livez")
        and asks(all_.workload("serve"), "livenessProbe", "/livez")
        and asks(all_.workload("serve"), "readinessProbe", "/readyz")
    ),
    "the worker is asked for its sign of life": lambda all_: all(
        runs(all_.workload("worker"), probe) for probe in ("startupProbe", "livenessProbe")
    ),
    "resources have bounds that fit": lambda all_: all(map(bounded, all_.workloads)),
    "an update takes nobody away first": lambda all_: all(map(rolls, all_.workloads)),
    "more than one server": lambda all_: all_.workload("serve").whole["spec"]["replicas"] > 1,
    "a server goes on until all nodes know that it ends": lambda all_: pause(all_.workload("serve")) > ENDPOINTS_LAG,
    "each has the time to end": lambda all_: all(
        each.pod.get("terminationGracePeriodSeconds", 0) > pause(each) + end_seconds() for each in all_.workloads
    ),
    "pods are spread": lambda all_: all(map(spread, all_.workloads)),
    "each has a disruption budget": lambda all_: _one_each(all_, "PodDisruptionBudget", "selector"),
    "a node can be emptied": _can_be_moved,
    "each has a network policy": lambda all_: _one_each(all_, "NetworkPolicy", "podSelector"),
    # One for what goes out must name storage, identities, DNS and whoever takes traces; without rules it stops all.
    "policies are for what comes in": lambda all_: all(
        each["spec"]["policyTypes"] == ["Ingress"] for each in all_.all("NetworkPolicy")
    ),
    "metrics stay inside": _metrics_stay_inside,
    "ports agree": _ports_agree,
    "variables are settings": lambda all_: not unknown(all_.settings),
    "no service of others becomes a setting": lambda all_: all(
        each.pod.get("enableServiceLinks") is False for each in all_.workloads
    ),
    "a changed ring arrives": _ring_is_followed,
    "secrets are named and not held": _secrets_are_told,
    "only /tmp is written, to a bound": lambda all_: all(map(files, all_.workloads)),
    "storage's secret may be missing": lambda all_: all(
        source["secretRef"].get("optional") is True
        for each in all_.workloads
        for source in each.container["envFrom"]
        if "secretRef" in source
    ),
    "one image of one version": lambda all_: (
        len(images := {each.container["image"] for each in all_.workloads}) == 1
        and re.search(r":\d+\.\d+\.\d+$", images.pop()) is not None
    ),
}


def broken(text: str) -> list[str]:
    """The rules that a manifest breaks."""
    manifest = Manifest.read(text)
    return [rule for rule, holds in RULES.items() if not holds(manifest)]
