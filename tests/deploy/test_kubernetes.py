"""The manifest for Kubernetes keeps our rules, and the key ring that it mounts is followed."""

import re
import tomllib
from pathlib import Path

import pytest

from proxy.settings import load_settings
from tests.deploy.dockerfile import stages
from tests.deploy.manifest import Manifest
from tests.deploy.manifest_rules import RULES, broken
from tests.deploy.pod_rules import USER
from tests.integration.security.test_keyring_reload import ring, seconds_until, status
from tests.support.processes import ROOT
from tests.support.serve_command import serving
from tests.support.storage import Storage

TEXT = (ROOT / "deploy" / "kubernetes.yaml").read_text(encoding="utf-8")
MANIFEST = Manifest.read(TEXT)

# What breaks each rule: a text of the manifest, and what would stand there. Some rules can be broken in several ways.
BREAKS = [
    ("kinds are of versions that every Kubernetes has", "policy/v1\n", "policy/v1beta1\n"),
    ("kinds are of versions that every Kubernetes has", "kind: ConfigMap", "kind: Configmap"),
    (
        "no namespace is named",
        "metadata:\n  name: spatial-data-worker",
        "metadata:\n  namespace: maps\n  name: spatial-data-worker",
    ),
    (
        "each deployment selects its own pods",
        ", app.kubernetes.io/component: proxy}\n  strategy",
        "}\n  strategy",
    ),
    ("each deployment selects its own pods", "component: proxy}\n  strategy", "component: server}\n  strategy"),
    ("pods are restricted", "runAsNonRoot: true", "runAsNonRoot: false"),
    ("pods are restricted", "runAsUser: 10001", "runAsUser: 0"),
    ("pods are restricted", "seccompProfile: {type: RuntimeDefault}", "seccompProfile: {type: Unconfined}"),
    ("pods are restricted", "allowPrivilegeEscalation: false", "privileged: true"),
    ("pods are restricted", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"),
    ("pods are restricted", "capabilities: {drop: [ALL]}", "capabilities: {drop: [NET_RAW]}"),
    ("pods are restricted", "emptyDir: {sizeLimit: 2Gi}", "hostPath: {path: /var}"),
    (
        "pods are restricted",
        "      containers:\n",
        "      initContainers: [{name: first, image: any, securityContext: {privileged: true}}]\n      containers:\n",
    ),
    ("a ring is not for everybody", "defaultMode: 0440", "defaultMode: 0444"),
    ("a slow start is none that failed", "failureThreshold: 60", "failureThreshold: 5"),
    ("policies are for what comes in", "policyTypes: [Ingress]", "policyTypes: [Ingress, Egress]"),
    ("storage's secret may be missing", ", optional: true", ""),
    ("no token without need", "automountServiceAccountToken: false", "automountServiceAccountToken: true"),
    ("Prometheus finds each pod", "name: spatial-data-worker-metrics", "name: spatial-data-proxy-worker"),
    ("Prometheus finds each pod", "port: 9090, targetPort: metrics", "port: 9091, targetPort: metrics"),
    ("the server is asked whether it lives and is ready", "path: /readyz", "path: /livez"),
    ("the server is asked whether it lives and is ready", "livenessProbe", "lifeProbe"),
    ("the server is asked whether it lives and is ready", "{name: http, containerPort", "{name: web, containerPort"),
    ("the worker is asked for its sign of life", "healthcheck, worker]", "healthcheck]"),
    ("resources have bounds that fit", 'limits: {cpu: "1", memory: 320Mi', 'limits: {cpu: "1", memory: 96Mi'),
    ("resources have bounds that fit", 'limits: {cpu: "2", memory: 1280Mi', 'limits: {cpu: "2", memory: 1Gi'),
    ("resources have bounds that fit", "ephemeral-storage: 3Gi", "ephemeral-storage: 1Gi"),
    ("resources have bounds that fit", "memory: 160Mi", "memory: 1Gi"),
    ("an update takes nobody away first", "maxUnavailable: 0", "maxUnavailable: 1"),
    ("more than one server", "replicas: 2", "replicas: 1"),
    ("a server goes on until all nodes know that it ends", "exec: {command: [sleep", "httpGet: {path: [sleep"),
    ("each has the time to end", "terminationGracePeriodSeconds: 30", "terminationGracePeriodSeconds: 10"),
    (
        "pods are spread",
        "whenUnsatisfiable: ScheduleAnyway\n          labelSelector:\n            matchLabels: {app",
        "labelSelector:\n            matchLabels: {application",
    ),
    (
        "each has a disruption budget",
        "  minAvailable: 1\n  selector:\n    matchLabels: {",
        "  minAvailable: 1\n  selector:\n    matchLabels: {tier: front, ",
    ),
    ("a node can be emptied", "minAvailable: 1", "minAvailable: 2"),
    ("a node can be emptied", "  maxUnavailable: 1", "  minAvailable: 1"),
    ("each has a network policy", "podSelector:\n    matchLabels: {", "podSelector:\n    matchLabels: {tier: front, "),
    ("metrics stay inside", "    - ports: [{port: http}]", "    - ports: [{port: http}, {port: metrics}]"),
    ("metrics stay inside", "    - ports: [{port: http}]", "    - {}"),
    (
        "metrics stay inside",
        "targetPort: http}",
        "targetPort: http}\n    - {name: metrics, port: 9090, targetPort: metrics}",
    ),
    ("metrics stay inside", 'PROXY_METRICS_PORT: "9090"', 'PROXY_METRICS_PORT: "9100"'),
    ("ports agree", "containerPort: 8080", "containerPort: 8000"),
    ("ports agree", ", app.kubernetes.io/component: proxy}\n  ports", "}\n  ports"),
    ("ports agree", "PROXY_METRICS_PORT:", 'PROXY_PORT: "80"\n  PROXY_METRICS_PORT:'),
    ("variables are settings", "PROXY_TRUSTED_PROXIES:", "PROXY_TRUSTED_PROXY:"),
    ("no service of others becomes a setting", "      enableServiceLinks: false\n", ""),
    (
        "a changed ring arrives",
        "mountPath: /etc/spatial-data-proxy, ",
        "mountPath: /etc/spatial-data-proxy, subPath: ring.json, ",
    ),
    ("a changed ring arrives", "spatial-data-proxy/ring.json", "spatial-data-proxy/keys.json"),
    ("secrets are named and not held", "secretName: spatial-data-proxy-ring,", "secretName: ring,"),
    ("only /tmp is written, to a bound", "emptyDir: {sizeLimit: 64Mi}", "emptyDir: {}"),
    ("only /tmp is written, to a bound", ", readOnly: true}", "}"),
    ("only /tmp is written, to a bound", "emptyDir: {sizeLimit: 2Gi}", "emptyDir: {sizeLimit: 1Gi}"),
    ("one image of one version", "spatial-data-proxy:0.1.0", "spatial-data-proxy:latest"),
]


def test_the_manifest_keeps_all_rules() -> None:
    assert broken(TEXT) == []


def test_every_rule_is_broken_once() -> None:
    assert {rule for rule, _, _ in BREAKS} == set(RULES)


@pytest.mark.parametrize(
    ("rule", "text", "instead"), BREAKS, ids=[f"{rule}-{number}" for number, (rule, _, _) in enumerate(BREAKS)]
)
def test_a_manifest_that_breaks_a_rule_is_found(rule: str, text: str, instead: str) -> None:
    changed = TEXT.replace(text, instead, 1)
    assert changed != TEXT
    assert rule in broken(changed)


def test_a_server_would_start_with_these_settings() -> None:
    named = {name.removeprefix("PROXY_").lower(): text for name, text in MANIFEST.settings.items()}
    settings = load_settings(serving=True, **named)
    assert settings.workers == 1


def test_user_ports_and_version_are_the_images() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    image = stages(text)[-1]
    assert image.last("USER") == f"{USER}:{USER}"
    exposed = {int(port) for port in image.last("EXPOSE").split()}
    assert exposed == {port for workload in MANIFEST.workloads for port in workload.ports.values()}
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert set(re.findall(r"image: \S+:(\S+)", TEXT)) == {version}


def test_a_ring_is_followed_as_kubernetes_exchanges_it(storage: Storage, tmp_path: Path) -> None:
    # The kubelet writes a new folder, leads the link ..data to it in one step, and removes the old one.
    name = Path(MANIFEST.settings["PROXY_KEYRING_FILE"]).name
    mounted = tmp_path / name
    mounted.symlink_to(f"..data/{name}")

    def exchange(folder: str, *keys: str) -> None:
        (tmp_path / folder).mkdir()
        file = tmp_path / folder / name
        file.write_text(ring(storage, *keys))
        file.chmod(0o440)
        (tmp_path / "..data_tmp").symlink_to(folder)
        (tmp_path / "..data_tmp").rename(tmp_path / "..data")

    exchange("..2026_11_25_10_00_00.1", "first")
    with serving(storage, keyring_file=mounted) as server:
        assert status(server, "first") == 200
        exchange("..2026_11_25_11_00_00.2", "second")
        (tmp_path / "..2026_11_25_10_00_00.1" / name).unlink()
        (tmp_path / "..2026_11_25_10_00_00.1").rmdir()
        seconds_until(lambda: status(server, "second") == 200)
        assert status(server, "first") == 401
        assert "refused" not in server.log()
