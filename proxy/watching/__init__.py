"""What an operator sees of the proxy: metrics, traces, and how it is with jobs, queues and keys."""
