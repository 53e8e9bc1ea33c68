// The certificate of a name of your own, in a vault of yours: the environment may read it. Nothing else there changes.

@description('The vault. Its permissions are those of Azure\'s roles, not access policies.')
param vaultName string

@description('The certificate.')
param certificateName string

@description('The environment\'s identity.')
param environmentPrincipalId string

var roles = loadJsonContent('../roles.json')

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName
}

// A certificate's key is a secret of the same name.
resource certificate 'Microsoft.KeyVault/vaults/secrets@2025-05-01' existing = {
  parent: vault
  name: certificateName
}

resource environmentReadsCertificate 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: certificate
  name: guid(certificate.id, environmentPrincipalId, roles['Key Vault Secrets User'])
  properties: {
    principalId: environmentPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Key Vault Secrets User'])
    description: 'the certificate of a name of your own'
  }
}
