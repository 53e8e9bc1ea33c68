"""Errors of pages."""


class PageNotFoundError(Exception):
    """There is no such page, or nothing of which it could tell. The text is a sentence for the operator."""


class RequestRefusedError(Exception):
    """The request must not be served. The text is a sentence for the operator."""
