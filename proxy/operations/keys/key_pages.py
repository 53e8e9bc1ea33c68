"""Lists the keys of an account a page at a time, and finds some of them."""

from contextlib import aclosing
from dataclasses import dataclass

from adapters.model.key_records import FoundKey
from proxy.operations.keys.holder import KeyHolder
from proxy.operations.keys.search import parse_prefix

PAGE_KEYS = 100


@dataclass(frozen=True, slots=True)
class KeyPage:
    """Keys of an account; `next` is the digest behind which more of them are, None for no more."""

    keys: list[FoundKey]
    next: str | None = None


async def read_page(keys: KeyHolder, account: str, after: str = "", *, revoked: bool = False) -> KeyPage:
    """Reads a page in the order of digests.

    Args:
        keys: all keys.
        account: whose keys are listed.
        after: a digest; the page begins behind it.
        revoked: whether revoked keys are listed too.
    """
    page: list[FoundKey] = []
    async with aclosing(keys.iterate_account(account, after)) as all_keys:
        async for found in all_keys:
            if found.is_revoked and not revoked:
                continue
            if len(page) == PAGE_KEYS:
                return KeyPage(page, page[-1].digest)
            page.append(found)
    return KeyPage(page)


async def search_keys(keys: KeyHolder, account: str, text: str) -> KeyPage:
    """The keys of an account with this name, in any letter case, or with a digest that begins with this text.

    Revoked ones are among them. At most a page of them is returned.
    """
    prefix = parse_prefix(text)
    found = [*await keys.find_named(text), *([] if prefix is None else await keys.find(prefix))]
    own = {each.digest: each for each in found if each.record is not None and each.record.account == account}
    return KeyPage(list(own.values())[:PAGE_KEYS])
