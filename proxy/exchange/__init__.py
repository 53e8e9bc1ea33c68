"""The exchange formats: what a load reads and a download writes (write-side contract). Pure and streaming."""
