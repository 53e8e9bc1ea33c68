"""How the Bicep files are joined: who gets which identity, who waits for whom, and values that must be just so."""

import re
from collections.abc import Iterator

from tree_sitter import Node

from tests.deploy.bicep_file import BicepFile, Declaration, alternatives, members, plain, text_of

# A parameter of any module, and the only thing that may be given for it.
GIVEN = {
    "proxyPrincipalId": "identities.outputs.proxy.principalId",
    "workerPrincipalId": "identities.outputs.worker.principalId",
    "environmentPrincipalId": "identities.outputs.environment.principalId",
    "identityId": "identities.outputs.environment.id",
    "pagesMayRead": "empty("
    "filter(extraSettings, each => (each.name == 'PROXY_CORS_ORIGINS' && empty(trim(each.value)))))",
}

# Each app asks as itself, and starts where its roles are given.
APPS = {"proxy": "identities.outputs.proxy", "worker": "identities.outputs.worker"}

# A file, a resource, a path in it, what must stand there and nothing else, and why.
EXACT = [
    (
        "storage",
        "storage",
        "properties.networkAcls.defaultAction",
        "empty(clientNetworks) ? 'Allow' : 'Deny'",
        "a list of clients closes it to all others",
    ),
    ("storage", "storage", "properties.networkAcls.bypass", "'None'", "no service of Azure opens it by the way"),
    (
        "storage",
        "storage",
        "properties.networkAcls.virtualNetworkRules",
        "[{ action: 'Allow', id: subnetId }]",
        "it stays open to the apps",
    ),
    ("storage", "storage", "sku.name", "zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'", "true means copies in zones"),
    ("network", "network", "properties.addressSpace.addressPrefixes", "[addressPrefix]", "the subnet is a part of it"),
    ("environment", "environment", "properties.zoneRedundant", "zoneRedundant", "it can't be changed later"),
    ("environment", "environment", "properties.vnetConfiguration.internal", "false", "programs are outside"),
    ("environment", "environment", "properties.vnetConfiguration.infrastructureSubnetId", "subnetId", "zones need it"),
    ("proxy", "proxy", "properties.configuration.ingress.external", "true", "programs are outside"),
    ("proxy", "proxy", "properties.configuration.ingress.targetPort", "port", "where the server listens"),
    ("old-name", "zone", "location", "'global'", "there is no other"),
    ("old-name", "record", "name", "'@'", "the zone is the whole name"),
]


def said(declared: Declaration, path: str) -> str | None:
    """The expression at a path of an object as it is written, conditions and all; None where there is none."""
    node: Node = declared.body
    for name in path.split("."):
        if node.type != "object" or name not in members(node):
            return None
        node = members(node)[name]
    return text_of(node)


def exact(file: BicepFile) -> Iterator[str]:
    """What must be just so and is not."""
    for name, resource, path, wanted, _ in EXACT:
        if file.path.stem == name and said(file.of_kind("resource")[resource], path) != wanted:
            yield f"{resource}: {path} must be {wanted}"


def joined(main: BicepFile) -> Iterator[str]:
    """What main.bicep joins in another way than it must be."""
    if "targetScope = 'subscription'" not in text_of(main.root):
        yield "it makes a resource group, so it is for a subscription"
    for name, module in main.of_kind("module").items():
        if module.texts("scope") != ["group"]:
            yield f"{name}: is not for the resource group"
        for param, wanted in GIVEN.items():
            given = said(module, f"params.{param}")
            if given not in {None, wanted}:
                yield f"{name}: {param} must be {wanted}"
        if name in APPS:
            if said(module, "params.identity") != APPS[name]:
                yield f"{name}: is not itself"
            if "storageRoles" not in module.texts("dependsOn"):
                yield f"{name}: does not wait for its roles"


def network_fits(file: BicepFile) -> Iterator[str]:
    """An environment with workload profiles wants a subnet of its own, delegated to it, of /27 at the smallest."""
    for network in file.of_kind("resource").values():
        subnets = "properties.subnets.properties"
        if network.texts(f"{subnets}.delegations.properties.serviceName") != ["Microsoft.App/environments"]:
            yield "the subnet is not delegated"
        if network.texts(f"{subnets}.serviceEndpoints.service") != ["Microsoft.Storage"]:
            yield "the storage firewall can't know the subnet"
    found = re.search(r"cidrSubnet\(addressPrefix, (\d+), 0\)", text_of(file.root))
    if found is None or int(found[1]) > 27:
        yield "the subnet is too small"


def app_is_whole(app: Declaration) -> Iterator[str]:
    """What an app needs so that it runs: its image, its ring, its size, its scale."""
    if app.texts("properties.configuration.registries.identity") != ["identity.id"]:
        yield "nobody may pull its image"
    if app.texts("properties.configuration.secrets.identity") != ["identity.id"]:
        yield "nobody may read its ring"
    for resources in app.at("properties.template.containers.resources"):
        cpu = re.search(r"[\d.]+", text_of(members(resources)["cpu"]))
        memory = (plain(members(resources)["memory"]) or "").removesuffix("Gi")
        if cpu is None or 2 * float(cpu[0]) != float(memory):
            yield "the Consumption profile has two gigabytes for each processor, no more and no less"
    for rule in app.at("properties.template.scale.rules.azureQueue"):
        if set(members(rule)) != {"accountName", "queueName", "queueLength", "identity"}:
            yield "a scale rule by identity names the account, the queue, how many and the identity"
    ports = {text_of(members(asked)["port"]) for asked in app.at("properties.template.containers.probes.httpGet")}
    if ports != {"port" if app.at("properties.configuration.ingress") else "metricsPort"}:
        yield "a probe asks where nobody listens"


def ring_is_kept(vault: BicepFile) -> Iterator[str]:
    """A ring is written where there is none, and the apps follow its newest version."""
    ring = vault.of_kind("resource")["keyring"]
    if "if (!keyringExists)" not in text_of(ring.node).partition("{")[0]:
        yield "a ring is written over"
    (url,) = alternatives(_given(vault.of_kind("output")["keyringUrl"]))
    if text_of(url) != "'${vault.properties.vaultUri}secrets/${keyringSecretName}'":
        yield "the apps follow something else than the ring"


def least_replicas(main: BicepFile) -> Iterator[str]:
    """Who deploys can't ask for fewer than it takes."""
    for name, least in (("proxyMinReplicas", 2), ("workerMinReplicas", 1)):
        param = main.of_kind("param")[name]
        bounds = [int(text_of(node)) for node in param.decorators.get("minValue", [])]
        if bounds != [least] or int(text_of(_given(param))) < least:
            yield f"{name} may be less than {least}"


def addresses_are_safe(main: BicepFile) -> Iterator[str]:
    """Links are by https, and a client's word for its address is taken from the ingress only."""
    proxy = main.of_kind("module")["proxy"]
    if not (said(proxy, "params.publicUrl") or "").startswith("'https://"):
        yield "links are not by https"
    trusted = proxy.texts("params.trustedProxies")
    if trusted != ["'100.64.0.0/10,${network.outputs.subnetPrefix}'", "trustedProxies"]:
        yield "others than the ingress are trusted"


def _given(declared: Declaration) -> Node:
    assert declared.given is not None
    return declared.given
