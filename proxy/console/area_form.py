"""The fields of a form that choose an area, and the `spatialFilter` that they make (query-api.md, 1.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proxy.operations.errors import OperationError
from proxy.query.area_parser import parse_area
from proxy.query.areas import Area
from proxy.query.errors import QueryError

PARAMETER = "spatialFilter"

_KINDS: Mapping[str, str] = {
    "": "everywhere",
    "nearby": "near a place",
    "bbox": "in a box",
    "intersects": "where a shape is",
    "other": "as spatialFilter says",
}
_FIELDS: Mapping[str, Sequence[tuple[str, str]]] = {
    "nearby": (("latitude", "Latitude"), ("longitude", "Longitude"), ("km", "Distance, km")),
    "bbox": (("south", "South"), ("west", "West"), ("north", "North"), ("east", "East")),
    "intersects": (("shape", "Well-known text, like POLYGON ((…))"),),
    "other": ((PARAMETER, "spatialFilter"),),
}


@dataclass(frozen=True, slots=True)
class AreaForm:
    """The fields as they were sent. `kind` is empty where there is no area."""

    kind: str
    values: Mapping[str, str]

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "AreaForm":
        """The fields among a query's parameters. `spatialFilter` alone is enough."""
        kind = given.get("area", "other" if given.get(PARAMETER) else "")
        names = [name for fields in _FIELDS.values() for name, _ in fields]
        return cls(kind if kind in _KINDS else "", {name: given.get(name, "").strip() for name in names})

    @property
    def kinds(self) -> Sequence[tuple[str, str]]:
        """The values of the field `area`, and their words."""
        return tuple(_KINDS.items())

    @property
    def fields(self) -> Sequence[tuple[str, Sequence[tuple[str, str, str]]]]:
        """The fields of each kind: name, label and value."""
        values = self.values
        return [(kind, [(name, label, values[name]) for name, label in fields]) for kind, fields in _FIELDS.items()]

    @property
    def spatial_filter(self) -> str:
        """The parameter's value; empty where there is no area."""
        if not self.kind:
            return ""
        values = [self.values[name] for name, _ in _FIELDS[self.kind]]
        if self.kind == "other":
            return values[0]
        if self.kind == "intersects":
            shape = values[0].replace("'", "''")
            return f"intersects('{shape}')"
        return f"{self.kind}({','.join(values)})"

    @property
    def parameters(self) -> Mapping[str, str]:
        """The query's parameters that make the same form."""
        return {PARAMETER: self.spatial_filter}

    def parse(self) -> Area | None:
        """The area; None where there is none.

        Raises:
            OperationError: a field is wrong.
        """
        try:
            return parse_area({PARAMETER.lower(): self.spatial_filter})
        except QueryError as error:
            raise OperationError(str(error)) from None
