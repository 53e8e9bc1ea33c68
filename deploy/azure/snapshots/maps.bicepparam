// Two accounts that geocode, by an Azure Maps account that both use.
using '../main.bicep'

param environmentName = 'contoso'
param location = 'westeurope'
param accounts = 'main,north-west'
param maps = true
param principalId = '11111111-1111-1111-1111-111111111111'
