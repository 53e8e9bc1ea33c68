// The worker: does the jobs. Nobody can connect to it from outside.

import { accountStorage, appSetting, identityIds, resourceTags } from '../types.bicep'

@description('The app\'s name.')
@maxLength(32)
param name string

@description('The region.')
param location string

@description('Tags of all resources.')
param tags resourceTags

@description('The environment.')
param environmentId string

@description('The worker\'s identity.')
param identity identityIds

@description('The registry of the image.')
param registry string

@description('The image; empty before the first push.')
param image string

@description('The key ring, as JSON without a secret.')
param keyring string

@description('More settings.')
param extraSettings appSetting[]

@description('The accounts; jobs wait in a queue of each.')
param accounts accountStorage[]

@description('Whether there are jobs to do.')
param enabled bool

@description('The fewest replicas.')
@minValue(1)
param minReplicas int

@description('The most replicas.')
param maxReplicas int

var metricsPort = 9090
var isPushed = !empty(image)
var placeholder = 'mcr.microsoft.com/dotnet/samples:aspnetapp'

var given = map(extraSettings, setting => setting.name)
var ownSettings = [
  { name: 'AZURE_CLIENT_ID', value: identity.clientId }
  { name: 'AZURE_TOKEN_CREDENTIALS', value: 'ManagedIdentityCredential' }
  { name: 'PROXY_KEYRING', value: keyring }
  { name: 'PROXY_METRICS_PORT', value: string(metricsPort) }
]

// Jobs that wait, for each worker. A job takes seconds, and those of one data source wait for each other anyway.
var jobsForEach = 2

resource worker 'Microsoft.App/containerApps@2025-01-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'worker' })
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
      registries: [{ server: registry, identity: identity.id }]
    }
    template: {
      // SIGTERM: five seconds for the job in hand, then it is given back. The rest is a reserve.
      terminationGracePeriodSeconds: 30
      containers: [
        {
          name: 'worker'
          image: isPushed ? image : placeholder
          // There from the first, for azd changes the image only: without it our image would be a server, which fails for
          // want of its settings. The sample takes no notice of a word that is no option.
          args: ['worker']
          // Memory: PROXY_WORKER_JOBS x PROXY_WORKER_MEMORY_MB + 256 MiB, and a reserve. With one core go 4 GiB of disk: for
          // each of these jobs three times as much as the largest load, PROXY_MAX_UPLOAD_MB, and more.
          resources: { cpu: json('1.0'), memory: '2Gi' }
          env: concat(filter(ownSettings, setting => !contains(given, setting.name)), extraSettings)
          // It listens on its metrics port only, so that is its sign of life. A lost one costs little: its job's lease
          // ends, and another does the job again.
          probes: isPushed
            ? [
                {
                  type: 'Liveness'
                  httpGet: { path: '/metrics', port: metricsPort, scheme: 'HTTP' }
                  initialDelaySeconds: 10
                  periodSeconds: 30
                  timeoutSeconds: 10
                  failureThreshold: 4
                }
              ]
            : []
        }
      ]
      // Where no jobs may be created there are none to do, nor anything to sweep.
      scale: {
        minReplicas: enabled ? minReplicas : 0
        maxReplicas: maxReplicas
        rules: map(enabled ? accounts : [], item => {
          name: 'jobs-of-${item.account}'
          azureQueue: {
            accountName: item.storage
            queueName: item.queue
            queueLength: jobsForEach
            identity: identity.id
          }
        })
      }
    }
  }
}
