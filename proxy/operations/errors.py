"""The error of an operation."""


class OperationError(Exception):
    """An operation can't be done. Its text is a sentence for the operator, fit for a page and for standard error."""
