"""What must hold of the resources in Azure; and each rule broken, to see that it is noticed."""

import pytest

from tests.deploy.bicep_file import AZURE, BicepFile, all_files
from tests.deploy.bicep_rules import FIXED, FIXED_IF_SAID, RULES, broken_rules

BROKEN = [
    ("storage", "allowBlobPublicAccess: false", "allowBlobPublicAccess: true", "allowBlobPublicAccess must be false"),
    ("storage", "    allowSharedKeyAccess: false\n", "", "allowSharedKeyAccess must be false"),
    ("storage", "allowCrossTenantReplication: false", "", "allowCrossTenantReplication must be false"),
    ("storage", "defaultToOAuthAuthentication: true", "", "defaultToOAuthAuthentication must be true"),
    ("storage", "minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: 'TLS1_0'", "minimumTlsVersion must be TLS1_2"),
    ("storage", "supportsHttpsTrafficOnly: true", "supportsHttpsTrafficOnly: false", "HttpsTrafficOnly must be true"),
    ("storage", "deleteRetentionPolicy: { enabled: true", "deleteRetentionPolicy: { enabled: false", "must be true"),
    ("storage", "    containerDeleteRetentionPolicy: { enabled: true, days: softDeleteDays }\n", "", "must be true"),
    ("storage", "publicAccess: 'None'", "publicAccess: 'Blob'", "properties.publicAccess must be None"),
    ("storage", "scope: queueService", "scope: storage", "queueService: its logs are []"),
    (
        "storage",
        "      { category: 'StorageDelete', enabled: true }\n",
        "",
        "blobs: its logs are ['StorageRead', 'StorageWrite']",
    ),
    (
        "storage",
        "{ category: 'StorageRead', enabled: true }",
        "{ category: 'StorageRead', enabled: false }",
        "blobs: its logs",
    ),
    ("registry", "adminUserEnabled: false", "adminUserEnabled: true", "adminUserEnabled must be false"),
    (
        "vault",
        "enableRbacAuthorization: true",
        "enableRbacAuthorization: false",
        "enableRbacAuthorization must be true",
    ),
    ("vault", "enableSoftDelete: true", "", "enableSoftDelete must be true"),
    ("vault", "enablePurgeProtection: true", "", "enablePurgeProtection must be true"),
    (
        "registry",
        "adminUserEnabled: false",
        "adminUserEnabled: false\n    anonymousPullEnabled: true",
        "anonymousPullEnabled must be false",
    ),
    (
        "vault",
        "enableSoftDelete: true",
        "enableSoftDelete: true\n    enabledForDeployment: true",
        "enabledForDeployment must be false",
    ),
    (
        "vault",
        "enableSoftDelete: true",
        "enableSoftDelete: true\n    enabledForDiskEncryption: true",
        "enabledForDiskEncryption must be false",
    ),
    (
        "vault",
        "enableSoftDelete: true",
        "enableSoftDelete: true\n    enabledForTemplateDeployment: true",
        "enabledForTemplateDeployment must be false",
    ),
    ("vault", "  scope: vault\n", "", "vault: its logs are []"),
    ("vault", "name: certificateSecretName", "name: certificateName", "its name is empty when it is not made"),
    ("logs", "features: { disableLocalAuth: true }", "", "disableLocalAuth must be true"),
    ("environment", "'azure-monitor'", "'log-analytics'", "destination must be azure-monitor"),
    ("environment", "      { category: 'ContainerAppConsoleLogs', enabled: true }\n", "", "environment: its logs are"),
    ("proxy", "type: 'UserAssigned'", "type: 'SystemAssigned'", "identity.type must be UserAssigned"),
    ("proxy", "activeRevisionsMode: 'Single'", "activeRevisionsMode: 'Multiple'", "activeRevisionsMode must be Single"),
    ("proxy", "allowInsecure: false", "allowInsecure: true", "allowInsecure must be false"),
    ("proxy", "        allowInsecure: false\n", "", "allowInsecure must be said"),
    ("proxy", "transport: 'http'", "transport: 'tcp'", "transport must be http"),
    ("proxy", "[{ external: false", "[{ external: true", "additionalPortMappings.external must be false"),
    ("proxy", "bindingType: 'SniEnabled'", "bindingType: 'Disabled'", "bindingType must be SniEnabled"),
    (
        "proxy",
        "@minValue(2)\nparam minReplicas",
        "@minValue(1)\nparam minReplicas",
        "fewer than two replicas are possible",
    ),
    ("proxy", "minReplicas: minReplicas", "minReplicas: 1", "fewer than two replicas are possible"),
    ("proxy", "/readyz", "/livez", "lacks a probe"),
    ("proxy", "terminationGracePeriodSeconds: 30", "terminationGracePeriodSeconds: 5", "has no time to end"),
    ("worker", "type: 'Liveness'", "type: 'Startup'", "gives no sign of life"),
    ("worker", "terminationGracePeriodSeconds: 30", "", "has no time to end"),
    ("worker", "memory: '2Gi'", "memory: '1Gi'", "too little memory for its jobs"),
    ("worker", "cpu: json('1.0')", "cpu: json('0.25')", "too little disk for its jobs"),
    ("worker", "value: identity.clientId", "value: identity.listKeys()", "listKeys gives a secret"),
    (
        "proxy",
        "registries: [{ server: registry",
        "registries: [{ passwordSecretRef: 'x', server: registry",
        "is a secret",
    ),
    ("logs", "output workspaceId string", "output accountKeyToken string", "may be a secret"),
    ("logs", "param days int", "@secure()\nparam days string = 'x'", "has a secret in its default"),
    ("logs", "param days int", "param days int\n\nparam more int", "more is not described"),
    ("logs", "@description('The workspace, for diagnostic settings.')\n", "", "workspaceId is not described"),
]


@pytest.mark.parametrize("file", all_files(), ids=lambda file: file.path.name)
def test_a_file_keeps_every_rule(file: BicepFile) -> None:
    assert broken_rules(file) == []


@pytest.mark.parametrize(("name", "before", "after", "told"), BROKEN, ids=[f"{row[0]}: {row[3]}" for row in BROKEN])
def test_a_broken_rule_is_found(name: str, before: str, after: str, told: str) -> None:
    path = AZURE / "modules" / f"{name}.bicep"
    text = path.read_text(encoding="utf-8")
    assert before in text
    assert told in " ".join(broken_rules(BicepFile(text.replace(before, after, 1), path)))


def test_every_rule_is_broken_once() -> None:
    told = {row[3] for row in BROKEN}
    assert all(any(path.rpartition(".")[2] in text or "must be true" in text for text in told) for _, path, _ in FIXED)
    assert all(any(path.rpartition(".")[2] in text for text in told) for _, path, _ in FIXED_IF_SAID)
    assert len(RULES) == 9
