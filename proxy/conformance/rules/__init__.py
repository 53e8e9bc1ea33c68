"""The rules, a file for each part of the contract; `table` joins them."""
