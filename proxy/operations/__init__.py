"""What operators do: jobs shown, retried and aborted, data sources published, rolled back, deleted and queried.

Commands and the console share it; requests create their jobs by it too. It prints nothing and knows no HTTP: its
functions take an account's storage and return frozen dataclasses.
"""
