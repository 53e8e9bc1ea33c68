// The shapes that the files pass to each other. With them the compiler finds a wrong member, before a deployment fails.

@export()
@description('The tags of all resources. By the first azd finds what it deploys.')
type resourceTags = {
  @description('The name of the azd environment.')
  'azd-env-name': string
}

@export()
@description('A user-assigned identity.')
type identityIds = {
  @description('Its resource id, which apps and the environment name.')
  id: string

  @description('Its object id, which role assignments name.')
  principalId: string

  @description('Its client id, by which a program asks for its tokens: AZURE_CLIENT_ID.')
  clientId: string
}

@export()
@description('A setting of the program.')
type appSetting = {
  @description('The environment variable.')
  name: string

  @description('Its value, never a secret.')
  value: string
}

@export()
@description('An account of the key ring, and where its data is.')
type accountStorage = {
  @description('The account\'s name in the key ring.')
  account: string

  @description('The storage account.')
  storage: string

  @description('The queue that the account\'s jobs wait in.')
  queue: string

  @description('The resource group of the storage account.')
  group: string

  @description('Whether this deployment makes the storage account. Else it exists already.')
  isMade: bool
}

@export()
@description('What a principal is, where that is known.')
type principalKind = 'Group' | 'ServicePrincipal' | 'User'

@export()
@description('One that may make and revoke keys.')
type keyOperator = {
  @description('The object id.')
  id: string

  @description('Without it Azure looks the principal up.')
  kind: principalKind?
}

@export()
@description('A certificate in a vault of yours.')
type vaultCertificate = {
  @description('The subscription of the vault.')
  subscriptionId: string

  @description('The resource group of the vault.')
  group: string

  @description('The vault.')
  vault: string

  @description('The certificate.')
  name: string
}

@export()
@description('Who signs in at the console, and how.')
type consoleAccess = {
  @description('The app registration\'s client id.')
  clientId: string

  @description('Object ids of the people and groups that may sign in.')
  principals: string[]

  @description('Whether it shows only.')
  readOnly: bool
}
