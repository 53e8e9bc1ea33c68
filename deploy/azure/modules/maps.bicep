// An Azure Maps account, which finds addresses and routes. No key opens it, only identities do. Each item costs.

import { resourceTags } from '../types.bicep'

@description('What makes names unique.')
@minLength(13)
@maxLength(13)
param token string

@description('Tags of all resources.')
param tags resourceTags

@description('Whether jobs may be created. Else there is no worker that geocodes.')
param acceptWrites bool

@description('Whether the proxy answers queries, whose addresses and routes it asks for itself.')
param answersQueries bool

@description('The proxy\'s identity.')
param proxyPrincipalId string

@description('The worker\'s identity.')
param workerPrincipalId string

var roles = loadJsonContent('../roles.json')

resource maps 'Microsoft.Maps/accounts@2023-06-01' = {
  name: 'maps-${token}'
  location: 'global'
  tags: tags
  kind: 'Gen2'
  sku: { name: 'G2' }
  properties: { disableLocalAuth: true }
}

resource proxyAsksMaps 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (answersQueries) {
  scope: maps
  name: guid(maps.id, proxyPrincipalId, roles['Azure Maps Data Reader'])
  properties: {
    principalId: proxyPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Azure Maps Data Reader'])
    description: 'addresses and routes of queries'
  }
}

resource workerAsksMaps 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (acceptWrites) {
  scope: maps
  name: guid(maps.id, workerPrincipalId, roles['Azure Maps Data Reader'])
  properties: {
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Azure Maps Data Reader'])
    description: 'addresses of geocode jobs'
  }
}

@description('What the key ring calls it by. It is not the client id of an identity.')
output clientId string = maps.properties.uniqueId
