"""Checkers of the ecosystem: run where they are on the PATH, and skipped by name where they are not."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WHERE = {
    "bicep": "the workflow `ci` runs it",
    "docker": "the workflow `ci` runs it",
    "hadolint": "the workflow `ci` runs it",
    "kube-linter": "the workflow `ci` runs it",
    "kubeconform": "the workflow `ci` runs it",
    "promtool": "Debian's package prometheus has it",
}


def run_tool(name: str, *arguments: str, folder: Path = ROOT, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Runs a checker in a folder; skips the test where it is not installed.

    Args:
        name: the program, a key of `WHERE`.
        arguments: its arguments.
        folder: its working directory.
        timeout: seconds.
    """
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not on the PATH; {WHERE[name]}")
    command = [name, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=timeout, check=False)
