// One identity for each who asks, so that each may do only what it does.

@description('What makes names unique.')
param token string

@description('The region.')
param location string

@description('Tags of all resources.')
param tags object

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

// Reads the certificate of a name of your own, and nothing else.
resource environmentIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-environment-${token}'
  location: location
  tags: tags
}

@description('The proxy\'s identity: its resource id, and what role assignments and applications call it.')
output proxy object = {
  id: proxyIdentity.id
  principalId: proxyIdentity.properties.principalId
  clientId: proxyIdentity.properties.clientId
}

@description('The worker\'s, which the scale rule uses too.')
output worker object = {
  id: workerIdentity.id
  principalId: workerIdentity.properties.principalId
  clientId: workerIdentity.properties.clientId
}

@description('The environment\'s.')
output environment object = {
  id: environmentIdentity.id
  principalId: environmentIdentity.properties.principalId
}
