"""The files of deploy/, as far as they can be judged without Azure, a cluster or a Grafana."""
