// The resources in the group of main.bicep, and beside it: roles on storage that exists and on the certificate.

import { accountStorage, appSetting, consoleAccess, keyOperator, resourceTags, vaultCertificate } from 'types.bicep'

@description('What makes names unique.')
@minLength(13)
@maxLength(13)
param token string

@description('The region.')
param location string

@description('Tags of all resources.')
param tags resourceTags

@description('Several zones for replicas and copies of the data.')
param zoneRedundant bool

@description('The accounts of the key ring.')
param accounts accountStorage[]

@description('The storage account of the keys.')
param keyStoreName string

@description('The people, groups and programs that may make and revoke keys, and run the commands jobs and sources.')
param operators keyOperator[]

@description('Whether clients may create jobs.')
param acceptWrites bool

@description('Whether to make an Azure Maps account.')
param makesMaps bool

@description('Who signs in at the console; without it there is none.')
param consoleSignIn consoleAccess?

@description('The image of the proxy; empty before the first push.')
param proxyImage string

@description('The image of the worker; empty before the first push.')
param workerImage string

@description('The fewest replicas of the proxy.')
param proxyMinReplicas int

@description('The most replicas of the proxy.')
param proxyMaxReplicas int

@description('The fewest workers.')
param workerMinReplicas int

@description('The most workers.')
param workerMaxReplicas int

@description('More settings for both apps.')
param settings appSetting[]

@description('Where the ingress talks from; empty for what Container Apps uses.')
param trustedProxies string

@description('The networks that may open storage beside the apps; with none given, any network.')
param clientNetworks string[]

@description('The address space of the virtual network.')
param addressPrefix string

@description('A name of your own for the proxy, or empty.')
param customDomain string

@description('The certificate for that name.')
param certificate vaultCertificate?

@description('A name that programs have built in, or empty.')
param oldHostName string

@description('The private address that answers to it.')
param oldHostAddress string

@description('Days until logs are deleted.')
param logDays int

@description('Days that deleted blobs and containers can be brought back.')
param softDeleteDays int

@description('The kind of container registry.')
param registrySku string

var proxyName = 'proxy-${token}'
var no = ['0', 'f', 'false', 'n', 'no', 'off']
var queriesOff = filter(settings, each => (each.name == 'PROXY_QUERIES' && contains(no, toLower(each.value))))
var answersQueries = empty(queriesOff)
var usageOff = filter(settings, each => (each.name == 'PROXY_USAGE' && toLower(each.value) == 'off'))
var keepsUsage = empty(usageOff)
var makesConsole = consoleSignIn != null
var consoleChanges = !(consoleSignIn.?readOnly ?? true)
var consoleAccounts = makesConsole ? accounts : []
var consoleName = 'console-${token}'
// 100.64.0.0/10 is where Container Apps' own ingress lives; nothing outside can send from there.
var ingressNetworks = empty(trustedProxies) ? '100.64.0.0/10,${network.outputs.subnetPrefix}' : trustedProxies
var newStorages = filter(accounts, item => item.isMade)
var foreignStorages = filter(accounts, item => !item.isMade)

module identities 'modules/identities.bicep' = {
  name: 'identities'
  params: { token: token, location: location, tags: tags }
}

module logs 'modules/logs.bicep' = {
  name: 'logs'
  params: { token: token, location: location, tags: tags, days: logDays }
}

module network 'modules/network.bicep' = {
  name: 'network'
  params: { token: token, location: location, tags: tags, addressPrefix: addressPrefix }
}

module registry 'modules/registry.bicep' = {
  name: 'registry'
  params: {
    token: token
    location: location
    tags: tags
    sku: registrySku
    proxyPrincipalId: identities.outputs.proxy.principalId
    workerPrincipalId: identities.outputs.worker.principalId
    makesConsole: makesConsole
    consolePrincipalId: identities.outputs.console.principalId
  }
}

module keyStore 'modules/key-store.bicep' = {
  name: 'key-store'
  params: {
    name: keyStoreName
    location: location
    tags: tags
    zoneRedundant: zoneRedundant
    clientNetworks: clientNetworks
    subnetId: network.outputs.subnetId
    workspaceId: logs.outputs.workspaceId
    proxyPrincipalId: identities.outputs.proxy.principalId
    makesConsole: makesConsole
    consoleChanges: consoleChanges
    consolePrincipalId: identities.outputs.console.principalId
    operators: operators
  }
}

module storage 'modules/storage.bicep' = [
  for item in newStorages: {
    name: 'storage-${item.account}'
    params: {
      name: item.storage
      account: item.account
      queueName: item.queue
      location: location
      tags: tags
      zoneRedundant: zoneRedundant
      softDeleteDays: softDeleteDays
      clientNetworks: clientNetworks
      pagesMayRead: empty(filter(settings, each => (each.name == 'PROXY_CORS_ORIGINS' && empty(trim(each.value)))))
      subnetId: network.outputs.subnetId
      workspaceId: logs.outputs.workspaceId
    }
  }
]

// A group of yours is named as a scope only, never as a resource: so azd down leaves it alone.
// Accounts may share storage that exists, so these two loops go one by one.
@batchSize(1)
module existingStorage 'modules/existing-storage.bicep' = [
  for item in foreignStorages: {
    name: 'existing-storage-${token}-${item.account}'
    scope: resourceGroup(item.group)
    params: { name: item.storage, queueName: item.queue }
  }
]

@batchSize(1)
module storageRoles 'modules/storage-roles.bicep' = [
  for item in accounts: {
    name: 'storage-roles-${token}-${item.account}'
    scope: resourceGroup(item.group)
    dependsOn: [storage, existingStorage]
    params: {
      storageName: item.storage
      queueName: item.queue
      acceptWrites: acceptWrites
      answersQueries: answersQueries
      keepsUsage: keepsUsage
      proxyPrincipalId: identities.outputs.proxy.principalId
      workerPrincipalId: identities.outputs.worker.principalId
      operators: operators
    }
  }
]

@batchSize(1)
module consoleRoles 'modules/console-roles.bicep' = [
  for item in consoleAccounts: {
    name: 'console-roles-${token}-${item.account}'
    scope: resourceGroup(item.group)
    dependsOn: [storageRoles]
    params: {
      storageName: item.storage
      queueName: item.queue
      keepsUsage: keepsUsage
      consoleChanges: consoleChanges
      consolePrincipalId: identities.outputs.console.principalId
    }
  }
]

// Azure looks at names and scopes before it looks at conditions, and empty ones are errors.
module certificateRole 'modules/certificate-role.bicep' = if (certificate != null) {
  name: 'certificate-role-${token}'
  scope: resourceGroup(
    certificate.?subscriptionId ?? subscription().subscriptionId,
    certificate.?group ?? resourceGroup().name
  )
  params: {
    vaultName: certificate.?vault ?? 'none'
    certificateName: certificate.?name ?? 'none'
    environmentPrincipalId: identities.outputs.environment.principalId
  }
}

module maps 'modules/maps.bicep' = if (makesMaps) {
  name: 'maps'
  params: {
    token: token
    tags: tags
    acceptWrites: acceptWrites
    answersQueries: answersQueries
    proxyPrincipalId: identities.outputs.proxy.principalId
    workerPrincipalId: identities.outputs.worker.principalId
  }
}

module keyring 'modules/keyring.bicep' = {
  name: 'keyring'
  params: {
    accounts: accounts
    keyStoreName: keyStoreName
    mapsClientId: makesMaps ? maps!.outputs.clientId : ''
  }
}

module environment 'modules/environment.bicep' = {
  name: 'environment'
  dependsOn: [certificateRole]
  params: {
    token: token
    location: location
    tags: tags
    zoneRedundant: zoneRedundant
    subnetId: network.outputs.subnetId
    identityId: identities.outputs.environment.id
    certificate: certificate
    workspaceId: logs.outputs.workspaceId
  }
}

module proxy 'modules/proxy.bicep' = {
  name: 'proxy'
  // A first answer needs the roles; without them the app starts all the same, and is not ready until they are known.
  dependsOn: [keyStore, storageRoles]
  params: {
    name: proxyName
    location: location
    tags: tags
    environmentId: environment.outputs.id
    identity: identities.outputs.proxy
    registry: registry.outputs.loginServer
    image: proxyImage
    keyring: keyring.outputs.text
    publicUrl: 'https://${empty(customDomain) ? '${proxyName}.${environment.outputs.defaultDomain}' : customDomain}'
    trustedProxies: ingressNetworks
    extraSettings: settings
    answersQueries: answersQueries
    minReplicas: proxyMinReplicas
    maxReplicas: proxyMaxReplicas
    customDomain: customDomain
    certificateId: environment.outputs.certificateId
  }
}

module worker 'modules/worker.bicep' = {
  name: 'worker'
  dependsOn: [storageRoles]
  params: {
    name: 'worker-${token}'
    location: location
    tags: tags
    environmentId: environment.outputs.id
    identity: identities.outputs.worker
    registry: registry.outputs.loginServer
    image: workerImage
    keyring: keyring.outputs.text
    extraSettings: settings
    accounts: accounts
    enabled: acceptWrites
    minReplicas: workerMinReplicas
    maxReplicas: workerMaxReplicas
  }
}

// It runs the proxy's image, so azd has nothing to push for it. Before the first push there is none.
module console 'modules/console.bicep' = if (makesConsole && !empty(proxyImage)) {
  name: 'console'
  dependsOn: [keyStore, consoleRoles]
  params: {
    name: consoleName
    location: location
    tags: tags
    environmentId: environment.outputs.id
    identity: identities.outputs.console
    registry: registry.outputs.loginServer
    image: proxyImage
    keyring: keyring.outputs.text
    hostName: '${consoleName}.${environment.outputs.defaultDomain}'
    trustedProxies: ingressNetworks
    clientId: consoleSignIn.?clientId ?? ''
    principals: consoleSignIn.?principals ?? []
    readOnly: !consoleChanges
    extraSettings: settings
  }
}

module oldName 'modules/old-name.bicep' = if (!empty(oldHostName)) {
  name: 'oldName'
  params: { hostName: oldHostName, address: oldHostAddress, networkId: network.outputs.networkId, tags: tags }
}

@description('Where azd pushes images.')
output registryServer string = registry.outputs.loginServer

@description('The key ring, as JSON without a secret.')
output keyring string = keyring.outputs.text

@description('The base URL for clients.')
output publicUrl string = proxy.outputs.publicUrl

@description('The name that Azure gives.')
output hostName string = proxy.outputs.hostName

@description('What proves that a name is yours.')
output domainVerification string = proxy.outputs.domainVerification

@description('The address of the ingress.')
output ingressAddress string = environment.outputs.staticIp

@description('The console\'s name; empty without one.')
output consoleHostName string = makesConsole ? '${consoleName}.${environment.outputs.defaultDomain}' : ''

@description('The object id of the console\'s identity.')
output consolePrincipalId string = identities.outputs.console.principalId
