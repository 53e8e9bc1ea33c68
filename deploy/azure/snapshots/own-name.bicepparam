// A name and a certificate of one's own, in a vault of another group, and the old name in the virtual network.
using '../main.bicep'

param environmentName = 'contoso'
param location = 'westeurope'
param principalId = '11111111-1111-1111-1111-111111111111'
param customDomain = 'spatial.example.com'
param certificateVaultId = '/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-tls/providers/Microsoft.KeyVault/vaults/kv-contoso'
param certificateName = 'spatial'
param oldHostName = 'spatial.virtualearth.net'
param oldHostAddress = '10.40.4.4'
