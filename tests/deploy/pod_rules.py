"""What the pods of a manifest must keep to."""

from proxy.server.graceful_shutdown import DRAIN_SECONDS, SETTLE_SECONDS
from proxy.server.run import configuration
from proxy.settings import load_settings
from proxy.worker.lease import STOP_SECONDS
from tests.deploy import worker_needs
from tests.deploy.dockerfile import HEALTH
from tests.deploy.manifest import Workload, amount, fits

USER = 10001

# What a start may take: four seconds where it was measured, and a node may be slow and busy.
START_SECONDS = 30

# Bytes that the server was seen to need, and that a worker may use.
MEMORY = {"serve": 120e6, "worker": worker_needs.MEMORY}


def restricted(workload: Workload) -> bool:
    """The restricted level of Kubernetes' pod security standards, and a read-only root file system."""
    pod, own = workload.pod["securityContext"], workload.container["securityContext"]
    return (
        pod.get("runAsNonRoot") is True
        and {pod.get("runAsUser"), pod.get("runAsGroup"), pod.get("fsGroup")} == {USER}
        and pod.get("seccompProfile") == {"type": "RuntimeDefault"}
        and own.get("allowPrivilegeEscalation") is False
        and own.get("readOnlyRootFilesystem") is True
        and own.get("capabilities") == {"drop": ["ALL"]}
        and not {"privileged", "runAsUser"} & set(own)
        and not {"hostNetwork", "hostPID", "hostIPC"} & set(workload.pod)
        and all({"secret", "emptyDir"} & set(volume) for _, volume in workload.volumes)
        and not {"initContainers", "ephemeralContainers"} & set(workload.pod)
    )


def readable_by_us_only(workload: Workload) -> bool:
    """Whether the files of secrets are for their owner and our group."""
    secrets = [volume["secret"] for _, volume in workload.volumes if "secret" in volume]
    return bool(secrets) and all(secret.get("defaultMode") == 0o440 for secret in secrets)


def may_start_slowly(workload: Workload) -> bool:
    """Whether a start on a busy node is not taken for a failure."""
    probe = workload.container.get("startupProbe", {})
    return bool(probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3) >= START_SECONDS)


def asks(workload: Workload, probe: str, path: str) -> bool:
    """Whether a probe asks the server for this path."""
    asked: object = workload.container.get(probe, {}).get("httpGet", {})
    return asked == {"path": path, "port": "http"} and "http" in workload.ports


def runs(workload: Workload, probe: str) -> bool:
    """Whether a probe runs the worker's health check."""
    command: object = workload.container.get(probe, {}).get("exec", {}).get("command")
    return command == [*HEALTH, "worker"]


def bounded(workload: Workload) -> bool:
    """Whether what it may use is bounded, and is enough for what it was seen to use."""
    wants, may = (workload.container.get("resources", {}).get(name, {}) for name in ("requests", "limits"))
    names = {"cpu", "memory", "ephemeral-storage"}
    (command,) = workload.container["args"]
    return (
        names <= set(wants)
        and names <= set(may)
        and all(amount(wants[name]) <= amount(may[name]) for name in names)
        and amount(may["memory"]) >= MEMORY[command]
        and (command != "worker" or amount(may["ephemeral-storage"]) >= worker_needs.DISK)
    )


def end_seconds() -> float:
    """How long each may take from SIGTERM to its end."""
    graceful = configuration("none:none", load_settings(keyring="{}")).timeout_graceful_shutdown or 0
    server = DRAIN_SECONDS + SETTLE_SECONDS + graceful + 1
    return max(server, STOP_SECONDS + 2 * load_settings(keyring="{}").storage_timeout)


def pause(workload: Workload) -> int:
    """The seconds of preStop."""
    command = workload.container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])
    return int(command[1])


def rolls(workload: Workload) -> bool:
    """Whether another one is there before one ends."""
    strategy: dict[str, int] = workload.whole["spec"].get("strategy", {}).get("rollingUpdate", {})
    return strategy.get("maxUnavailable") == 0 and strategy.get("maxSurge", 0) > 0


def spread(workload: Workload) -> bool:
    """Whether its pods go to different nodes."""
    spread = workload.pod.get("topologySpreadConstraints", [])
    return bool(spread) and all(fits(each["labelSelector"]["matchLabels"], workload.labels) for each in spread)


def files(workload: Workload) -> bool:
    """Whether it writes to /tmp only, not without end, and a worker as much as it needs."""
    written = {
        mount["mountPath"]: volume.get("emptyDir", {}).get("sizeLimit")
        for mount, volume in workload.volumes
        if not mount.get("readOnly")
    }
    least = worker_needs.DISK if workload.container["args"] == ["worker"] else 0
    return set(written) == {"/tmp"} and all(  # noqa: S108 - the container's own
        size is not None and amount(size) >= least for size in written.values()
    )
