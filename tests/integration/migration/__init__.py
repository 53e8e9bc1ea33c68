"""Copying an account from a service, whose part our own server plays."""
