"""A Kubernetes manifest, and its objects by what one asks of them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

# libyaml where there is one: a test reads the manifest some fifty times.
LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Members = dict[str, Any]

# Factors of the units of amounts that we use.
UNITS = {"": 1.0, "m": 0.001, "Mi": 2.0**20, "Gi": 2.0**30}


def amount(text: object) -> float:
    """A number of processors or bytes."""
    found = re.fullmatch(r"(\d+)(\D*)", str(text))
    assert found is not None
    return int(found[1]) * UNITS[found[2]]


def fits(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether a selector selects what has these labels."""
    return bool(selector) and selector.items() <= labels.items()


@dataclass(frozen=True)
class Workload:
    """A deployment, its pods and their one container."""

    whole: Members

    @property
    def pod(self) -> Members:
        """The pod's specification."""
        return dict(self.whole["spec"]["template"]["spec"])

    @property
    def labels(self) -> dict[str, str]:
        """The pods' labels."""
        return dict(self.whole["spec"]["template"]["metadata"]["labels"])

    @property
    def container(self) -> Members:
        """The one container."""
        (container,) = self.pod["containers"]
        return dict(container)

    @property
    def ports(self) -> dict[str, int]:
        """Its ports by their names."""
        return {port["name"]: port["containerPort"] for port in self.container["ports"]}

    @property
    def volumes(self) -> Iterator[tuple[Members, Members]]:
        """Each mount, with the volume that it mounts."""
        volumes = {volume["name"]: volume for volume in self.pod["volumes"]}
        for mount in self.container["volumeMounts"]:
            yield mount, volumes[mount["name"]]


@dataclass(frozen=True)
class Manifest:
    """All objects of a file, and its text."""

    text: str
    objects: list[Members]

    @classmethod
    def read(cls, text: str) -> "Manifest":
        """Reads a file's text."""
        return cls(text, list(yaml.load_all(text, Loader=LOADER)))

    def all(self, kind: str) -> list[Members]:
        """The objects of a kind."""
        return [each for each in self.objects if each["kind"] == kind]

    @property
    def workloads(self) -> list[Workload]:
        """The server, the worker and the console."""
        return [Workload(each) for each in self.all("Deployment")]

    def workload(self, command: str) -> Workload:
        """The one that runs a command."""
        (found,) = (each for each in self.workloads if each.container["args"] == [command])
        return found

    @property
    def settings(self) -> dict[str, str]:
        """The variables that the containers get."""
        return self.config_map(self.workload("serve").container["envFrom"][0]["configMapRef"]["name"])

    def config_map(self, name: str) -> dict[str, str]:
        """The data of a ConfigMap."""
        (found,) = (each for each in self.all("ConfigMap") if each["metadata"]["name"] == name)
        return dict(found["data"])
