// One identity for each program, so that each may do only what it does.

import { identityIds, resourceTags } from '../types.bicep'

@description('What makes names unique.')
@minLength(13)
@maxLength(13)
param token string

@description('The region.')
param location string

@description('Tags of all resources.')
param tags resourceTags

resource proxyIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-proxy-${token}'
  location: location
  tags: tags
}

resource workerIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-worker-${token}'
  location: location
  tags: tags
}

// Without a console it has no role. It is here all the same, so that its sign-in can be made before the console is.
resource consoleIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-console-${token}'
  location: location
  tags: tags
}

// Reads the certificate of a name of your own, and nothing else.
resource environmentIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-environment-${token}'
  location: location
  tags: tags
}

@description('The proxy\'s identity: its resource id, and what role assignments and applications call it.')
output proxy identityIds = {
  id: proxyIdentity.id
  principalId: proxyIdentity.properties.principalId
  clientId: proxyIdentity.properties.clientId
}

@description('The worker\'s, which the scale rule uses too.')
output worker identityIds = {
  id: workerIdentity.id
  principalId: workerIdentity.properties.principalId
  clientId: workerIdentity.properties.clientId
}

@description('The console\'s.')
output console identityIds = {
  id: consoleIdentity.id
  principalId: consoleIdentity.properties.principalId
  clientId: consoleIdentity.properties.clientId
}

@description('The environment\'s.')
output environment identityIds = {
  id: environmentIdentity.id
  principalId: environmentIdentity.properties.principalId
  clientId: environmentIdentity.properties.clientId
}
