"""One XML entity by the parser, whatever its form: any order, namespaces, CDATA, comments, references, wrappers."""

from array import array
from collections.abc import Callable

from proxy.formats.limits import DEEPEST_XML, LONGEST_ID
from proxy.formats.schema_validation import DeclaredSchema
from proxy.formats.xml.safe_parser import XSI_NIL, XmlParser, local

_ROOT = 1
_DEPTHS = 2 * DEEPEST_XML
_SHOWN = 50

Add = Callable[[int, tuple[bytes | None, ...], int], None]
Fail = Callable[[int, str | None, str], None]


class EntityReader:
    """Takes over a parser that stands inside the root; calls `add` or `fail` at the end of each entity.

    Elements around entities are wrappers. Whether an element is one shows when an entity begins in it, so an element of
    another name is `open` until then, and if it ends first, it is an entity that fails.
    """

    def __init__(self, parser: XmlParser, declared: DeclaredSchema, add: Add, fail: Fail) -> None:
        self._parser, self._add, self._fail = parser, add, fail
        self._name = declared.name
        self._names = [property_.name for property_ in declared.properties]
        self._places = {name.lower(): place for place, name in enumerate(self._names)}
        self._keys = [self._places.get(key.lower(), 0) for key in declared.keys]
        self._inside = _ROOT
        self._open: list[tuple[int, str]] = []
        self._other_id: str | None = None
        self._others = array("q")  # line and depth of those that ended in an open one
        self._clear()
        self._entity = 0
        parser.handle(self._start, self._end, self._text)

    @property
    def is_between(self) -> bool:
        """Whether the parser stands between two entities."""
        return 0 < self._inside == self._parser.depth

    def _clear(self) -> None:
        self._values: list[bytes | None] = [None] * len(self._names)
        self._wrong: str | None = None
        self._line = self._size = 0
        self._place: int | None = None
        self._nil = False
        self._parts: list[str] = []

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = local(name)
        if not self._entity:
            self._start_outside(name)
        elif self._parser.depth == self._entity + 1:
            self._start_value(name, attributes)
        elif self._place is not None:
            self._note(f"has elements inside of {self._names[self._place]}: {name[:_SHOWN]}")

    def _start_outside(self, name: str) -> None:
        if name != self._name:
            if not self._open:
                self._other_id = None
            self._open.append((self._parser.line, name[:_SHOWN]))
            self._parts.clear()
            return
        for line, depth in (divmod(one, _DEPTHS) for one in self._others):
            if depth <= self._parser.depth:  # what lies deeper is a part of one of the others
                self._fail(line, None, f"is no {self._name}")
        self._inside, self._entity = self._parser.depth - 1, self._parser.depth
        self._open.clear()
        del self._others[:]
        self._clear()
        self._line = self._parser.line

    def _start_value(self, name: str, attributes: dict[str, str]) -> None:
        self._place = self._places.get(name.lower())
        self._parts.clear()
        self._nil = attributes.get(XSI_NIL) in {"true", "1"}
        if self._place is None:
            self._note(f"has a property that the schema doesn't name: {name[:_SHOWN]}")
        elif self._values[self._place] is not None:
            self._note(f"has {name[:_SHOWN]} twice")

    def _text(self, text: str) -> None:
        if self._open or (self._entity and self._parser.depth > self._entity):
            self._parts.append(text)
        elif self._entity and not text.isspace():
            self._note(f"has text beside its properties: {text.strip()[:_SHOWN]}")

    def _end(self, _name: str) -> None:
        depth = self._parser.depth
        if not self._entity:
            self._end_outside(depth)
        elif depth == self._entity + 1 and self._place is not None and not self._nil:
            self._values[self._place] = value = "".join(self._parts).encode()
            self._size += len(value)
        elif depth == self._entity:
            if self._wrong is None:
                self._add(self._line, tuple(self._values), self._size)
            else:
                self._fail(self._line, self._id(), self._wrong)
            self._entity = 0
            self._parser.record_read()

    def _end_outside(self, depth: int) -> None:
        if not self._open:  # the end of a wrapper, or of the root
            self._inside = depth - 1
            self._parser.record_read()
            return
        line, name = self._open.pop()
        if self._open:
            self._others.append(line * _DEPTHS + depth)
            if name.lower() == self._names[self._keys[0]].lower():
                self._other_id = "".join(self._parts)[:LONGEST_ID]
            return
        self._fail(line, self._other_id, f"is no {self._name} but {name}")
        del self._others[:]
        self._parser.record_read()

    def _note(self, reason: str) -> None:
        self._wrong = self._wrong or reason

    def _id(self) -> str | None:
        value = self._values[self._keys[0]]
        return value[: 4 * LONGEST_ID].decode("utf-8", "ignore").strip()[:LONGEST_ID] if value is not None else None
