"""Property names for formats that have none of their own: KML and shapefiles name their data as they like."""

import re

from proxy.exchange.schema import EdmType, Property

ENTITY_ID = Property("EntityID", EdmType.STRING)
GEOMETRY = Property("Geometry", EdmType.GEOGRAPHY)

_OTHER = re.compile(r"[^A-Za-z0-9_]")


def property_name(name: str) -> str:
    """A name that the rules allow: `Population 2010` is `Population_2010`, `2010` is `P2010`."""
    name = _OTHER.sub("_", name.strip())
    return f"P{name}" if not name or name[0].isdigit() or name.startswith("__") else name
