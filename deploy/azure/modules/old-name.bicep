// Tells the virtual network, and whoever resolves names through it, that a name built into programs is elsewhere.
//
// This is one half only. Programs that call https://spatial.virtualearth.net also want a certificate for that name, and
// the ingress of Container Apps answers to names whose ownership was proved by a public TXT record. Nobody but the
// owner of virtualearth.net can prove that, so the ingress itself can't serve the name. What can: a gateway of yours in
// the network (Application Gateway, nginx) that holds a certificate for the old name from an authority which the
// machines of your programs trust, and passes requests on to the proxy under the proxy's own name. Its private address
// is `address`. Set PROXY_PUBLIC_URL by `settings` to the old name then, so that links lead there too.
//
// The zone takes the whole name. Other names of the domain, like dev.virtualearth.net, resolve as before.

import { resourceTags } from '../types.bicep'

@description('The name.')
param hostName string

@description('The private address that answers to it.')
param address string

@description('The network that resolves it.')
param networkId string

@description('Tags of all resources.')
param tags resourceTags

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: hostName
  location: 'global'
  tags: tags
}

resource record 'Microsoft.Network/privateDnsZones/A@2024-06-01' = {
  parent: zone
  name: '@'
  properties: {
    ttl: 300
    aRecords: [{ ipv4Address: address }]
  }
}

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: zone
  name: 'network'
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: { id: networkId }
  }
}
