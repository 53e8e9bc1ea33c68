"""A reader of XML that only goes forward, as .NET's XmlReader: one node at a time, white space among them."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from xml.parsers import expat


class NodeType(Enum):
    """The kinds of node."""

    ELEMENT = "element"
    TEXT = "text"
    END_ELEMENT = "end"
    END = "end of file"


@dataclass(frozen=True)
class Node:
    """One node: an element's name and attributes in their order, or a text."""

    type: NodeType
    name: str = ""
    attributes: tuple[str, ...] = ()
    text: str = ""


class ForwardReader:
    """Stands on one node; `read` goes to the next."""

    def __init__(self, content: bytes) -> None:
        nodes: list[Node] = []
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.StartElementHandler = lambda name, found: nodes.append(
            Node(NodeType.ELEMENT, name, attributes=tuple(found[1::2]))
        )
        parser.EndElementHandler = lambda name: nodes.append(Node(NodeType.END_ELEMENT, name))
        parser.CharacterDataHandler = lambda text: nodes.append(Node(NodeType.TEXT, text=text))
        parser.Parse(content, True)  # noqa: FBT003 - expat takes it by position
        self._nodes: Iterator[Node] = iter(nodes)
        self.node = Node(NodeType.END)

    def read(self) -> bool:
        """Goes to the next node; whether there is one."""
        self.node = next(self._nodes, Node(NodeType.END))
        return self.node.type is not NodeType.END

    def read_element_content(self) -> str:
        """The text of the element it stands on. It then stands on what follows the end of that element."""
        name, text = self.node.name, ""
        while self.read() and (self.node.type, self.node.name) != (NodeType.END_ELEMENT, name):
            text += self.node.text
        self.read()
        return text
