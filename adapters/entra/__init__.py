"""Signs people in by Microsoft Entra ID: the authorization code flow with PKCE, without a secret."""
