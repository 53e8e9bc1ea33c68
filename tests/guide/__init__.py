"""The guide followed from a clean copy of the repository, as far as one machine without a container engine can."""
