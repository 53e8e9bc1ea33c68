"""The key ring and the key store: which key may do what on which account."""
