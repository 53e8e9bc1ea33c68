// Everything that the proxy needs in Azure, in one resource group of its own.
targetScope = 'subscription'

@description('The name of the azd environment. It is part of the resource group\'s name, and decides all others.')
@minLength(1)
@maxLength(32)
param environmentName string

@description('The region of all resources.')
@minLength(1)
param location string

@description('Spread replicas, and copies of the data, over the region\'s zones. The environment can\'t change this later. Say false in a region without zones: there the deployment fails with true.')
param zoneRedundant bool = true

@description('The accounts of the key ring, with commas between them. Each gets a storage account of its own. A name has lower-case letters, digits and single dashes, and at most 31 characters.')
@minLength(1)
param accounts string = 'main'

@description('Whether the vault holds a key ring already. Only where it does not is one written, without keys, so that no deployment ever takes keys away. azd learns it from the outputs.')
param keyringExists bool = false

@description('Whether clients may create jobs. With false the proxy\'s identity may only read, and no worker runs. A role that was given before stays: take it away yourself.')
param acceptWrites bool = true

@description('The image that azd has pushed for the proxy. Empty before the first push: a sample by Microsoft runs for those minutes.')
param proxyImage string = ''

@description('The image that azd has pushed for the worker; it is the same one.')
param workerImage string = ''

@description('The fewest replicas of the proxy. Two, so that one may end while the other answers.')
@minValue(2)
param proxyMinReplicas int = 2

@description('The most replicas of the proxy.')
@minValue(2)
@maxValue(300)
param proxyMaxReplicas int = 10

@description('The fewest workers. One, for it also sweeps: without any, a lost job waits for ever and old uploads stay.')
@minValue(1)
param workerMinReplicas int = 1

@description('The most workers.')
@minValue(1)
@maxValue(300)
param workerMaxReplicas int = 4

@description('More settings of docs/configuration.md for both apps, like PROXY_OUTPUT_LINKS=redirect;PROXY_LOG_LEVEL=warning')
param settings string = ''

@description('The addresses that the ingress talks from, for PROXY_TRUSTED_PROXIES. Empty: what Container Apps keeps for itself, and the subnet.')
param trustedProxies string = ''

@description('Addresses or networks of clients, with commas between them, that may open the storage accounts and so the signed links. Empty: any may, and only who has a token or a signed link gets anything.')
param clientNetworks string = ''

@description('The address space of the virtual network. The environment\'s subnet takes its first /23.')
param addressPrefix string = '10.40.0.0/16'

@description('A name of your own for the proxy, like spatial.example.com. Empty: only the name that Azure gives.')
param customDomain string = ''

@description('The certificate for that name, as it is called in the Key Vault that this makes. Required with customDomain.')
param certificateName string = ''

@description('A name that programs have built in, like spatial.virtualearth.net, to be told in the virtual network only. See modules/old-name.bicep for what it takes beside that. Empty: none.')
param oldHostName string = ''

@description('The private address that answers to the old name. Required with oldHostName.')
param oldHostAddress string = ''

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logDays int = 30

@description('Days that deleted blobs and containers can be brought back.')
@minValue(1)
@maxValue(365)
param softDeleteDays int = 7

@description('The kind of container registry. Premium is needed for its own network rules only.')
@allowed(['Basic', 'Standard', 'Premium'])
param registrySku string = 'Basic'

var tags = { 'azd-env-name': environmentName }
var token = toLower(uniqueString(subscription().id, environmentName, location))
var accountNames = map(split(accounts, ','), name => trim(name))
var networks = map(filter(split(clientNetworks, ','), text => !empty(trim(text))), text => trim(text))
var extraSettings = map(filter(split(settings, ';'), text => !empty(trim(text))), text => {
  name: trim(split(text, '=')[0])
  value: join(skip(split(text, '='), 1), '=')
})
var proxyName = 'proxy-${token}'

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identities 'modules/identities.bicep' = {
  name: 'identities'
  scope: group
  params: { token: token, location: location, tags: tags }
}

module logs 'modules/logs.bicep' = {
  name: 'logs'
  scope: group
  params: { token: token, location: location, tags: tags, days: logDays }
}

module network 'modules/network.bicep' = {
  name: 'network'
  scope: group
  params: { token: token, location: location, tags: tags, addressPrefix: addressPrefix }
}

module registry 'modules/registry.bicep' = {
  name: 'registry'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    sku: registrySku
    proxyPrincipalId: identities.outputs.proxy.principalId
    workerPrincipalId: identities.outputs.worker.principalId
  }
}

module storage 'modules/storage.bicep' = [
  for name in accountNames: {
    name: 'storage-${name}'
    scope: group
    params: {
      account: name
      location: location
      tags: tags
      zoneRedundant: zoneRedundant
      softDeleteDays: softDeleteDays
      clientNetworks: networks
      pagesMayRead: empty(filter(extraSettings, each => (each.name == 'PROXY_CORS_ORIGINS' && empty(trim(each.value)))))
      subnetId: network.outputs.subnetId
      workspaceId: logs.outputs.workspaceId
    }
  }
]

module storageRoles 'modules/storage-roles.bicep' = [
  for (name, index) in accountNames: {
    name: 'storage-roles-${name}'
    scope: group
    params: {
      storageName: storage[index].outputs.storageName
      queueName: storage[index].outputs.queueName
      acceptWrites: acceptWrites
      proxyPrincipalId: identities.outputs.proxy.principalId
      workerPrincipalId: identities.outputs.worker.principalId
    }
  }
]

module vault 'modules/vault.bicep' = {
  name: 'vault'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    keyringExists: keyringExists
    accounts: [for (name, index) in accountNames: { name: name, storageName: storage[index].outputs.storageName }]
    certificateName: certificateName
    proxyPrincipalId: identities.outputs.proxy.principalId
    workerPrincipalId: identities.outputs.worker.principalId
    environmentPrincipalId: identities.outputs.environment.principalId
    workspaceId: logs.outputs.workspaceId
  }
}

module environment 'modules/environment.bicep' = {
  name: 'environment'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    zoneRedundant: zoneRedundant
    subnetId: network.outputs.subnetId
    identityId: identities.outputs.environment.id
    certificateUrl: vault.outputs.certificateUrl
    workspaceId: logs.outputs.workspaceId
  }
}

module proxy 'modules/proxy.bicep' = {
  name: 'proxy'
  scope: group
  // A first answer needs the roles; without them the app starts all the same, and is not ready until they are known.
  dependsOn: [storageRoles]
  params: {
    name: proxyName
    location: location
    tags: tags
    environmentId: environment.outputs.id
    identity: identities.outputs.proxy
    registry: registry.outputs.loginServer
    image: proxyImage
    keyringUrl: vault.outputs.keyringUrl
    publicUrl: 'https://${empty(customDomain) ? '${proxyName}.${environment.outputs.defaultDomain}' : customDomain}'
    // 100.64.0.0/10 is where Container Apps' own ingress lives; nothing outside can send from there.
    trustedProxies: empty(trustedProxies) ? '100.64.0.0/10,${network.outputs.subnetPrefix}' : trustedProxies
    extraSettings: extraSettings
    minReplicas: proxyMinReplicas
    maxReplicas: proxyMaxReplicas
    customDomain: customDomain
    certificateId: environment.outputs.certificateId
  }
}

module worker 'modules/worker.bicep' = {
  name: 'worker'
  scope: group
  dependsOn: [storageRoles]
  params: {
    name: 'worker-${token}'
    location: location
    tags: tags
    environmentId: environment.outputs.id
    identity: identities.outputs.worker
    registry: registry.outputs.loginServer
    image: workerImage
    keyringUrl: vault.outputs.keyringUrl
    extraSettings: extraSettings
    queues: [
      for (name, index) in accountNames: {
        account: name
        storageName: storage[index].outputs.storageName
        queueName: storage[index].outputs.queueName
      }
    ]
    enabled: acceptWrites
    minReplicas: workerMinReplicas
    maxReplicas: workerMaxReplicas
  }
}

module oldName 'modules/old-name.bicep' = if (!empty(oldHostName)) {
  name: 'oldName'
  scope: group
  params: { hostName: oldHostName, address: oldHostAddress, networkId: network.outputs.networkId, tags: tags }
}

// azd keeps outputs as variables of its environment. None of them is a secret.

@description('Where azd pushes images.')
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = registry.outputs.loginServer

@description('The resource group of everything.')
output AZURE_RESOURCE_GROUP string = group.name

@description('The vault of the key ring.')
output AZURE_KEY_VAULT_NAME string = vault.outputs.vaultName

@description('The name of the key ring\'s secret in it.')
output PROXY_KEYRING_SECRET string = vault.outputs.keyringName

@description('From now on deployments leave the key ring alone.')
output PROXY_KEYRING_EXISTS bool = true

@description('What the proxy runs. azd writes it where it has pushed; from here azd env refresh brings it to other machines, and azd down forgets it.')
output SERVICE_PROXY_IMAGE_NAME string = proxyImage

@description('What the worker runs, told for the same reason.')
output SERVICE_WORKER_IMAGE_NAME string = workerImage

@description('The base URL for your programs.')
output PROXY_PUBLIC_URL string = proxy.outputs.publicUrl

@description('The name that Azure gives: what a CNAME record of your own name points at.')
output PROXY_HOST_NAME string = proxy.outputs.hostName

@description('What a TXT record asuid.<your name> must say before customDomain is set.')
output PROXY_DOMAIN_VERIFICATION string = proxy.outputs.domainVerification

@description('The address of the environment\'s ingress.')
output PROXY_INGRESS_ADDRESS string = environment.outputs.staticIp

@description('Each account of the key ring with its storage account.')
output PROXY_STORAGE_ACCOUNTS array = [
  for (name, index) in accountNames: { account: name, storage: storage[index].outputs.storageName }
]
