// The console, which two people and a group may sign in at; for an account on storage that exists, too.
using '../main.bicep'

param environmentName = 'contoso'
param location = 'westeurope'
param accounts = 'main,archive=stcontosodata@rg-data'
param principalId = '11111111-1111-1111-1111-111111111111'
param proxyImage = 'registry.example.com/spatial-data-proxy:0.1.0'
param console = true
param consoleClientId = '44444444-4444-4444-4444-444444444444'
param consolePrincipals = '11111111-1111-1111-1111-111111111111, 55555555-5555-5555-5555-555555555555'
