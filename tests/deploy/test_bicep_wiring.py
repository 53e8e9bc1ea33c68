"""The Bicep files are joined as they must be; and joined in other ways, to see that it is noticed."""

from collections.abc import Callable, Iterator

import pytest

from adapters.blobs.store import PAGES_MAY_READ
from tests.deploy.bicep_file import AZURE, BicepFile
from tests.deploy.bicep_wiring import (
    EXACT,
    addresses_are_safe,
    app_is_whole,
    exact,
    joined,
    least_replicas,
    network_fits,
    ring_is_kept,
)


def apps(file: BicepFile) -> Iterator[str]:
    """The one app of a file."""
    return app_is_whole(file.of_kind("resource")[file.path.stem])


CHECKS: dict[str, list[Callable[[BicepFile], Iterator[str]]]] = {
    "main": [joined, least_replicas, addresses_are_safe],
    "network": [network_fits, exact],
    "proxy": [apps, exact],
    "worker": [apps],
    "vault": [ring_is_kept],
    "storage": [exact],
    "environment": [exact],
    "old-name": [exact],
}

PROXYS = "      proxyPrincipalId: identities.outputs.proxy.principalId\n"
WORKERS = "      workerPrincipalId: identities.outputs.worker.principalId\n"

BROKEN = [
    ("main", "targetScope = 'subscription'\n", "", "for a subscription"),
    ("main", "  name: 'vault'\n  scope: group\n", "  name: 'vault'\n", "vault: is not for the resource group"),
    ("main", PROXYS, PROXYS.replace("proxy.principal", "worker.principal"), "storageRoles: proxyPrincipalId must be"),
    (
        "main",
        WORKERS,
        WORKERS.replace("worker.principal", "proxy.principal"),
        "storageRoles: workerPrincipalId must be",
    ),
    ("main", "outputs.environment.principalId", "outputs.proxy.principalId", "vault: environmentPrincipalId must be"),
    ("main", "outputs.environment.id", "outputs.proxy.id", "environment: identityId must be"),
    ("main", "identity: identities.outputs.worker\n", "identity: identities.outputs.proxy\n", "worker: is not itself"),
    ("main", "[storageRoles]\n  params: {\n    name: proxyName", "[]\n  params: {\n    name: proxyName", "its roles"),
    (
        "main",
        "  dependsOn: [storageRoles]\n  params: {\n    name: 'worker",
        "  params: {\n    name: 'worker",
        "its roles",
    ),
    ("main", "@minValue(2)\nparam proxyMinReplicas", "@minValue(1)\nparam proxyMinReplicas", "less than 2"),
    ("main", "param workerMinReplicas int = 1", "param workerMinReplicas int = 0", "less than 1"),
    ("main", "'https://${empty", "'http://${empty", "not by https"),
    ("main", "100.64.0.0/10,", "0.0.0.0/0,", "are trusted"),
    ("network", "Microsoft.App/environments", "Microsoft.Web/serverFarms", "is not delegated"),
    ("network", "[{ service: 'Microsoft.Storage' }]", "[]", "can't know the subnet"),
    ("network", "addressPrefix, 23, 0", "addressPrefix, 28, 0", "too small"),
    ("proxy", "server: registry, identity: identity.id", "server: registry", "may pull its image"),
    ("worker", "keyVaultUrl: keyringUrl, identity: identity.id", "keyVaultUrl: keyringUrl", "may read its ring"),
    ("proxy", "memory: '1Gi'", "memory: '4Gi'", "two gigabytes"),
    ("worker", "            accountName: waiting.storageName\n", "", "a scale rule by identity"),
    ("worker", "            identity: identity.id\n          }\n", "          }\n", "a scale rule by identity"),
    ("proxy", "path: '/readyz', port: port", "path: '/readyz', port: metricsPort", "where nobody listens"),
    ("worker", "port: metricsPort, scheme", "port: 8080, scheme", "where nobody listens"),
    ("vault", "if (!keyringExists)", "if (keyringExists)", "is written over"),
    ("vault", "vaultUri}secrets/${keyringSecretName}", "vaultUri}secrets/keyring/1", "something else"),
    ("main", " && empty(trim(each.value))", "", "storage: pagesMayRead must be"),
    ("storage", "? 'Allow' : 'Deny'", "? 'Deny' : 'Allow'", "defaultAction must be"),
]


def found(file: BicepFile) -> list[str]:
    """All that is wrong with a file."""
    return [told for check in CHECKS[file.path.stem] for told in check(file)]


def path_of(name: str) -> str:
    """Where a file is, from deploy/azure."""
    return "main.bicep" if name == "main" else f"modules/{name}.bicep"


@pytest.mark.parametrize("name", CHECKS)
def test_a_file_is_joined_as_it_must_be(name: str) -> None:
    assert found(BicepFile.read(AZURE / path_of(name))) == []


@pytest.mark.parametrize(("name", "before", "after", "told"), BROKEN, ids=[f"{row[0]}: {row[3]}" for row in BROKEN])
def test_another_way_is_found(name: str, before: str, after: str, told: str) -> None:
    path = AZURE / path_of(name)
    text = path.read_text(encoding="utf-8")
    assert before in text
    assert told in " ".join(found(BicepFile(text.replace(before, after, 1), path)))


def test_pages_may_read_blobs_as_an_emulator_lets_them() -> None:
    rule = PAGES_MAY_READ
    storage = BicepFile.read(AZURE / path_of("storage")).of_kind("resource")["blobs"]
    for name, wanted in (
        ("allowedOrigins", rule.allowed_origins),
        ("allowedMethods", rule.allowed_methods),
        ("allowedHeaders", rule.allowed_headers),
        ("exposedHeaders", rule.exposed_headers),
        ("maxAgeInSeconds", str(rule.max_age_in_seconds)),
    ):
        assert ",".join(storage.texts(f"properties.cors.corsRules.{name}")) == wanted


def test_every_value_that_must_be_just_so_says_why_and_is_looked_at() -> None:
    assert all(why for *_, why in EXACT)
    assert all(exact in CHECKS[name] for name, *_ in EXACT)
