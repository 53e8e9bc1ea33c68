// What `azd up` makes with nothing set but its name and its region.
using '../main.bicep'

param environmentName = 'contoso'
param location = 'westeurope'
param principalId = '11111111-1111-1111-1111-111111111111'
