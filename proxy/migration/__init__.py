"""Copies an account from the service, or from any endpoint that speaks its API, into the account's own storage."""
