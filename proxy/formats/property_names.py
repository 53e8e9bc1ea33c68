"""Names and ids for formats that have none of their own: KML and shapefiles name their data as they like."""

import re
from collections.abc import Collection, Sequence

from proxy.formats.limits import LONGEST_ID, LONGEST_NAME
from proxy.formats.schema import EdmType, Property
from proxy.formats.schema_validation import LATITUDE, LONGITUDE

ENTITY_ID = Property("EntityID", EdmType.STRING)
GEOMETRY = Property("Geometry", EdmType.GEOGRAPHY)
PLACE = (Property(LATITUDE, EdmType.DOUBLE), Property(LONGITUDE, EdmType.DOUBLE))

_OTHER = re.compile(r"[^A-Za-z0-9_]")


def property_name(name: str) -> str:
    """A name that the rules allow: `Population 2010` is `Population_2010`, `2010` is `P2010`."""
    name = _OTHER.sub("_", name.strip())
    name = f"P{name}" if not name or name[0].isdigit() or name.startswith("__") else name
    return name[:LONGEST_NAME]


def property_names(names: Sequence[str], roles: Sequence[Property], taken: Sequence[Property]) -> list[str]:
    """A name that the rules allow for each of these, no two alike.

    The first one that is called as a role, letter case aside, plays it: it gets the role's name. One that would be
    like another, or like what is taken, gets a number behind it.
    """
    played = {find_role_column(names, role): role.name for role in roles}
    found = {place: name for place, name in played.items() if place is not None}
    used = {property_.name.lower() for property_ in (*roles, *taken)}
    valid = [property_name(name) for name in names]
    # What needs no change keeps its name.
    first = [place for place, name in enumerate(names) if valid[place] == name and name.lower() not in used]
    for place in dict.fromkeys([*first, *range(len(names))]):
        if place not in found:
            found[place] = _numbered(valid[place], used)
            used.add(found[place].lower())
    return [found[place] for place in range(len(names))]


def find_role_column(names: Sequence[str], role: Property) -> int | None:
    """Which one of the names is that of a role, letter case aside; of several, one that is spelled as the role is."""
    alike = [place for place, name in enumerate(names) if name.strip().lower() == role.name.lower()]
    return min(alike, key=lambda place: names[place].strip() != role.name, default=None)


def _numbered(name: str, used: Collection[str]) -> str:
    number, unused = 1, name
    while unused.lower() in used:
        number += 1
        unused = f"{name[: LONGEST_NAME - len(f'_{number}')]}_{number}"
    return unused


class UniqueIds:
    """Gives each entity an id that no other one has.

    `given` are the ids that the file gives, so that no id made up here is like one of them.
    """

    def __init__(self, given: Collection[str]) -> None:
        self._given, self._used = given, set[str]()
        self._last: dict[str, int] = {}
        self._said = False

    def take(self, own: str | None, number: int) -> tuple[str, str | None]:
        """The id for an entity: its own one, or its number in the file.

        Returns:
            The id, and why it is not the entity's own. That there is none is said once.
        """
        if not own:
            why = (
                None if self._said else "this one, and maybe others, has no id of its own, so that its number is its id"
            )
            self._said = True
            return self._unused(str(number)), why
        if len(own) > LONGEST_ID:
            return self._behind(own), f"its own id is longer than {LONGEST_ID} characters: {own[:LONGEST_ID]}..."
        if own in self._used:
            return self._behind(own), f"another one before it has the id {own} too"
        self._used.add(own)
        return own, None

    def _unused(self, wanted: str) -> str:
        if wanted in self._given or wanted in self._used:
            return self._behind(wanted)
        self._used.add(wanted)
        return wanted

    def _behind(self, wanted: str) -> str:
        """The id with a number behind it. The search goes on where the last one for such an id ended."""
        start = wanted[: LONGEST_ID - 10]
        number = self._last.get(start, 1)
        while True:
            number += 1
            made = f"{wanted[: LONGEST_ID - len(f'_{number}')]}_{number}"
            if made not in self._given and made not in self._used:
                self._last[start] = number
                self._used.add(made)
                return made
