// The console: pages for operators. One replica, for sessions are in its memory: a new one asks all to sign in again.

import { appSetting, identityIds, resourceTags } from '../types.bicep'

@description('The app\'s name, and the first part of the name that Azure gives it.')
@maxLength(32)
param name string

@description('The region.')
param location string

@description('Tags of all resources.')
param tags resourceTags

@description('The environment.')
param environmentId string

@description('The console\'s identity.')
param identity identityIds

@description('The registry of the image.')
param registry string

@description('The image, which is the proxy\'s.')
param image string

@description('The key ring, as JSON without a secret.')
param keyring string

@description('The name that Azure gives it, and browsers show.')
param hostName string

@description('Where the ingress talks from.')
param trustedProxies string

@description('The client id of its app registration.')
param clientId string

@description('Object ids of the people and groups that may sign in.')
param principals string[]

@description('Whether it shows only.')
param readOnly bool

@description('More settings.')
param extraSettings appSetting[]

var port = 8090

// These win over what `settings` names, so that nothing else decides who may sign in.
var ownSettings = [
  { name: 'AZURE_CLIENT_ID', value: identity.clientId }
  { name: 'AZURE_TOKEN_CREDENTIALS', value: 'ManagedIdentityCredential' }
  { name: 'PROXY_KEYRING', value: keyring }
  { name: 'PROXY_CONSOLE_HOST', value: '0.0.0.0' }
  { name: 'PROXY_CONSOLE_PORT', value: string(port) }
  { name: 'PROXY_CONSOLE_NAME', value: hostName }
  { name: 'PROXY_CONSOLE_AUTH', value: 'entra' }
  { name: 'PROXY_CONSOLE_TENANT_ID', value: tenant().tenantId }
  { name: 'PROXY_CONSOLE_CLIENT_ID', value: clientId }
  { name: 'PROXY_CONSOLE_PRINCIPALS', value: join(principals, ',') }
  { name: 'PROXY_CONSOLE_READ_ONLY', value: string(readOnly) }
  { name: 'PROXY_TRUSTED_PROXIES', value: trustedProxies }
  { name: 'PROXY_WORKER_JOBS', value: '1' }
]
var own = map(ownSettings, setting => setting.name)

resource console 'Microsoft.App/containerApps@2025-01-01' = {
  name: name
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      maxInactiveRevisions: 3
      ingress: {
        external: true
        allowInsecure: false
        targetPort: port
        transport: 'http'
      }
      registries: [{ server: registry, identity: identity.id }]
    }
    template: {
      terminationGracePeriodSeconds: 30
      containers: [
        {
          name: 'console'
          image: image
          args: ['console']
          // Memory: what queries need, and PROXY_WORKER_MEMORY_MB for a file that somebody looks into before it is loaded.
          // One core brings 4 GiB of disk, for PROXY_QUERY_CACHE_MB + 1 GB, and three times PROXY_MAX_UPLOAD_MB.
          resources: { cpu: json('1.0'), memory: '2Gi' }
          env: concat(ownSettings, filter(extraSettings, setting => !contains(own, setting.name)))
          probes: [
            {
              type: 'Startup'
              httpGet: { path: '/livez', port: port, scheme: 'HTTP' }
              periodSeconds: 3
              timeoutSeconds: 2
              failureThreshold: 10
            }
            {
              type: 'Liveness'
              httpGet: { path: '/livez', port: port, scheme: 'HTTP' }
              periodSeconds: 10
              timeoutSeconds: 4
              failureThreshold: 3
            }
          ]
        }
      ]
      scale: { minReplicas: 1, maxReplicas: 1 }
    }
  }
}
