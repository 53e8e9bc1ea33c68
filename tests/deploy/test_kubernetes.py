"""The manifest for Kubernetes: kubeconform and kube-linter judge it; here stands what only this project knows."""

import json
import re
import tomllib
from pathlib import Path, PurePosixPath

import pytest
import yaml

from adapters.credentials.config import IdentityConfig, IdentityKind
from proxy.console.request_guard import LIVEZ
from proxy.console.sign_in import requires_sign_in
from proxy.keyring.file import parse_keyring
from proxy.server.graceful_shutdown import DRAIN_SECONDS, SETTLE_SECONDS
from proxy.server.run import uvicorn_config
from proxy.settings import Settings, load_settings
from proxy.worker.lease import STOP_SECONDS
from tests.deploy import console_needs, server_needs, worker_needs
from tests.deploy.manifest import Manifest, Workload, amount, fits
from tests.deploy.tools import ROOT, run_tool
from tests.deploy.variables import unknown
from tests.docs.pages import read
from tests.integration.security.test_keyring_reload import ring, status
from tests.support.live import wait_for
from tests.support.serve_command import serving
from tests.support.storage import Storage

FILE = "deploy/kubernetes.yaml"
MANIFEST = Manifest.read((ROOT / FILE).read_text(encoding="utf-8"))
WORKLOADS = pytest.mark.parametrize(
    "workload", MANIFEST.workloads, ids=[each.container["args"][0] for each in MANIFEST.workloads]
)
HEALTH = ["python", "-m", "proxy.cli.healthcheck"]
USER = 10001
RING_NAME = "spatial-data-proxy-ring"
NEEDS = {"serve": server_needs, "worker": worker_needs, "console": console_needs}
# Seconds that a node may go on sending requests to a pod that has left its service.
ENDPOINTS_LAG = 5


@pytest.mark.parametrize("words", [("kubeconform", "-strict", FILE), ("kube-linter", "lint", FILE)])
def test_the_ecosystems_checkers_find_nothing(words: tuple[str, ...]) -> None:
    done = run_tool(*words)
    assert done.returncode == 0, done.stdout + done.stderr


@WORKLOADS
def test_pods_keep_the_restricted_level_and_write_to_tmp_only(workload: Workload) -> None:
    pod, own = workload.pod["securityContext"], workload.container["securityContext"]
    assert pod["runAsNonRoot"] is True
    assert {pod["runAsUser"], pod["runAsGroup"], pod["fsGroup"]} == {USER}
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert workload.pod["automountServiceAccountToken"] is False
    assert workload.pod["enableServiceLinks"] is False  # a service of another's must not become a PROXY_ variable
    writable = {mount["mountPath"]: volume for mount, volume in workload.volumes if not mount.get("readOnly")}
    assert set(writable) == {"/tmp"}  # noqa: S108 - the container's own
    assert all("sizeLimit" in volume["emptyDir"] for volume in writable.values())


@WORKLOADS
def test_a_pod_has_the_memory_and_disk_that_it_needs(workload: Workload) -> None:
    resources = workload.container["resources"]
    (command,) = workload.container["args"]
    for name in ("cpu", "memory", "ephemeral-storage"):
        assert amount(resources["requests"][name]) <= amount(resources["limits"][name])
    assert amount(resources["limits"]["memory"]) >= NEEDS[command].MEMORY
    assert amount(resources["limits"]["ephemeral-storage"]) >= NEEDS[command].DISK
    (folder,) = (volume["emptyDir"] for mount, volume in workload.volumes if not mount.get("readOnly"))
    assert NEEDS[command].DISK <= amount(folder["sizeLimit"]) <= amount(resources["limits"]["ephemeral-storage"])
    assert "medium" not in folder  # a tmpfs is memory


@WORKLOADS
def test_a_pod_has_the_time_to_end(workload: Workload) -> None:
    settings = load_settings(keyring="{}")
    graceful = uvicorn_config("none:none", settings).timeout_graceful_shutdown or 0
    server = DRAIN_SECONDS + SETTLE_SECONDS + graceful + 1
    hook = workload.container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])
    needed = max(server, STOP_SECONDS + 2 * settings.storage_timeout) + int(hook[1])
    assert workload.pod["terminationGracePeriodSeconds"] > needed
    if workload.container["args"] == ["serve"]:
        assert int(hook[1]) >= ENDPOINTS_LAG
        assert workload.whole["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_probes_ask_what_the_program_answers() -> None:
    server, worker, console = (MANIFEST.workload(command).container for command in NEEDS)
    assert server["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "http"}
    assert server["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert worker["livenessProbe"]["exec"]["command"] == [*HEALTH, "worker"]
    assert console["livenessProbe"]["httpGet"] == {"path": LIVEZ, "port": "http"}


def test_settings_are_known_and_a_server_would_start_with_them() -> None:
    named = {name.removeprefix("PROXY_").lower(): text for name, text in MANIFEST.settings.items()}
    assert not unknown(MANIFEST.settings)
    assert load_settings(serving=True, **named).port == Settings.model_fields["port"].default


def test_version_user_and_ports_are_the_images() -> None:
    image = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    assert f"\nUSER {USER}:{USER}\n" in image
    exposed = re.search(r"\nEXPOSE (.*)\n", image)
    assert exposed is not None
    assert set(map(int, exposed[1].split())) == {port for each in MANIFEST.workloads for port in each.ports.values()}
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert set(re.findall(r"image: \S+:(\S+)", MANIFEST.text)) == {version}


def test_metrics_stay_inside_and_prometheus_finds_each_pod() -> None:
    port = int(MANIFEST.settings["PROXY_METRICS_PORT"])
    assert {each.ports["metrics"] for each in map(MANIFEST.workload, ("serve", "worker"))} == {port}
    for policy in MANIFEST.all("NetworkPolicy"):
        for rule in policy["spec"]["ingress"]:
            assert rule.get("from") or {"port": "metrics"} not in rule["ports"]
    example = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yaml").read_text(encoding="utf-8"))
    asked = {name for job in example["scrape_configs"] for each in job["dns_sd_configs"] for name in each["names"]}
    headless = [each for each in MANIFEST.all("Service") if each["spec"].get("clusterIP") == "None"]
    assert {each["metadata"]["name"] for each in headless} == asked
    for service in headless:
        assert sum(fits(service["spec"]["selector"], each.labels) for each in MANIFEST.workloads) == 1


def test_the_ring_is_a_config_map_without_secrets() -> None:
    file = PurePosixPath(MANIFEST.settings["PROXY_KEYRING_FILE"])
    for workload in MANIFEST.workloads:
        ((mount, volume),) = [each for each in workload.volumes if each[0]["mountPath"] == str(file.parent)]
        assert "subPath" not in mount  # a changed ring would not arrive
        assert volume == {"name": "ring", "configMap": {"name": RING_NAME, "defaultMode": 0o440}}
    ring = parse_keyring(MANIFEST.config_map(RING_NAME)[file.name])
    assert not ring.grants
    names = []
    for entry in ring.storage_entries:
        assert isinstance(entry, IdentityConfig)
        assert entry.kind is IdentityKind.DEFAULT
        names.append(entry.endpoints.account_name)
    # Who may write an account's storage must not make keys: the key store is a storage account of its own.
    assert ring.key_store is not None
    assert len(set(names)) == len(ring.accounts) + 1


def test_a_ring_with_keys_is_a_secret_that_the_file_names_and_does_not_hold() -> None:
    assert not MANIFEST.all("Secret")
    file = PurePosixPath(MANIFEST.settings["PROXY_KEYRING_FILE"])
    assert f"create secret generic {RING_NAME} --from-file={file.name}\n" in MANIFEST.text
    assert f"secret: {{secretName: {RING_NAME}, defaultMode: 0440}}\n" in MANIFEST.text
    for workload in MANIFEST.workloads:
        (secret,) = (each["secretRef"] for each in workload.container["envFrom"] if "secretRef" in each)
        assert f"create secret generic {secret['name']} " in MANIFEST.text


@pytest.mark.parametrize("text", [MANIFEST.text, read("docs/deployment/kubernetes.md")], ids=["manifest", "guide"])
def test_the_ring_takes_azure_maps_as_shown_by_identity_or_by_a_key_of_the_secret(text: str) -> None:
    ring = json.loads(MANIFEST.config_map(RING_NAME)["ring.json"])
    (account,) = ring["accounts"].values()
    shown = [json.loads(f"{{{found}}}") for found in re.findall(r'"maps": \{[^}]*\}', text)]
    assert [set(each["maps"]) for each in shown] == [{"client_id", "credential"}, {"subscription_key_env"}]
    for each in shown:
        parsed = parse_keyring(json.dumps(ring | {"accounts": {"contoso": account | each}}))
        variable = parsed.maps["contoso"].subscription_key_variable
        assert variable is None or f"{variable}=%s" in MANIFEST.text


def test_the_console_is_off_and_signs_in_with_a_token_of_a_secret() -> None:
    console = MANIFEST.workload("console")
    assert console.whole["spec"]["replicas"] == 0
    assert console.whole["spec"]["strategy"] == {"type": "Recreate"}  # sessions are in the memory of one process
    given = {each["name"]: each["value"] for each in console.container["env"]}
    assert not unknown(given)
    settings = load_settings(
        **{name.removeprefix("PROXY_").lower(): text for name, text in given.items()}, keyring="{}"
    )
    assert requires_sign_in(settings)
    assert settings.worker_jobs == console_needs.JOBS
    assert console.ports["http"] == settings.console_port
    file = PurePosixPath(given["PROXY_CONSOLE_TOKEN_FILE"])
    ((mount, volume),) = [each for each in console.volumes if each[0]["mountPath"] == str(file.parent)]
    assert mount["readOnly"] is True
    name = volume["secret"]["secretName"]
    assert f"create secret generic {name} --from-file={file.name}=/dev/stdin\n" in MANIFEST.text


def test_the_console_is_reached_by_a_forwarded_port_only() -> None:
    console = MANIFEST.workload("console")
    (service,) = (each for each in MANIFEST.all("Service") if fits(each["spec"]["selector"], console.labels))
    assert service["spec"].get("type", "ClusterIP") == "ClusterIP"
    (policy,) = (
        each
        for each in MANIFEST.all("NetworkPolicy")
        if fits(each["spec"]["podSelector"]["matchLabels"], console.labels)
    )
    assert (policy["spec"]["policyTypes"], policy["spec"]["ingress"]) == (["Ingress"], [])
    for text in (MANIFEST.text, read("docs/deployment/kubernetes.md")):
        name = console.whole["metadata"]["name"]
        assert f"kubectl port-forward deployment/{name} {console.ports['http']}\n" in text


def test_server_worker_and_console_have_an_identity_each() -> None:
    accounts = {each["metadata"]["name"]: each["metadata"]["labels"] for each in MANIFEST.all("ServiceAccount")}
    assert len(accounts) == len(MANIFEST.workloads)
    for workload in MANIFEST.workloads:
        assert accounts[workload.pod["serviceAccountName"]] == workload.labels


@pytest.mark.slow
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
        wait_for(lambda: status(server, "second") == 200)
        assert status(server, "first") == 401
        assert "refused" not in server.log()
