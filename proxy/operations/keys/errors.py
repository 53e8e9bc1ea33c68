"""Errors of operations on keys."""

from proxy.operations.errors import OperationError


class KeyStoreRefusedError(OperationError):
    """Storage knows the credential of the key store and refuses it, as it does until a new role is in force."""


class NewKeyError(OperationError):
    """A new key can't be as it was asked for.

    Args:
        member: the member of a new key that is wrong, or `key` for the key itself.
        problem: what is wrong with it.
    """

    def __init__(self, member: str, problem: str) -> None:
        super().__init__(f"{member.replace('_', ' ')}: {problem}")
        self.member, self.problem = member, problem
