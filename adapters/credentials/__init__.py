"""Credentials of an account: what an operator writes, and the Azure clients made from it."""
