"""A machine with its own hosts file and trust stores, for one command: a mount namespace of Linux."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import certifi

HOSTS = Path("/etc/hosts")
CERTIFICATES = Path("/etc/ssl/certs")  # Debian's and Ubuntu's
BUNDLE = "ca-certificates.crt"
PASSWORD = "changeit"  # noqa: S105 - Java's own; a store of public certificates has no secret


@dataclass(frozen=True)
class Machine:
    """What differs from the machine that the tests run on."""

    mounts: tuple[tuple[Path, Path], ...]

    @classmethod
    def make(cls, folder: Path, names: tuple[str, ...], system: tuple[Path, ...], own: Path) -> "Machine":
        """Makes the files of a machine.

        Args:
            folder: where they lie.
            names: what the hosts file resolves to this machine.
            system: authorities in the system's trust store.
            own: the authority in the stores that Java and Python's certifi bring.
        """
        store = folder / "certs"
        store.mkdir(parents=True)
        (folder / "hosts").write_text("".join(f"127.0.0.1 {name}\n" for name in ("localhost", *names)))
        (store / BUNDLE).write_bytes(b"".join(each.read_bytes() for each in system))
        for number, each in enumerate(system):
            shutil.copy(each, store / f"{number}.pem")
        run("openssl", "rehash", str(store))
        mounts = [(folder / "hosts", HOSTS), (store, CERTIFICATES), (own, Path(certifi.where()))]
        if shutil.which("keytool"):
            java_store = folder / "cacerts"
            make_java_store(java_store, own, "-storetype", "JKS")  # the other type is read with a password only
            target = java_cacerts()
            if target.is_relative_to(CERTIFICATES):
                (store / target.relative_to(CERTIFICATES)).parent.mkdir()
                (store / target.relative_to(CERTIFICATES)).touch()
            mounts.append((java_store, target))
        return cls(tuple(mounts))

    def command(self, *words: str) -> list[str]:
        """The command that runs these words on the machine."""
        binds = [f"mount --bind {source} {target}" for source, target in self.mounts]
        script = " && ".join([*binds, 'exec "$@"'])
        return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", *words]


def make_java_store(store: Path, authority: Path, *options: str) -> None:
    """Makes a store for Java with the authority."""
    entry = ("-alias", "authority", "-file", str(authority))
    run("keytool", "-importcert", "-noprompt", *entry, "-keystore", str(store), "-storepass", PASSWORD, *options)


def java_cacerts() -> Path:
    """Where Java's own trust store lies."""
    java = Path(shutil.which("java") or "java").resolve()
    return (java.parents[1] / "lib" / "security" / "cacerts").resolve()


@cache
def missing() -> str:
    """Why there can be no such machine here, or an empty text."""
    if not (CERTIFICATES / BUNDLE).is_file():
        return f"there is no {CERTIFICATES / BUNDLE}"
    try:
        run(*Machine(((HOSTS, HOSTS),)).command("true"))
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no mount namespace can be made: {error}"
    return ""


def run(*words: str, folder: Path | None = None) -> str:
    """Runs a command; gives its output."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JAVA_TOOL")}
    done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=folder, env=environment, timeout=60)
    return done.stdout
