"""What a migration decides, without a network."""
