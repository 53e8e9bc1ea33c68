// Everything that the proxy needs in Azure, in one resource group of its own. No secret is among it.
// This file has the parameters and what they mean; resources.bicep makes the resources.
targetScope = 'subscription'

import { isAccount, isAddress, isClientNetwork, isObjectId, itemsOf } from 'checks.bicep'
import { refuseAccount, refuseNetwork, refuseOperator, refusePrincipal, refuseSetting } from 'checks.bicep'
import { accountStorage } from 'types.bicep'

@description('The name of the azd environment. It is part of the resource group\'s name, and decides all others.')
@minLength(1)
@maxLength(32)
param environmentName string

@description('The region of all resources.')
@minLength(1)
param location string

@description('Spread replicas, and copies of the data, over the region\'s zones. The environment can\'t change this later. Say false in a region without zones: there the deployment fails with true.')
param zoneRedundant bool = true

@description('The accounts of the key ring, with commas between them: main, or archive=stcontosodata@rg-data for storage that exists. A name has lower-case letters, digits and single dashes, and at most 31 characters.')
@minLength(1)
param accounts string = 'main'

@description('The object id of the identity that deploys, as azd gives it. It may make and revoke keys.')
param principalId string = ''

@description('What that principal is, as azd gives it.')
@allowed(['Group', 'ServicePrincipal', 'User'])
param principalType string = 'User'

@description('Object ids of more people, groups and programs that may make and revoke keys, with commas between them.')
param operators string = ''

@description('Whether clients may create jobs. With false the proxy\'s identity may only read, and no worker runs. A role that was given before stays: take it away yourself.')
param acceptWrites bool = true

@description('Whether to make an Azure Maps account, for geocode jobs and for queries by address and route. Each item that is asked costs.')
param maps bool = false

@description('Whether to run the operators\' web console. It needs an app registration, and the people that may sign in.')
param console bool = false

@description('The client id of the console\'s app registration in Entra. Required with console.')
param consoleClientId string = ''

@description('Object ids of the people and groups that may sign in at the console, with commas between them. Required with console.')
param consolePrincipals string = ''

@description('Whether the console shows only, and may change nothing. A role that was given before stays: take it away yourself.')
param consoleReadOnly bool = false

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

@description('Addresses or networks of clients, with commas between them, that may open the storage accounts and so the signed links. Empty: any may, and only a token or a signed link opens anything.')
param clientNetworks string = ''

@description('The address space of the virtual network. The environment\'s subnet takes its first /23.')
param addressPrefix string = '10.40.0.0/16'

@description('A name of your own for the proxy, like spatial.example.com. Empty: only the name that Azure gives.')
param customDomain string = ''

@description('The resource id of the Key Vault that holds the certificate for that name. Required with customDomain.')
param certificateVaultId string = ''

@description('The certificate, as it is called in that vault. Required with customDomain.')
param certificateName string = ''

@description('A name that programs have built in, like spatial.virtualearth.net, that only the virtual network resolves. See modules/old-name.bicep for what it takes beside that. Empty: none.')
param oldHostName string = ''

@description('The private address that answers to the old name. Required with oldHostName.')
param oldHostAddress string = ''

@description('Days until logs are deleted.')
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
var groupName = 'rg-${environmentName}'
var groupId = '${subscription().id}/resourceGroups/${groupName}'
var keyStoreName = 'stkeys${token}'

// A wrong parameter ends the deployment here, before anything is made.

var accountTexts = map(split(accounts, ','), text => trim(text))
var entries = map(accountTexts, text => isAccount(split(text, '=')) ? split(text, '=') : fail(refuseAccount(text)))
var accountNames = map(entries, parts => parts[0])
var uniqueEntries = length(union(accountNames, accountNames)) == length(accountNames)
  ? entries
  : fail('PROXY_ACCOUNTS=${accounts}: an account is there twice. Each name may be there once.')
var accountStorages = map(uniqueEntries, parts => {
  account: parts[0]
  storage: length(parts) == 1 ? 'st${uniqueString(groupId, parts[0])}' : split(parts[1], '@')[0]
  queue: 'jobs-${parts[0]}'
  group: length(parts) == 1 ? groupName : split(parts[1], '@')[1]
  isMade: length(parts) == 1
})

var networkTexts = itemsOf(split(clientNetworks, ','))
var networks = map(networkTexts, text => isClientNetwork(split(text, '/')) ? text : fail(refuseNetwork(text)))

var settingTexts = itemsOf(split(settings, ';'))
var settingParts = map(settingTexts, text => indexOf(text, '=') > 0 ? split(text, '=') : fail(refuseSetting(text)))
var extraSettings = map(settingParts, parts => { name: trim(parts[0]), value: join(skip(parts, 1), '=') })

var operatorTexts = itemsOf(split(operators, ','))
var operatorIds = map(operatorTexts, text => isObjectId(text) ? toLower(text) : fail(refuseOperator(text)))
var deployerIds = map(itemsOf([principalId]), id => toLower(id))
var keyOperators = map(union(deployerIds, operatorIds), id => {
  id: id
  kind: contains(deployerIds, id) ? principalType : null
})

// Without these the console would have to let in whoever finds it.
var principalTexts = itemsOf(split(consolePrincipals, ','))
var principalIds = map(principalTexts, text => isObjectId(text) ? toLower(text) : fail(refusePrincipal(text)))
var consoleSignIn = !console
  ? null
  : isObjectId(consoleClientId) && !empty(principalIds)
      ? { clientId: toLower(consoleClientId), principals: principalIds, readOnly: consoleReadOnly }
      : fail('PROXY_CONSOLE=true, PROXY_CONSOLE_CLIENT_ID=\'${consoleClientId}\' and PROXY_CONSOLE_PRINCIPALS=\'${consolePrincipals}\': a console needs the client id of its app registration, and the object id of at least one person or group that may sign in. docs/deployment/azure.md says how to make them; without a console PROXY_CONSOLE is false.')

var ownNameTexts = itemsOf([customDomain, certificateVaultId, certificateName])
var vaultParts = split(certificateVaultId, '/')
var isVault = length(vaultParts) == 9 && contains(toLower(certificateVaultId), '/providers/microsoft.keyvault/vaults/')
var certificate = empty(ownNameTexts)
  ? null
  : length(ownNameTexts) == 3 && isVault
      ? { subscriptionId: vaultParts[2], group: vaultParts[4], vault: vaultParts[8], name: certificateName }
      : fail('PROXY_CUSTOM_DOMAIN=\'${customDomain}\', PROXY_CERTIFICATE_VAULT_ID=\'${certificateVaultId}\' and PROXY_CERTIFICATE_NAME=\'${certificateName}\': a name of your own needs all three, the vault as /subscriptions/.../resourceGroups/.../providers/Microsoft.KeyVault/vaults/...; without such a name all three are empty.')

var oldNameTexts = itemsOf([oldHostName, oldHostAddress])
var oldName = empty(oldNameTexts) || (length(oldNameTexts) == 2 && isAddress(split(oldHostAddress, '.')))
  ? oldHostName
  : fail('PROXY_OLD_HOST_NAME=\'${oldHostName}\' and PROXY_OLD_HOST_ADDRESS=\'${oldHostAddress}\': an old name needs the IPv4 address of the gateway that answers to it, like 10.40.4.4; without such a name both are empty.')

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: groupName
  location: location
  tags: tags
}

module resources 'resources.bicep' = {
  name: 'resources'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    zoneRedundant: zoneRedundant
    accounts: accountStorages
    keyStoreName: keyStoreName
    operators: keyOperators
    acceptWrites: acceptWrites
    makesMaps: maps
    consoleSignIn: consoleSignIn
    proxyImage: proxyImage
    workerImage: workerImage
    proxyMinReplicas: proxyMinReplicas
    proxyMaxReplicas: proxyMaxReplicas
    workerMinReplicas: workerMinReplicas
    workerMaxReplicas: workerMaxReplicas
    settings: extraSettings
    trustedProxies: trustedProxies
    clientNetworks: networks
    addressPrefix: addressPrefix
    customDomain: customDomain
    certificate: certificate
    oldHostName: oldName
    oldHostAddress: oldHostAddress
    logDays: logDays
    softDeleteDays: softDeleteDays
    registrySku: registrySku
  }
}

// azd keeps outputs as variables of its environment. None of them is a secret.

@description('Where azd pushes images.')
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = resources.outputs.registryServer

@description('The resource group of everything that this makes.')
output AZURE_RESOURCE_GROUP string = group.name

@description('The storage account of the keys, which bears the lock.')
output AZURE_KEY_STORE_NAME string = keyStoreName

@description('The key ring, for the commands that you run on your machine.')
output PROXY_KEYRING string = resources.outputs.keyring

@description('What the proxy runs. azd writes it where it has pushed; from here azd env refresh brings it to other machines, and azd down forgets it.')
output SERVICE_PROXY_IMAGE_NAME string = proxyImage

@description('What the worker runs, for the same reason.')
output SERVICE_WORKER_IMAGE_NAME string = workerImage

@description('The base URL for your programs.')
output PROXY_PUBLIC_URL string = resources.outputs.publicUrl

@description('The name that Azure gives: what a CNAME record of your own name points at.')
output PROXY_HOST_NAME string = resources.outputs.hostName

@description('What a TXT record asuid.<your name> must say before customDomain is set.')
output PROXY_DOMAIN_VERIFICATION string = resources.outputs.domainVerification

@description('The address of the environment\'s ingress.')
output PROXY_INGRESS_ADDRESS string = resources.outputs.ingressAddress

@description('The console\'s name; empty without one.')
output PROXY_CONSOLE_HOST_NAME string = resources.outputs.consoleHostName

@description('The object id of the console\'s identity, which its app registration trusts in place of a secret.')
output PROXY_CONSOLE_PRINCIPAL_ID string = resources.outputs.consolePrincipalId

@description('What makes that app registration trust the identity, for az ad app federated-credential create. It is no secret.')
output AZURE_CONSOLE_FEDERATION string = string({
  name: 'console'
  issuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
  subject: resources.outputs.consolePrincipalId
  audiences: ['api://AzureADTokenExchange']
})

@description('Each account of the key ring with its storage.')
output PROXY_STORAGE_ACCOUNTS accountStorage[] = accountStorages
