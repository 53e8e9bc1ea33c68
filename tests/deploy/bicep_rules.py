"""What must hold of the resources whatever else changes. A rule gives what breaks it, in words."""

import re
from collections.abc import Callable, Iterator

from tree_sitter import Node

from tests.deploy import worker_needs
from tests.deploy.bicep_file import BicepFile, Declaration, members, plain, text_of, walk

APP = "Microsoft.App/containerApps"
STORAGE = "Microsoft.Storage/storageAccounts"
LOGGED = {
    f"{STORAGE}/blobServices": {"StorageRead", "StorageWrite", "StorageDelete"},
    f"{STORAGE}/tableServices": {"StorageRead", "StorageWrite", "StorageDelete"},
    f"{STORAGE}/queueServices": {"StorageRead", "StorageWrite", "StorageDelete"},
    "Microsoft.App/managedEnvironments": {"ContainerAppConsoleLogs", "ContainerAppSystemLogs"},
    "Microsoft.KeyVault/vaults": {"AuditEvent"},
}

# A resource's type, a path in it, and the only text that may stand there. What is not said counts as wrong.
FIXED = [
    (STORAGE, "properties.allowBlobPublicAccess", "false"),
    (STORAGE, "properties.allowSharedKeyAccess", "false"),
    (STORAGE, "properties.allowCrossTenantReplication", "false"),
    (STORAGE, "properties.defaultToOAuthAuthentication", "true"),
    (STORAGE, "properties.minimumTlsVersion", "TLS1_2"),
    (STORAGE, "properties.supportsHttpsTrafficOnly", "true"),
    (f"{STORAGE}/blobServices", "properties.deleteRetentionPolicy.enabled", "true"),
    (f"{STORAGE}/blobServices", "properties.containerDeleteRetentionPolicy.enabled", "true"),
    (f"{STORAGE}/blobServices/containers", "properties.publicAccess", "None"),
    ("Microsoft.ContainerRegistry/registries", "properties.adminUserEnabled", "false"),
    ("Microsoft.KeyVault/vaults", "properties.enableRbacAuthorization", "true"),
    ("Microsoft.KeyVault/vaults", "properties.enableSoftDelete", "true"),
    ("Microsoft.KeyVault/vaults", "properties.enablePurgeProtection", "true"),
    ("Microsoft.OperationalInsights/workspaces", "properties.features.disableLocalAuth", "true"),
    ("Microsoft.App/managedEnvironments", "properties.appLogsConfiguration.destination", "azure-monitor"),
    (APP, "identity.type", "UserAssigned"),
    (APP, "properties.configuration.activeRevisionsMode", "Single"),
]

# The same, where it is said at all: the worker has no ingress, and what is closed by itself need not be closed.
FIXED_IF_SAID = [
    (APP, "properties.configuration.ingress.allowInsecure", "false"),
    (APP, "properties.configuration.ingress.additionalPortMappings.external", "false"),
    (APP, "properties.configuration.ingress.customDomains.bindingType", "SniEnabled"),
    ("Microsoft.ContainerRegistry/registries", "properties.anonymousPullEnabled", "false"),
    ("Microsoft.KeyVault/vaults", "properties.enabledForDeployment", "false"),
    ("Microsoft.KeyVault/vaults", "properties.enabledForDiskEncryption", "false"),
    ("Microsoft.KeyVault/vaults", "properties.enabledForTemplateDeployment", "false"),
]

# Gibibytes of disk that Container Apps gives to so many processors at the most.
DISK = ((0.25, 1), (0.5, 2), (1.0, 4), (4.0, 8))

# What would be a password or a key, wherever it stands.
SECRET_CALLS = {"listKeys", "listCredentials", "listAccountSas", "listServiceSas", "listSecrets", "getSecret"}
SECRET_MEMBERS = {"sharedKey", "passwordSecretRef", "certificatePassword", "certificateValue", "connectionString"}


def fixed_values(file: BicepFile) -> Iterator[str]:
    """What stands at a path where only one thing may."""
    for each in _made(file):
        for kind, path, wanted in FIXED:
            texts = each.texts(path) if each.type == kind else [wanted]
            if set(texts) != {wanted}:
                yield f"{each.name}: {path} must be {wanted}"
        for kind, path, wanted in FIXED_IF_SAID:
            if each.type == kind and not set(each.texts(path)) <= {wanted}:
                yield f"{each.name}: {path} must be {wanted}"


def ingress_says_that_it_is_secure(file: BicepFile) -> Iterator[str]:
    """An ingress that does not speak of http takes what Azure thinks best today."""
    for each in _made(file):
        if each.type == APP and each.at("properties.configuration.ingress"):
            if not each.texts("properties.configuration.ingress.allowInsecure"):
                yield f"{each.name}: allowInsecure must be said"
            if each.texts("properties.configuration.ingress.transport") != ["http"]:
                yield f"{each.name}: transport must be http"


def proxies_are_two_and_probed(file: BicepFile) -> Iterator[str]:
    """Who takes requests from outside has two replicas, both probes, and time to end."""
    least = file.of_kind("param").get("minReplicas")
    for each in _made(file):
        if each.type != APP or not each.at("properties.configuration.ingress"):
            continue
        minimum = [int(text_of(node)) for node in least.decorators.get("minValue", [])] if least else []
        if each.texts("properties.template.scale.minReplicas") != ["minReplicas"] or not minimum or minimum[0] < 2:
            yield f"{each.name}: fewer than two replicas are possible"
        probes = {
            (members(probe).get("type") and plain(members(probe)["type"]), *_texts(probe, "path"))
            for probe in each.at("properties.template.containers.probes")
        }
        if not probes >= {("Liveness", "/livez"), ("Readiness", "/readyz")}:
            yield f"{each.name}: lacks a probe of /livez or /readyz"


def apps_end_in_peace(file: BicepFile) -> Iterator[str]:
    """Each app has the time that its end takes, and a sign of life."""
    for each in _made(file):
        if each.type == APP:
            grace = each.texts("properties.template.terminationGracePeriodSeconds")
            if not grace or not grace[0].isdigit() or int(grace[0]) < 15:
                yield f"{each.name}: has no time to end"
            if "Liveness" not in each.texts("properties.template.containers.probes.type"):
                yield f"{each.name}: gives no sign of life"


def worker_fits_its_jobs(file: BicepFile) -> Iterator[str]:
    """Whoever has no ingress is a worker. Disk comes with processors."""
    for each in _made(file):
        if each.type != APP or each.at("properties.configuration.ingress"):
            continue
        for resources in each.at("properties.template.containers.resources"):
            memory = (plain(members(resources)["memory"]) or "0").removesuffix("Gi")
            cpu = re.search(r"[\d.]+", text_of(members(resources)["cpu"]))
            disk = next((disk for most, disk in DISK if cpu and float(cpu[0]) <= most), 0)
            if float(memory) * 1024**3 < worker_needs.MEMORY:
                yield f"{each.name}: has too little memory for its jobs"
            if disk * 1024**3 < worker_needs.DISK:
                yield f"{each.name}: has too little disk for its jobs"


def everything_is_logged(file: BicepFile) -> Iterator[str]:
    """Each service of a storage account, the vault and the environment has its logs in the workspace."""
    resources = file.of_kind("resource")
    for each in _made(file):
        if each.type in LOGGED:
            told: set[str] = set()
            for logs in resources.values():
                if logs.type == "Microsoft.Insights/diagnosticSettings" and logs.texts("scope") == [each.name]:
                    enabled = [entry for entry in logs.at("properties.logs") if _texts(entry, "enabled") == ("true",)]
                    told |= {text for entry in enabled for text in _texts(entry, "category")}
            if told != LOGGED[each.type]:
                yield f"{each.name}: its logs are {sorted(told)}"


def no_secret_is_told(file: BicepFile) -> Iterator[str]:
    """No key is looked up, kept in a default, or given out."""
    for node in walk(file.root):
        name = (
            text_of(node.named_children[-1 if node.type == "member_expression" else 0]) if node.named_children else ""
        )
        if node.type in {"call_expression", "member_expression"} and name in SECRET_CALLS:
            yield f"{name} gives a secret"
        if node.type == "object_property" and name in SECRET_MEMBERS:
            yield f"{name} is a secret"
    for each in file.declarations:
        words = each.name.lower()
        secret = "secure" in each.decorators or any(word in words for word in ("password", "accountkey", "connection"))
        if each.kind == "output" and (secret or any(word in words for word in ("token", "sas"))):
            yield f"output {each.name} may be a secret"
        if each.kind == "param" and secret and each.given is not None and plain(each.given) != "":
            yield f"parameter {each.name} has a secret in its default"


def names_are_there_without_conditions(file: BicepFile) -> Iterator[str]:
    """Azure reads the name of a resource that is not made too, and refuses an empty one."""
    for each in file.of_kind("resource").values():
        condition = text_of(each.node).partition("{")[0]
        for name in re.findall(r"!empty\((\w+)\)", condition):
            if name in each.texts("name"):
                yield f"{each.name}: its name is empty when it is not made"


def parameters_are_described(file: BicepFile) -> Iterator[str]:
    """Each parameter and each output says what it is."""
    for each in file.declarations:
        if each.kind in {"param", "output"} and not each.description:
            yield f"{each.name} is not described"


RULES: list[Callable[[BicepFile], Iterator[str]]] = [
    fixed_values,
    ingress_says_that_it_is_secure,
    proxies_are_two_and_probed,
    apps_end_in_peace,
    worker_fits_its_jobs,
    everything_is_logged,
    no_secret_is_told,
    names_are_there_without_conditions,
    parameters_are_described,
]


def broken_rules(file: BicepFile) -> list[str]:
    """All that breaks a rule."""
    return [f"{file.path.name}: {told}" for rule in RULES for told in rule(file)]


def _made(file: BicepFile) -> list[Declaration]:
    return [each for each in file.of_kind("resource").values() if not each.is_existing]


def _texts(node: Node, name: str) -> tuple[str, ...]:
    """The texts of a member, however deep."""
    found = []
    for below in walk(node):
        if below.type == "object_property" and text_of(below.named_children[0]) == name:
            value = below.named_children[-1]
            found.append(plain(value) or text_of(value))
    return tuple(found)
