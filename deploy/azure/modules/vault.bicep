// The key ring, as a secret that the apps read by their identities. No deployment ever carries a key.

@description('What makes names unique.')
param token string

@description('The region.')
param location string

@description('Tags of all resources.')
param tags object

@description('Whether there is a key ring already, which is left alone then.')
param keyringExists bool

@description('The accounts of a first key ring: name, storageName.')
param accounts object[]

@description('The certificate for a name of your own, or empty.')
param certificateName string

@description('The proxy\'s identity.')
param proxyPrincipalId string

@description('The worker\'s identity.')
param workerPrincipalId string

@description('The environment\'s identity.')
param environmentPrincipalId string

@description('Where logs go.')
param workspaceId string

var roles = loadJsonContent('../roles.json')
var keyringSecretName = 'keyring'
// Azure looks at names before it looks at conditions, and an empty one is an error.
var certificateSecretName = empty(certificateName) ? 'none' : certificateName

// "default" asks as the identity that AZURE_CLIENT_ID of each app names, so that one ring serves both.
var accountEntries = toObject(accounts, entry => entry.name, entry => {
  storage: {
    account_name: entry.storageName
    credential: 'default'
    endpoint_suffix: environment().suffixes.storage
  }
})

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: 'kv-${token}'
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    enablePurgeProtection: true
    softDeleteRetentionInDays: 7
  }
}

// A ring with the accounts and no key. Azure keeps the versions of a secret, should one be written over.
resource keyring 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (!keyringExists) {
  parent: vault
  name: keyringSecretName
  properties: {
    value: string({ accounts: accountEntries, keys: {} })
    contentType: 'application/json'
  }
}

// A certificate's key is a secret of the same name.
resource certificate 'Microsoft.KeyVault/vaults/secrets@2024-11-01' existing = if (!empty(certificateName)) {
  parent: vault
  name: certificateSecretName
}

resource proxyReadsKeyring 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: keyring
  name: guid(keyring.id, proxyPrincipalId, roles['Key Vault Secrets User'])
  properties: {
    principalId: proxyPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Key Vault Secrets User'])
    description: 'the key ring'
  }
}

resource workerReadsKeyring 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: keyring
  name: guid(keyring.id, workerPrincipalId, roles['Key Vault Secrets User'])
  properties: {
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Key Vault Secrets User'])
    description: 'the key ring'
  }
}

resource environmentReadsCertificate 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(certificateName)) {
  scope: certificate
  name: guid(certificate.id, environmentPrincipalId, roles['Key Vault Secrets User'])
  properties: {
    principalId: environmentPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Key Vault Secrets User'])
    description: 'the certificate of a name of your own'
  }
}

resource vaultLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'AuditEvent', enabled: true }]
  }
}

@description('The vault\'s name.')
output vaultName string = vault.name

@description('The name of the key ring\'s secret.')
output keyringName string = keyringSecretName

@description('Where the key ring is; without a version, so that the apps follow it.')
output keyringUrl string = '${vault.properties.vaultUri}secrets/${keyringSecretName}'

@description('Where the certificate is, or empty.')
output certificateUrl string = empty(certificateName) ? '' : '${vault.properties.vaultUri}secrets/${certificateName}'
