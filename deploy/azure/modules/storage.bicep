// The storage of one account of the key ring: no account key opens it, only identities and signed links do.

import { resourceTags } from '../types.bicep'

@description('The storage account.')
param name string

@description('The account\'s name in the key ring.')
param account string

@description('The queue that the account\'s jobs wait in.')
param queueName string

@description('The region.')
param location string

@description('Tags of all resources.')
param tags resourceTags

@description('Copies in several zones.')
param zoneRedundant bool

@description('Days that deleted blobs and containers can be brought back.')
param softDeleteDays int

@description('The networks that may open it beside the apps; with none given, any network.')
param clientNetworks string[]

@description('Whether browsers let pages of any origin read blobs that they can open.')
param pagesMayRead bool

@description('The apps\' subnet.')
param subnetId string

@description('Where logs go.')
param workspaceId string

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: union(tags, { 'spatial-account': account })
  kind: 'StorageV2'
  sku: { name: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // Clients open signed links from wherever they are: a closed firewall must know their networks.
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: empty(clientNetworks) ? 'Allow' : 'Deny'
      ipRules: [for network in clientNetworks: { action: 'Allow', value: network }]
      virtualNetworkRules: [{ action: 'Allow', id: subnetId }]
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: storage
  name: 'default'
  properties: {
    deleteRetentionPolicy: { enabled: true, days: softDeleteDays }
    containerDeleteRetentionPolicy: { enabled: true, days: softDeleteDays }
    // The rule of adapters/blobs/store.py. After the proxy's redirect a browser sends no origin, so all origins are allowed.
    // A page still opens only what it has a signed link for.
    cors: {
      corsRules: pagesMayRead
        ? [
            {
              allowedOrigins: ['*']
              allowedMethods: ['GET', 'HEAD']
              allowedHeaders: ['*']
              exposedHeaders: ['*']
              maxAgeInSeconds: 3600
            }
          ]
        : []
    }
  }
}

// The names are those of adapters/blobs/store.py, adapters/job_queue.py, and data_source_store.py and usage_store.py in
// adapters/tables.

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [
  for container in ['uploads', 'datasources', 'exports']: {
    parent: blobs
    name: container
    properties: { publicAccess: 'None' }
  }
]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' = {
  parent: storage
  name: 'default'
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' = [
  for table in ['jobs', 'datasources', 'usage']: {
    parent: tableService
    name: table
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-01-01' = {
  parent: storage
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' = {
  parent: queueService
  name: queueName
}

// A line for each request, with the identity that made it. A client that appends its key to a signed link so that it is
// sent (SECURITY.md) has that key in these lines: a reader of the workspace may read it.

// There is no newer version.
#disable-next-line use-recent-api-versions
resource blobLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: blobs
  name: 'requests'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageRead', enabled: true }
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}

// There is no newer version.
#disable-next-line use-recent-api-versions
resource tableLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: tableService
  name: 'requests'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageRead', enabled: true }
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}

// There is no newer version.
#disable-next-line use-recent-api-versions
resource queueLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: queueService
  name: 'requests'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageRead', enabled: true }
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}
