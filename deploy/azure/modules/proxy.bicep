// The proxy: answers requests.

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

@description('The proxy\'s identity.')
param identity identityIds

@description('The registry of the image.')
param registry string

@description('The image; empty before the first push.')
param image string

@description('The key ring, as JSON without a secret.')
param keyring string

@description('The base URL that clients use.')
param publicUrl string

@description('Where the ingress talks from.')
param trustedProxies string

@description('More settings.')
param extraSettings appSetting[]

@description('The fewest replicas.')
@minValue(2)
param minReplicas int

@description('The most replicas.')
param maxReplicas int

@description('A name of your own, or empty.')
param customDomain string

@description('Its certificate in the environment.')
param certificateId string

var port = 8080
var metricsPort = 9090

// Before azd has pushed an image something else must run: this sample of Microsoft listens on the same port. It has no
// /livez, so no probe of ours asks it. Sources differ on whether Azure adds some of its own.
var isPushed = !empty(image)
var placeholder = 'mcr.microsoft.com/dotnet/samples:aspnetapp'

// Later ones win: what `settings` names is there on purpose.
var given = map(extraSettings, setting => setting.name)
var ownSettings = [
  { name: 'AZURE_CLIENT_ID', value: identity.clientId }
  { name: 'AZURE_TOKEN_CREDENTIALS', value: 'ManagedIdentityCredential' }
  { name: 'PROXY_KEYRING', value: keyring }
  { name: 'PROXY_PUBLIC_URL', value: publicUrl }
  { name: 'PROXY_PORT', value: string(port) }
  { name: 'PROXY_TRUSTED_PROXIES', value: trustedProxies }
  { name: 'PROXY_METRICS_PORT', value: string(metricsPort) }
]

resource proxy 'Microsoft.App/containerApps@2025-01-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'proxy' })
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
        // Inside the environment only, and past the ingress: whoever asks reaches one replica, not each in turn.
        additionalPortMappings: [{ external: false, targetPort: metricsPort, exposedPort: metricsPort }]
        customDomains: empty(customDomain)
          ? []
          : [
              { name: customDomain, bindingType: 'SniEnabled', certificateId: certificateId }
            ]
      }
      registries: [{ server: registry, identity: identity.id }]
    }
    template: {
      // SIGTERM: not ready for two seconds, then six for what was accepted. The rest is a reserve.
      terminationGracePeriodSeconds: 30
      containers: [
        {
          name: 'proxy'
          image: isPushed ? image : placeholder
          // For queries, and with one core go 4 GiB of disk: PROXY_QUERY_CACHE_MB + 1 GB of it for TMPDIR.
          resources: { cpu: json('1.0'), memory: '2Gi' }
          env: concat(filter(ownSettings, setting => !contains(given, setting.name)), extraSettings)
          probes: isPushed
            ? [
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
                {
                  type: 'Readiness'
                  httpGet: { path: '/readyz', port: port, scheme: 'HTTP' }
                  periodSeconds: 1
                  timeoutSeconds: 2
                  failureThreshold: 2
                  successThreshold: 1
                }
              ]
            : []
        }
      ]
      scale: {
        minReplicas: minReplicas
        maxReplicas: maxReplicas
        rules: [{ name: 'requests', http: { metadata: { concurrentRequests: '100' } } }]
      }
    }
  }
}

@description('The base URL that clients use.')
output publicUrl string = publicUrl

@description('The name that Azure gives.')
output hostName string = proxy.properties.configuration.ingress.fqdn

@description('What proves that a name is yours.')
output domainVerification string = proxy.properties.customDomainVerificationId
