"""Reads a Dockerfile, and says which of our rules for it are broken."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

HEALTH = ["python", "-m", "proxy.cli.healthcheck"]
LABELS = ("title", "description", "licenses", "version", "revision")


@dataclass
class Stage:
    """One stage: its base, and its instructions in their order."""

    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, *names: str) -> list[str]:
        """What these instructions say."""
        return [text for name, text in self.steps if name in names]

    def last(self, name: str) -> str:
        """What the last such instruction says, which is the one that counts."""
        return ["", *self.all(name)][-1]


def instructions(text: str) -> list[tuple[str, str]]:
    """The instructions with what they say, continued lines joined."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", lines)
    return [
        (name.upper(), rest.strip()) for name, _, rest in (line.partition(" ") for line in joined.splitlines()) if name
    ]


def stages(text: str) -> list[Stage]:
    """The stages; the last one is the image."""
    found: list[Stage] = []
    for name, rest in instructions(text):
        if name == "FROM":
            found.append(Stage(rest))
        elif found:
            found[-1].steps.append((name, rest))
    return found


def listed(text: str) -> list[str] | None:
    """A command in exec form; None for one that a shell would run, which takes no signals."""
    try:
        words = json.loads(text)
    except ValueError:
        return None
    return words if isinstance(words, list) and words else None


def _check(image: Stage) -> list[str] | None:
    return listed(image.last("HEALTHCHECK").partition("CMD ")[2])


def _user_is_a_number(image: Stage) -> bool:
    found = re.fullmatch(r"(\d+):(\d+)", image.last("USER"))
    return found is not None and "0" not in found.groups()


def _labels(image: Stage) -> Mapping[str, str]:
    return dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]+)"', " ".join(image.all("LABEL"))))


RULES: Mapping[str, Callable[[list[Stage], Stage], object]] = {
    "more than one stage": lambda every, _: len(every) > 1,
    "the base can be another": lambda every, _: all(
        stage.base.startswith("${PYTHON_IMAGE}") or stage.base.split()[0] in _named(every) for stage in every
    ),
    "a user that is a number and not root": lambda _, image: _user_is_a_number(image),
    "nothing happens as root after the user is chosen": lambda _, image: image.all("USER") == [image.last("USER")],
    "exec form, so that signals arrive": lambda _, image: listed(image.last("ENTRYPOINT")) == ["python", "-m", "proxy"],
    "the server is what runs by default": lambda _, image: listed(image.last("CMD")) == ["serve"],
    "a health check of our own": lambda _, image: _check(image) == HEALTH,
    "nothing is fetched or installed": lambda _, image: (
        not re.search(r"\b(curl|wget|apt-get|apk|pip3?) |https?://", " ".join(image.all("RUN", "HEALTHCHECK")))
    ),
    "no pip is left": lambda _, image: all(
        f"'{name}'" in " ".join(image.all("RUN")) for name in ("pip", "setuptools", "wheel", "ensurepip")
    ),
    "only what other stages made": lambda _, image: all(text.startswith("--from=") for text in image.all("COPY")),
    "nothing that is unpacked or fetched on the way": lambda every, _: not any(stage.all("ADD") for stage in every),
    "every builder can build it": lambda every, _: (
        not any(re.search(r"--mount|<<", text) for stage in every for _, text in stage.steps)
    ),
    "all labels": lambda _, image: set(_labels(image)) == set(LABELS),
    "version and revision are given at the build": lambda _, image: all(
        _labels(image).get(name.lower()) == f"${{{name}}}" and any(arg.startswith(name) for arg in image.all("ARG"))
        for name in ("VERSION", "REVISION")
    ),
    "no secret stays in it": lambda every, _: (
        not any(
            re.search(r"SECRET|TOKEN|PASSWORD|_KEY|CONNECTION", text)
            for stage in every
            for text in stage.all("ARG", "ENV")
        )
    ),
    "it writes nothing beside /tmp": lambda _, image: all(
        text in image.last("ENV") for text in ("PYTHONDONTWRITEBYTECODE=1", "HOME=/tmp")
    ),
}


def _named(every: list[Stage]) -> set[str]:
    return {stage.base.split(" AS ")[1] for stage in every if " AS " in stage.base}


def broken(text: str) -> list[str]:
    """The rules that a Dockerfile breaks."""
    every = stages(text)
    return [rule for rule, holds in RULES.items() if not holds(every, every[-1])]
