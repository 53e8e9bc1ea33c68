// What the console may do in an account's storage: SECURITY.md, "Least privilege in Azure", row by row. A test
// compares. It reads; where it may change something, it also has what operators have for their commands.

@description('The storage account.')
param storageName string

@description('The queue of jobs.')
param queueName string

@description('Whether the table usage says what each key asks for.')
param keepsUsage bool

@description('Whether operators may change something by the console. Else it shows only.')
param consoleChanges bool

@description('The console\'s identity.')
param consolePrincipalId string

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

resource auditTable 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' existing = {
  parent: tableService
  name: 'audit'
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

// It shows.

resource consoleReadsJobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: jobsTable
  name: guid(jobsTable.id, consolePrincipalId, roles['Storage Table Data Reader'])
  properties: {
    principalId: consolePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Table Data Reader']
    )
    description: 'job rows and workers'
  }
}

resource consoleReadsDatasources 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: datasourcesTable
  name: guid(datasourcesTable.id, consolePrincipalId, roles['Storage Table Data Reader'])
  properties: {
    principalId: consolePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Table Data Reader']
    )
    description: 'rows of data sources'
  }
}

resource consoleReadsUsage 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (keepsUsage) {
  scope: usageTable
  name: guid(usageTable.id, consolePrincipalId, roles['Storage Table Data Reader'])
  properties: {
    principalId: consolePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Table Data Reader']
    )
    description: 'what each key asked for'
  }
}

resource consoleReadsAudit 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: auditTable
  name: guid(auditTable.id, consolePrincipalId, roles['Storage Table Data Reader'])
  properties: {
    principalId: consolePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Table Data Reader']
    )
    description: 'what operators changed'
  }
}

resource consoleCountsJobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: jobsQueue
  name: guid(jobsQueue.id, consolePrincipalId, roles['Storage Queue Data Reader'])
  properties: {
    principalId: consolePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Queue Data Reader']
    )
    description: 'how many jobs wait'
  }
}

resource consoleReadsUploads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: uploadsContainer
  name: guid(uploadsContainer.id, consolePrincipalId, roles['Storage Blob Data Reader'])
  properties: {
    principalId: consolePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Blob Data Reader']
    )
    description: 'data of loads'
  }
}

resource consoleReadsVersions 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: datasourcesContainer
  name: guid(datasourcesContainer.id, consolePrincipalId, roles['Storage Blob Data Reader'])
  properties: {
    principalId: consolePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Blob Data Reader']
    )
    description: 'entities to show'
  }
}

resource consoleReadsExports 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: exportsContainer
  name: guid(exportsContainer.id, consolePrincipalId, roles['Storage Blob Data Reader'])
  properties: {
    principalId: consolePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Blob Data Reader']
    )
    description: 'error logs and outputs'
  }
}

// It changes.

resource consoleWritesJobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (consoleChanges) {
  scope: jobsTable
  name: guid(jobsTable.id, consolePrincipalId, roles['Storage Table Data Contributor'])
  properties: {
    principalId: consolePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Table Data Contributor']
    )
    description: 'jobs that operators load, retry and end'
  }
}

resource consoleWritesDatasources 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (consoleChanges) {
  scope: datasourcesTable
  name: guid(datasourcesTable.id, consolePrincipalId, roles['Storage Table Data Contributor'])
  properties: {
    principalId: consolePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Table Data Contributor']
    )
    description: 'data sources that operators change'
  }
}

resource consoleWritesAudit 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (consoleChanges) {
  scope: auditTable
  name: guid(auditTable.id, consolePrincipalId, roles['Storage Table Data Contributor'])
  properties: {
    principalId: consolePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Table Data Contributor']
    )
    description: 'what operators change'
  }
}

resource consoleSendsJobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (consoleChanges) {
  scope: jobsQueue
  name: guid(jobsQueue.id, consolePrincipalId, roles['Storage Queue Data Contributor'])
  properties: {
    principalId: consolePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Queue Data Contributor']
    )
    description: 'telling the workers of jobs'
  }
}

resource consoleWritesUploads 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (consoleChanges) {
  scope: uploadsContainer
  name: guid(uploadsContainer.id, consolePrincipalId, roles['Storage Blob Data Contributor'])
  properties: {
    principalId: consolePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Blob Data Contributor']
    )
    description: 'data of loads by operators'
  }
}

resource consoleWritesExports 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (consoleChanges) {
  scope: exportsContainer
  name: guid(exportsContainer.id, consolePrincipalId, roles['Storage Blob Data Contributor'])
  properties: {
    principalId: consolePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Blob Data Contributor']
    )
    description: 'error logs of retried jobs'
  }
}
