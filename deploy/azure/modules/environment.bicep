// What the apps run in: one network, one ingress, one place for their logs.

@description('What makes names unique.')
param token string

@description('The region.')
param location string

@description('Tags of all resources.')
param tags object

@description('Replicas in several zones; can\'t be changed later.')
param zoneRedundant bool

@description('The subnet to live in.')
param subnetId string

@description('The identity that reads the certificate.')
param identityId string

@description('The certificate for a name of your own, in the vault, or empty.')
param certificateUrl string

@description('Where logs go.')
param workspaceId string

resource environment 'Microsoft.App/managedEnvironments@2025-01-01' = {
  name: 'cae-${token}'
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    zoneRedundant: zoneRedundant
    vnetConfiguration: {
      infrastructureSubnetId: subnetId
      internal: false
    }
    workloadProfiles: [{ name: 'Consumption', workloadProfileType: 'Consumption' }]
    // By diagnostic settings, which need no key of the workspace.
    appLogsConfiguration: { destination: 'azure-monitor' }
  }
}

resource environmentLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: environment
  name: 'apps'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'ContainerAppConsoleLogs', enabled: true }
      { category: 'ContainerAppSystemLogs', enabled: true }
    ]
  }
}

resource certificate 'Microsoft.App/managedEnvironments/certificates@2025-01-01' = if (!empty(certificateUrl)) {
  parent: environment
  name: 'own-name'
  location: location
  tags: tags
  properties: {
    certificateKeyVaultProperties: {
      identity: identityId
      keyVaultUrl: certificateUrl
    }
  }
}

@description('The environment.')
output id string = environment.id

@description('What the apps\' names end in.')
output defaultDomain string = environment.properties.defaultDomain

@description('The address of the ingress.')
output staticIp string = environment.properties.staticIp

@description('The certificate in this environment, or empty.')
output certificateId string = empty(certificateUrl) ? '' : certificate.id
