"""What operators see of a running proxy: log lines, metrics, traces."""
