"""Valid names and ids for KML and shapefiles, which name their data as they like."""

import re
from collections.abc import Collection, Sequence

from proxy.formats.limits import MAX_ID_LENGTH, MAX_NAME_LENGTH
from proxy.formats.schema import EdmType, Property
from proxy.formats.schema_validation import LATITUDE, LONGITUDE

ENTITY_ID = Property("EntityID", EdmType.STRING)
GEOMETRY = Property("Geometry", EdmType.GEOGRAPHY)
LOCATION = (Property(LATITUDE, EdmType.DOUBLE), Property(LONGITUDE, EdmType.DOUBLE))

_OTHER = re.compile(r"[^A-Za-z0-9_]")


def derive_property_names(names: Sequence[str], roles: Sequence[Property], taken: Sequence[Property]) -> list[str]:
    """A name that the rules allow for each of a file's names, no two alike.

    The first one that is called as a role, letter case aside, gets the role's name. One that would be like another,
    or like a taken one, gets a number at its end.
    """
    found = {at: role.name for role in roles if (at := find_role_column(names, role)) is not None}
    used = {property_.name.lower() for property_ in (*roles, *taken)}
    valid = [_make_valid(name) for name in names]
    # A name that needs no change keeps it.
    unchanged = [at for at, name in enumerate(names) if valid[at] == name and name.lower() not in used]
    for at in dict.fromkeys([*unchanged, *range(len(names))]):
        if at not in found:
            found[at] = _add_number(valid[at], used)
            used.add(found[at].lower())
    return [found[at] for at in range(len(names))]


def find_role_column(names: Sequence[str], role: Property) -> int | None:
    """The index of the name that is a role's, letter case aside; of several, of one that is spelled as the role is."""
    alike = [at for at, name in enumerate(names) if name.strip().lower() == role.name.lower()]
    return min(alike, key=lambda at: names[at].strip() != role.name, default=None)


def _make_valid(name: str) -> str:
    """A name that the rules allow: `Population 2010` is `Population_2010`, `2010` is `P2010`."""
    name = _OTHER.sub("_", name.strip())
    name = f"P{name}" if not name or name[0].isdigit() or name.startswith("__") else name
    return name[:MAX_NAME_LENGTH]


def _add_number(name: str, used: Collection[str]) -> str:
    number, unused = 1, name
    while unused.lower() in used:
        number += 1
        unused = f"{name[: MAX_NAME_LENGTH - len(f'_{number}')]}_{number}"
    return unused


class UniqueIds:
    """Assigns each entity an id that no other has.

    `given` are all ids of the file, so that no derived id is like one of them.
    """

    def __init__(self, given: Collection[str]) -> None:
        self._given, self._used = given, set[str]()
        self._last_numbers: dict[str, int] = {}
        self._has_noted_missing = False

    def assign(self, own: str | None, number: int) -> tuple[str, str | None]:
        """The id of an entity: its own, or its number in the file.

        Returns:
            The id, and the reason why it is not the entity's own. A missing id has a reason only the first time.
        """
        if not own:
            reason = "this one, and maybe others, has no id of its own, so that its number is its id"
            noted, self._has_noted_missing = self._has_noted_missing, True
            derived = str(number)
            if derived in self._given or derived in self._used:
                derived = self._add_number(derived)
            self._used.add(derived)
            return derived, None if noted else reason
        if len(own) > MAX_ID_LENGTH:
            return self._add_number(
                own
            ), f"its own id is longer than {MAX_ID_LENGTH} characters: {own[:MAX_ID_LENGTH]}..."
        if own in self._used:
            return self._add_number(own), f"another one before it has the id {own} too"
        self._used.add(own)
        return own, None

    def _add_number(self, wanted: str) -> str:
        """The id with a number at its end. The search continues where the last one for such an id ended."""
        start = wanted[: MAX_ID_LENGTH - 10]
        number = self._last_numbers.get(start, 1)
        while True:
            number += 1
            derived = f"{wanted[: MAX_ID_LENGTH - len(f'_{number}')]}_{number}"
            if derived not in self._given and derived not in self._used:
                self._last_numbers[start] = number
                self._used.add(derived)
                return derived
