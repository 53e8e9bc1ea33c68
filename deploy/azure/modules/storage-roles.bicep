// Who may do what in an account's storage: SECURITY.md, "Least privilege in Azure", row by row. A test compares.
// Each role is given on the one table, queue or container that it is for.

@description('The storage account.')
param storageName string

@description('The queue of jobs.')
param queueName string

@description('Whether jobs may be created. Else the proxy reads only, and the worker may nothing.')
param acceptWrites bool

@description('Whether the proxy answers queries, and so reads the versions of data sources.')
param answersQueries bool

@description('Whether the table usage says what each key asks for.')
param keepsUsage bool

@description('The proxy\'s identity.')
param proxyPrincipalId string

@description('The worker\'s identity, which the scale rule uses too.')
param workerPrincipalId string

var roles = loadJsonContent('../roles.json')

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName
}

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' existing = {
  parent: storage
  name: 'default'
}

resource jobsTable 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' existing = {
  parent: tableService
  name: 'jobs'
}

resource datasourcesTable 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' existing = {
  parent: tableService
  name: 'datasources'
}

resource usageTable 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' existing = {
  parent: tableService
  name: 'usage'
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' existing = {
  parent: storage
  name: 'default'
}

resource uploadsContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  parent: blobService
  name: 'uploads'
}

resource datasourcesContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  parent: blobService
  name: 'datasources'
}

resource exportsContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  parent: blobService
  name: 'exports'
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-01-01' existing = {
  parent: storage
  name: 'default'
}

resource jobsQueue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' existing = {
  parent: queueService
  name: queueName
}

// Serve reads.

resource proxyReadsJobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: jobsTable
  name: guid(jobsTable.id, proxyPrincipalId, roles['Storage Table Data Reader'])
  properties: {
    principalId: proxyPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Table Data Reader']
    )
    description: 'job rows'
  }
}

resource proxyReadsDatasources 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: datasourcesTable
  name: guid(datasourcesTable.id, proxyPrincipalId, roles['Storage Table Data Reader'])
  properties: {
    principalId: proxyPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Table Data Reader']
    )
    description: 'rows of data sources'
  }
}

resource proxyReadsExports 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: exportsContainer
  name: guid(exportsContainer.id, proxyPrincipalId, roles['Storage Blob Data Reader'])
  properties: {
    principalId: proxyPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Blob Data Reader']
    )
    description: 'what a signed link opens'
  }
}

resource proxyReadsVersions 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (answersQueries) {
  scope: datasourcesContainer
  name: guid(datasourcesContainer.id, proxyPrincipalId, roles['Storage Blob Data Reader'])
  properties: {
    principalId: proxyPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Blob Data Reader']
    )
    description: 'what queries read'
  }
}

resource proxySigns 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: storage
  name: guid(storage.id, proxyPrincipalId, roles['Storage Blob Delegator'])
  properties: {
    principalId: proxyPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Storage Blob Delegator'])
    description: 'keys that sign links'
  }
}

resource proxyCountsJobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: jobsQueue
  name: guid(jobsQueue.id, proxyPrincipalId, roles['Storage Queue Data Reader'])
  properties: {
    principalId: proxyPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Queue Data Reader']
    )
    description: 'the metric of how many jobs wait'
  }
}

// Serve counts what each key asks for, also where it only reads.

resource proxyWritesUsage 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (keepsUsage) {
  scope: usageTable
  name: guid(usageTable.id, proxyPrincipalId, roles['Storage Table Data Contributor'])
  properties: {
    principalId: proxyPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Table Data Contributor']
    )
    description: 'what each key asks for'
  }
}

// Serve creates jobs.

resource proxyWritesJobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (acceptWrites) {
  scope: jobsTable
  name: guid(jobsTable.id, proxyPrincipalId, roles['Storage Table Data Contributor'])
  properties: {
    principalId: proxyPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Table Data Contributor']
    )
    description: 'rows of new jobs'
  }
}

resource proxyWritesUploads 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (acceptWrites) {
  scope: uploadsContainer
  name: guid(uploadsContainer.id, proxyPrincipalId, roles['Storage Blob Data Contributor'])
  properties: {
    principalId: proxyPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Blob Data Contributor']
    )
    description: 'data of loads'
  }
}

resource proxySendsJobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (acceptWrites) {
  scope: jobsQueue
  name: guid(jobsQueue.id, proxyPrincipalId, roles['Storage Queue Data Message Sender'])
  properties: {
    principalId: proxyPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Queue Data Message Sender']
    )
    description: 'telling the workers'
  }
}

// The worker does them.

resource workerWritesJobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (acceptWrites) {
  scope: jobsTable
  name: guid(jobsTable.id, workerPrincipalId, roles['Storage Table Data Contributor'])
  properties: {
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Table Data Contributor']
    )
    description: 'what became of jobs'
  }
}

resource workerWritesDatasources 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (acceptWrites) {
  scope: datasourcesTable
  name: guid(datasourcesTable.id, workerPrincipalId, roles['Storage Table Data Contributor'])
  properties: {
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Table Data Contributor']
    )
    description: 'data sources and their versions'
  }
}

resource workerSumsUsage 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (acceptWrites && keepsUsage) {
  scope: usageTable
  name: guid(usageTable.id, workerPrincipalId, roles['Storage Table Data Contributor'])
  properties: {
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Table Data Contributor']
    )
    description: 'what each key asked for, by day'
  }
}

resource workerReadsUploads 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (acceptWrites) {
  scope: uploadsContainer
  name: guid(uploadsContainer.id, workerPrincipalId, roles['Storage Blob Data Contributor'])
  properties: {
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Blob Data Contributor']
    )
    description: 'data of loads'
  }
}

resource workerWritesVersions 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (acceptWrites) {
  scope: datasourcesContainer
  name: guid(datasourcesContainer.id, workerPrincipalId, roles['Storage Blob Data Contributor'])
  properties: {
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Blob Data Contributor']
    )
    description: 'entities of versions'
  }
}

resource workerWritesExports 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (acceptWrites) {
  scope: exportsContainer
  name: guid(exportsContainer.id, workerPrincipalId, roles['Storage Blob Data Contributor'])
  properties: {
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Blob Data Contributor']
    )
    description: 'what jobs give'
  }
}

resource workerTakesJobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (acceptWrites) {
  scope: jobsQueue
  name: guid(jobsQueue.id, workerPrincipalId, roles['Storage Queue Data Contributor'])
  properties: {
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Queue Data Contributor']
    )
    description: 'taking jobs, and how many wait'
  }
}
