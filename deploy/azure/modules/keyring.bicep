// The key ring. It holds no secret: each app and each operator asks as its own identity. So one ring serves all.
// It is a module, as Azure chooses the client id of an Azure Maps account when it makes it.

import { accountStorage } from '../types.bicep'

@description('The accounts.')
param accounts accountStorage[]

@description('The storage account of the keys.')
param keyStoreName string

@description('The client id of the Azure Maps account, or empty.')
param mapsClientId string

var suffix = environment().suffixes.storage
var maps = empty(mapsClientId) ? null : { client_id: mapsClientId, credential: 'default' }

var keyring = {
  accounts: toObject(accounts, item => item.account, item => {
    storage: { account_name: item.storage, credential: 'default', endpoint_suffix: suffix }
    maps: maps
  })
  key_store: { account_name: keyStoreName, credential: 'default', endpoint_suffix: suffix }
}

@description('The ring as JSON.')
output text string = string(keyring)
