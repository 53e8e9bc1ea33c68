"""One XML entity by the parser, whatever its form: any order, namespaces, CDATA, comments, references."""

from collections.abc import Callable

from proxy.exchange.schema_rules import Declared
from proxy.exchange.xml_parser import XSI_NIL, XmlParser, local

_ENTITY, _VALUE = 2, 3

Add = Callable[[int, tuple[bytes | None, ...], int], None]
Fail = Callable[[int, str | None, str], None]


class EntityReader:
    """Takes over a parser that stands inside the root; calls `add` or `fail` at the end of each entity."""

    def __init__(self, parser: XmlParser, declared: Declared, add: Add, fail: Fail) -> None:
        self._parser, self._add, self._fail = parser, add, fail
        self._name = declared.name
        self._names = [property_.name for property_ in declared.properties]
        self._places = {name.lower(): place for place, name in enumerate(self._names)}
        self._keys = [self._places.get(key.lower(), 0) for key in declared.keys]
        self._clear()
        parser.handle(self._start, self._end, self._text)

    def _clear(self) -> None:
        self._values: list[bytes | None] = [None] * len(self._names)
        self._wrong: str | None = None
        self._line = self._size = 0
        self._place: int | None = None
        self._nil = False
        self._parts: list[str] = []

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        depth, name = self._parser.depth, local(name)
        if depth == _ENTITY:
            self._clear()
            self._line = self._parser.line
            if name != self._name:
                self._note(f"is no {self._name} but {name[:50]}")
        elif depth == _VALUE:
            self._place = self._places.get(name.lower())
            self._parts.clear()
            self._nil = attributes.get(XSI_NIL) in {"true", "1"}
            if self._place is None:
                self._note(f"has a property that the schema doesn't name: {name[:50]}")
            elif self._values[self._place] is not None:
                self._note(f"has {name} twice")
        elif self._place is not None:
            self._note(f"has elements inside of {self._names[self._place]}")

    def _text(self, text: str) -> None:
        if self._parser.depth >= _VALUE:
            self._parts.append(text)
        elif self._parser.depth == _ENTITY and not text.isspace():
            self._note("has text beside its properties")

    def _end(self, _name: str) -> None:
        depth = self._parser.depth
        if depth == _VALUE and self._place is not None and not self._nil:
            self._values[self._place] = value = "".join(self._parts).encode()
            self._size += len(value)
        elif depth == _ENTITY:
            if self._wrong is None:
                self._add(self._line, tuple(self._values), self._size)
            else:
                self._fail(self._line, self._id(), self._wrong)
            self._parser.record_read()

    def _note(self, reason: str) -> None:
        self._wrong = self._wrong or reason

    def _id(self) -> str | None:
        value = self._values[self._keys[0]]
        return value.decode() if value is not None else None
