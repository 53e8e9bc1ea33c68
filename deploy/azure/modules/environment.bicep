// What the apps run in: one network, one ingress, one place for their logs.

import { resourceTags, vaultCertificate } from '../types.bicep'

@description('What makes names unique.')
@minLength(13)
@maxLength(13)
param token string

@description('The region.')
param location string

@description('Tags of all resources.')
param tags resourceTags

@description('Replicas in several zones; can\'t be changed later.')
param zoneRedundant bool

@description('The subnet to live in.')
param subnetId string

@description('The identity that reads the certificate.')
param identityId string

@description('The certificate for a name of your own.')
param certificate vaultCertificate?

@description('Where logs go.')
param workspaceId string

// Without a version, so that the environment follows a renewed certificate. Its key is a secret of the same name.
var vaultUrl = 'https://${certificate.?vault ?? 'none'}${az.environment().suffixes.keyvaultDns}'

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

// There is no newer version.
#disable-next-line use-recent-api-versions
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

resource ownName 'Microsoft.App/managedEnvironments/certificates@2025-01-01' = if (certificate != null) {
  parent: environment
  name: 'own-name'
  location: location
  tags: tags
  properties: {
    certificateKeyVaultProperties: {
      identity: identityId
      keyVaultUrl: '${vaultUrl}/secrets/${certificate.?name ?? 'none'}'
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
output certificateId string = certificate == null ? '' : ownName.id
