"""The command `sources query`."""

from argparse import Namespace

from adapters.accounts import AccountRegistry
from adapters.cache_folder import default_folder
from proxy.cli.accounts import require_account, run_with_accounts
from proxy.cli.output import to_json
from proxy.operations.entity_queries import EntityQueries, EntityQuery
from proxy.settings import load_settings


def query(options: Namespace) -> int:
    """Prints the entities that a query finds, a line of JSON each. The engine runs in this process."""
    settings = load_settings()
    area = f"nearby({options.near})" if options.near else f"bbox({options.bbox})" if options.bbox else ""
    parameters = {"$filter": options.filter, "spatialfilter": area, "$select": options.select}

    async def run(accounts: AccountRegistry) -> int:
        account = accounts[require_account(accounts, options.account)]
        # The folder of this user's other processes: a version that one of them has fetched is there already.
        async with EntityQueries.open(default_folder(), settings.query_cache_mb) as queries:
            page = await queries.run(account, options.name, EntityQuery(parameters, options.top))
        for entity in page.entities:
            print(to_json(entity))
        return 0

    return run_with_accounts(settings, run)
