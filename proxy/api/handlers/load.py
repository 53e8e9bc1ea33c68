"""Creates a load job: from the request's parameters to the data in Blob Storage and a job in the queue."""

from adapters.model.jobs import BlobPath
from proxy.api.context import CallContext
from proxy.api.handlers.job_data import create_with_data
from proxy.keyring.keyring import DIGEST_PREFIX, hash_key
from proxy.operations.job_creation import create_job
from proxy.operations.load_creation import NewLoad, check_load, plan_load
from proxy.wire.create_response import CreatedJob, create_response
from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.parameters import LoadRequest, parse_load_request
from proxy.wire.request import ApiCall


async def create_load(_call: ApiCall, context: CallContext) -> CreatedJob:
    """Checks the request, stores its data, creates the job (Create a Load Data Source Job and Input Entity Data)."""
    request = parse_load_request(context.query)
    await _check_query_key(context)
    return await create_with_data(
        request.location,
        context,
        lambda uploads: check_load(request, context.account, context.settings, uploads),
        lambda upload: _create(request, upload, context),
    )


async def _check_query_key(context: CallContext) -> None:
    key = context.query.query_key
    if key is not None and (key == context.query.key or not await context.has_key(key)):
        raise ApiError(ErrorCode.BAD_QUERY_KEY)


async def _create(request: LoadRequest, upload: BlobPath | None, context: CallContext) -> CreatedJob:
    query_key, account = context.query.query_key, context.account
    digest = None if query_key is None else _format_digest(query_key)
    load = NewLoad(request, upload, _format_digest(context.key), digest)

    def count_uploads() -> int:
        return 0 if upload is not None else context.uploads.count(account.name)

    plan = plan_load(load, account, context.settings, count_uploads)
    record = await create_job(account, plan, context.shielded_tasks.start, upload)
    return create_response(record, context.base, context.key)


def _format_digest(key: bytes) -> str:
    return DIGEST_PREFIX + hash_key(key).hex()
