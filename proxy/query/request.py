"""A request as it can be judged without a schema: the path's last segment and the parameters (query-api.md, 1)."""

from collections.abc import Mapping
from dataclasses import dataclass

from proxy.query.area_parser import parse_area
from proxy.query.areas import Area
from proxy.query.errors import QueryError, quote_value
from proxy.query.filter_binding import bind_filter
from proxy.query.filter_parser import parse_filter
from proxy.query.filter_syntax import Expression
from proxy.query.names_binding import bind_order, bind_select
from proxy.query.names_parser import OrderItem, SelectItem, parse_order, parse_select
from proxy.query.query import Query
from proxy.query.response_form import ResponseForm, parse_response_form
from proxy.query.schema import Schema

DEFAULT_TOP, MAX_TOP = 25, 250
_MAX_DIGITS = 18
_FLAGS = {"": False, "0": False, "false": False, "1": True, "true": True}
_COUNTS = {"": False, "none": False, "allpages": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request before its names are looked up.

    `entity_id` asks for one entity; all that only a list has is then ignored.
    """

    entity_type: str
    entity_id: str | None
    form: ResponseForm
    is_staging: bool
    select: tuple[SelectItem, ...]
    area: Area | None = None
    filter: Expression | None = None
    order: tuple[OrderItem, ...] = ()
    top: int = DEFAULT_TOP
    skip: int = 0
    is_counted: bool = False

    def bind(self, schema: Schema) -> Query:
        """The query of entities of this schema, which is that of the request's entity type.

        Raises:
            QueryError: a name or a literal does not fit the schema.
        """
        return Query(
            entity_id=self.entity_id,
            area=self.area,
            condition=None if self.filter is None else bind_filter(self.filter, schema),
            members=bind_select(self.select, schema, self.area),
            order=bind_order(self.order, schema, self.area),
            top=self.top,
            skip=self.skip,
            is_counted=self.is_counted,
        )


def parse_request(segment: str, parameters: Mapping[str, str]) -> Request:
    """Parses a request. An empty value is an absent one.

    It may take up to a second where a shape crosses itself, so call it outside of the event loop.

    Args:
        segment: the path's last segment, decoded: `{entityType}` or `{entityType}('{id}')`.
        parameters: the first value of each parameter, decoded, by its name in lower case.

    Raises:
        QueryError: a parameter is malformed.
    """
    given = {name: value for name, value in parameters.items() if value}
    entity_type, entity_id = split_segment(segment)
    form = parse_response_form(given)
    is_staging = _parse_word(given, "isStaging", _FLAGS)
    select = parse_select(given.get("$select", ""))
    if entity_id is not None:
        return Request(entity_type=entity_type, entity_id=entity_id, form=form, is_staging=is_staging, select=select)
    return Request(
        entity_type=entity_type,
        entity_id=None,
        form=form,
        is_staging=is_staging,
        select=select,
        area=parse_area(given),
        filter=parse_filter(given["$filter"]) if given.get("$filter", "").strip() else None,
        order=parse_order(given.get("$orderby", "")),
        top=min(_parse_number(given, "$top", DEFAULT_TOP) or MAX_TOP, MAX_TOP),
        skip=_parse_number(given, "$skip", 0),
        is_counted=_parse_word(given, "$inlinecount", _COUNTS),
    )


def split_segment(segment: str) -> tuple[str, str | None]:
    """The entity type and the id of a path's last segment; the id is None where there are no parentheses.

    The id is what stands between the first `(` and the last `)`, less one quote at each end; a doubled quote is one.
    """
    entity_type, opened, rest = segment.partition("(")
    entity_id, closed, after = rest.rpartition(")")
    if not opened or not closed or after.strip():
        return segment, None
    return entity_type, entity_id.removeprefix("'").removesuffix("'").replace("''", "'")


def _parse_word(parameters: Mapping[str, str], name: str, words: Mapping[str, bool]) -> bool:
    text = parameters.get(name.lower(), "")
    found = words.get(text.strip().lower())
    if found is None:
        allowed = ", ".join(filter(None, words))
        raise QueryError(f"The parameter {name} has {quote_value(text)}. Allowed: {allowed}.")
    return found


def _parse_number(parameters: Mapping[str, str], name: str, default: int) -> int:
    """A whole number of any number of digits; those beyond 18 are as good as 18."""
    text = parameters.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit()):
        raise QueryError(
            f"The parameter {name} has {quote_value(text)}. Allowed is a whole number that is not negative."
        )
    digits = text.lstrip("0")
    return int(digits or "0") if len(digits) <= _MAX_DIGITS else 10**_MAX_DIGITS
