// The keys of programs, as digests in a table. A storage account of its own: a writer of an account's storage must not
// be able to make keys. The worker has no role here.

import { keyOperator, resourceTags } from '../types.bicep'

@description('The storage account.')
param name string

@description('The region.')
param location string

@description('Tags of all resources.')
param tags resourceTags

@description('Copies in several zones.')
param zoneRedundant bool

@description('The networks that may open it beside the apps; with none given, any network.')
param clientNetworks string[]

@description('The apps\' subnet.')
param subnetId string

@description('Where logs go.')
param workspaceId string

@description('The proxy\'s identity.')
param proxyPrincipalId string

@description('Whether there is a console.')
param makesConsole bool

@description('Whether operators may make and revoke keys by the console. Else it shows only.')
param consoleChanges bool

@description('The console\'s identity.')
param consolePrincipalId string

@description('The people, groups and programs that may make and revoke keys.')
param operators keyOperator[]

var roles = loadJsonContent('../roles.json')

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    // An account key would make keys for every account of the ring.
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: empty(clientNetworks) ? 'Allow' : 'Deny'
      ipRules: [for network in clientNetworks: { action: 'Allow', value: network }]
      virtualNetworkRules: [{ action: 'Allow', id: subnetId }]
    }
  }
}

// While it stands, azd down fails, and so does taking a role away: docs/deployment/azure.md.
resource lock 'Microsoft.Authorization/locks@2020-05-01' = {
  scope: storage
  name: 'keys'
  properties: {
    level: 'CanNotDelete'
    notes: 'The keys of all programs are here. Export them before you delete it.'
  }
}

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' = {
  parent: storage
  name: 'default'
}

// PROXY_KEYS_TABLE.
resource keysTable 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' = {
  parent: tableService
  name: 'keys'
}

// Which identity changed a key, and when. Reads are left out: a thousand keys would write more than a million lines a day.
// There is no newer version.
#disable-next-line use-recent-api-versions
resource tableLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: tableService
  name: 'changes'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageRead', enabled: false }
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}

resource proxyReadsKeys 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: keysTable
  name: guid(keysTable.id, proxyPrincipalId, roles['Storage Table Data Reader'])
  properties: {
    principalId: proxyPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Table Data Reader']
    )
    description: 'keys of programs'
  }
}

resource consoleReadsKeys 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (makesConsole) {
  scope: keysTable
  name: guid(keysTable.id, consolePrincipalId, roles['Storage Table Data Reader'])
  properties: {
    principalId: consolePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Table Data Reader']
    )
    description: 'keys to show'
  }
}

resource consoleWritesKeys 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (makesConsole && consoleChanges) {
  scope: keysTable
  name: guid(keysTable.id, consolePrincipalId, roles['Storage Table Data Contributor'])
  properties: {
    principalId: consolePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Table Data Contributor']
    )
    description: 'keys that operators make and revoke'
  }
}

resource operatorsWriteKeys 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for operator in operators: {
    scope: keysTable
    name: guid(keysTable.id, operator.id, roles['Storage Table Data Contributor'])
    properties: {
      principalId: operator.id
      principalType: operator.?kind
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roles['Storage Table Data Contributor']
      )
      description: 'the commands keys'
    }
  }
]
