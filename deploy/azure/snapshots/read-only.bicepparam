// No writes, no queries, a closed firewall, more operators (one of them twice), a console that shows only, and settings;
// deployed by a pipeline.
using '../main.bicep'

param environmentName = 'contoso'
param location = 'westeurope'
param zoneRedundant = false
param acceptWrites = false
param principalId = '11111111-1111-1111-1111-111111111111'
param principalType = 'ServicePrincipal'
param operators = '33333333-3333-3333-3333-333333333333,11111111-1111-1111-1111-111111111111'
param settings = 'PROXY_OUTPUT_LINKS=redirect;PROXY_CORS_ORIGINS=;PROXY_QUERIES=false'
param clientNetworks = '203.0.113.0/24, 198.51.100.7'
param proxyImage = 'registry.example.com/spatial-data-proxy:0.1.0'
param console = true
param consoleClientId = '44444444-4444-4444-4444-444444444444'
param consolePrincipals = '33333333-3333-3333-3333-333333333333'
param consoleReadOnly = true
