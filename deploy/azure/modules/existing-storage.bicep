// What an account of the key ring needs in storage that exists: tables, a queue and containers, where they are missing.
// What is there stays as it is, with its access and its retention. Nothing else is set: no firewall, no CORS, no logs.
// docs/deployment/azure.md says what you may want to set.

@description('The storage account.')
param name string

@description('The queue that the account\'s jobs wait in.')
param queueName string

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: name
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' existing = {
  parent: storage
  name: 'default'
}

@onlyIfNotExists()
resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [
  for container in ['uploads', 'datasources', 'exports']: {
    parent: blobService
    name: container
    properties: { publicAccess: 'None' }
  }
]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' existing = {
  parent: storage
  name: 'default'
}

@onlyIfNotExists()
resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' = [
  for table in ['jobs', 'datasources', 'usage']: {
    parent: tableService
    name: table
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-01-01' existing = {
  parent: storage
  name: 'default'
}

@onlyIfNotExists()
resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' = {
  parent: queueService
  name: queueName
}
