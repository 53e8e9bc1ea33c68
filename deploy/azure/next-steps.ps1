# After `azd up`, with the variables of its environment: prints what makes the first key and asks the first question, and
# what the console's sign-in needs where there is one.
$accounts = if ($env:PROXY_ACCOUNTS) { $env:PROXY_ACCOUNTS } else { 'main' }
$account = $accounts.Split(',')[0].Split('=')[0].Trim()
@"

The proxy is at $env:PROXY_PUBLIC_URL. To make a key and ask with it:

  `$env:PROXY_KEYRING = azd env get-value PROXY_KEYRING
  `$key = spatial-data-proxy keys add --account $account --generate --wait
  curl.exe "$env:PROXY_PUBLIC_URL/REST/v1/Dataflows/ListJobs?key=`$key"

Note the key (`$key): it is stored as a digest only, and can't be shown again.
--wait: Azure takes up to 30 minutes until your role is in force. Then a new key works within seconds.
The guide is docs/deployment/azure.md.
"@
if ($env:PROXY_CONSOLE_HOST_NAME) {
  @"

The console is at https://$env:PROXY_CONSOLE_HOST_NAME. Its app registration needs this once, before anybody can sign in:

  az ad app update --id $env:PROXY_CONSOLE_CLIENT_ID --web-redirect-uris https://$env:PROXY_CONSOLE_HOST_NAME/sign-in/callback
  azd env get-value AZURE_CONSOLE_FEDERATION > federation.json
  az ad app federated-credential create --id $env:PROXY_CONSOLE_CLIENT_ID --parameters federation.json
"@
}
