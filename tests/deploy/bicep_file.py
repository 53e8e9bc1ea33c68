"""A Bicep file as its declarations: parameters, variables, resources, modules and outputs."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

AZURE = Path(__file__).parents[2] / "deploy" / "azure"

_PARSER = Parser(Language(tree_sitter_bicep.language()))

_KINDS = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
}


def text_of(node: Node) -> str:
    """The text of a node as it stands in the file."""
    return (node.text or b"").decode()


def plain(node: Node | None) -> str | None:
    """The content of a string without interpolation; None for anything else."""
    if node is None or node.type != "string" or any(child.type == "interpolation" for child in node.named_children):
        return None
    return "".join(text_of(child) for child in node.named_children).replace("\\'", "'")


def alternatives(node: Node) -> Iterator[Node]:
    """What an expression may give: both sides of a choice, what a loop or a `map` makes, each part of a `concat`."""
    if node.type == "ternary_expression":
        for branch in node.named_children[1:]:
            yield from alternatives(branch)
    elif node.type in {"for_statement", "if_statement", "lambda_expression", "parenthesized_expression"}:
        yield from alternatives(node.named_children[-1])
    elif node.type == "call_expression" and _called(node) in {"map", "concat"}:
        arguments = node.named_children[-1].named_children
        for argument in arguments[1:] if _called(node) == "map" else arguments:
            yield from alternatives(argument)
    else:
        yield node


def members(node: Node) -> dict[str, Node]:
    """The members of an object by their names; one whose name is made of variables has its text for a name."""
    found = {}
    for member in node.named_children:
        if member.type == "object_property":
            name, value = member.named_children[0], member.named_children[-1]
            found[plain(name) or text_of(name)] = value
    return found


def within(node: Node, path: str) -> list[Node]:
    """What may stand at a path of member names, dots between them; lists are looked through."""
    here = [each for found in alternatives(node) for each in (_items(found) if found.type == "array" else [found])]
    if not path:
        return here
    name, _, rest = path.partition(".")
    objects = [each for each in here if each.type == "object"]
    return [found for each in objects if name in members(each) for found in within(members(each)[name], rest)]


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def _items(array: Node) -> list[Node]:
    return [found for item in array.named_children for found in alternatives(item)]


def _called(node: Node) -> str:
    return text_of(node.named_children[0])


@dataclass(frozen=True, eq=False)
class Declaration:
    """One declaration; `about` is a resource's type with its version, or a module's path."""

    kind: str
    name: str
    node: Node
    decorators: dict[str, list[Node]]

    @property
    def about(self) -> str:
        """A resource's type with its version, a module's path."""
        return next((plain(child) or "" for child in self.node.named_children[1:] if child.type == "string"), "")

    @property
    def type(self) -> str:
        """A resource's type."""
        return self.about.partition("@")[0]

    @property
    def is_existing(self) -> bool:
        """Whether a resource is only referred to."""
        return any(child.type == "existing" for child in self.node.children)

    @property
    def given(self) -> Node | None:
        """What stands after the equals sign."""
        return self.node.named_children[-1] if any(child.type == "=" for child in self.node.children) else None

    @property
    def body(self) -> Node:
        """A resource's or a module's object."""
        assert self.given is not None
        return next(found for found in alternatives(self.given) if found.type == "object")

    @property
    def description(self) -> str:
        """What `@description` says."""
        return next((plain(node) or "" for node in self.decorators.get("description", [])), "")

    def at(self, path: str) -> list[Node]:
        """What may stand at a path of the object."""
        return within(self.body, path)

    def texts(self, path: str) -> list[str]:
        """The same as texts: of a string its content."""
        return [plain(node) if plain(node) is not None else text_of(node) for node in self.at(path)]  # type: ignore[misc]  # not None, as just asked


class BicepFile:
    """One file, parsed."""

    def __init__(self, text: str, path: Path) -> None:
        self.path = path
        self.root = _PARSER.parse(text.encode()).root_node

    @classmethod
    def read(cls, path: Path) -> "BicepFile":
        """The file at a path."""
        return cls(path.read_text(encoding="utf-8"), path)

    @cached_property
    def declarations(self) -> list[Declaration]:
        """All declarations, in their order."""
        found, decorators = [], dict[str, list[Node]]()
        for node in self.root.named_children:
            if node.type == "decorators":
                calls = [decorator.named_children[0] for decorator in node.named_children]
                decorators = {_called(call): call.named_children[-1].named_children for call in calls}
            elif node.type in _KINDS:
                found.append(Declaration(_KINDS[node.type], text_of(node.named_children[0]), node, decorators))
                decorators = {}
        return found

    def of_kind(self, kind: str) -> dict[str, Declaration]:
        """The declarations of a kind by their names."""
        return {each.name: each for each in self.declarations if each.kind == kind}


def all_files() -> list[BicepFile]:
    """Every file of deploy/azure."""
    return [BicepFile.read(path) for path in sorted(AZURE.rglob("*.bicep"))]
