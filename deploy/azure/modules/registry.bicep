// Where the image is. Nobody has a password for it: azd pushes as you, the apps pull by their identities.

import { resourceTags } from '../types.bicep'

@description('What makes names unique.')
@minLength(13)
@maxLength(13)
param token string

@description('The region.')
param location string

@description('Tags of all resources.')
param tags resourceTags

@description('Basic, Standard or Premium.')
param sku string

@description('The proxy\'s identity.')
param proxyPrincipalId string

@description('The worker\'s identity.')
param workerPrincipalId string

@description('Whether there is a console.')
param makesConsole bool

@description('The console\'s identity.')
param consolePrincipalId string

var roles = loadJsonContent('../roles.json')

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' = {
  name: 'cr${token}'
  location: location
  tags: tags
  sku: { name: sku }
  properties: {
    adminUserEnabled: false
  }
}

resource proxyPulls 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: registry
  name: guid(registry.id, proxyPrincipalId, roles.AcrPull)
  properties: {
    principalId: proxyPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.AcrPull)
    description: 'the image'
  }
}

resource workerPulls 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: registry
  name: guid(registry.id, workerPrincipalId, roles.AcrPull)
  properties: {
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.AcrPull)
    description: 'the image'
  }
}

resource consolePulls 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (makesConsole) {
  scope: registry
  name: guid(registry.id, consolePrincipalId, roles.AcrPull)
  properties: {
    principalId: consolePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.AcrPull)
    description: 'the image'
  }
}

@description('The registry\'s name for docker.')
output loginServer string = registry.properties.loginServer
