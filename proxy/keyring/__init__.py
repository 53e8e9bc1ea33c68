"""The key ring: which key may do what on which account."""
