"""The operators' web console: pages over the operations that the commands use, in a process of its own."""
