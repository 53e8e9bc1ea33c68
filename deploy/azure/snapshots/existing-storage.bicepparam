// Three accounts: one with new storage, two with storage that exists in a group of its own.
using '../main.bicep'

param environmentName = 'contoso'
param location = 'westeurope'
param accounts = 'main, archive=stcontosodata@rg-data, north-west=stnorthwest@rg-data'
param principalId = '11111111-1111-1111-1111-111111111111'
