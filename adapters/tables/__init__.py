"""Azure Tables: rows of jobs, data sources and workers, and the reads and writes of them."""
