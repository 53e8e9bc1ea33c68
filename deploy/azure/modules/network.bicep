// The virtual network that the environment lives in.

import { resourceTags } from '../types.bicep'

@description('What makes names unique.')
@minLength(13)
@maxLength(13)
param token string

@description('The region.')
param location string

@description('Tags of all resources.')
param tags resourceTags

@description('The address space.')
param addressPrefix string

var subnetAddresses = cidrSubnet(addressPrefix, 23, 0)

resource network 'Microsoft.Network/virtualNetworks@2025-01-01' = {
  name: 'vnet-${token}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    // Inside the network, so that a second deployment does not take it away.
    subnets: [
      {
        name: 'environment'
        properties: {
          addressPrefix: subnetAddresses
          delegations: [
            {
              name: 'container-apps'
              properties: { serviceName: 'Microsoft.App/environments' }
            }
          ]
          // By these the storage firewall knows the apps, where clientNetworks turns it on.
          serviceEndpoints: [{ service: 'Microsoft.Storage' }]
        }
      }
    ]
  }
}

@description('The network.')
output networkId string = network.id

@description('The subnet of the environment.')
output subnetId string = network.properties.subnets[0].id

@description('The addresses of that subnet.')
output subnetPrefix string = subnetAddresses
