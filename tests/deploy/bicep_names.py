"""What a Bicep compiler finds first: bad syntax, names that nobody declares or uses, modules called wrongly."""

from collections.abc import Iterator

from tree_sitter import Node

from tests.deploy.bicep_file import BicepFile, Declaration, members, text_of, walk

# Functions that the files may call, with the fewest and the most arguments.
FUNCTIONS = {
    "cidrSubnet": (3, 3),
    "concat": (1, 99),
    "contains": (2, 2),
    "empty": (1, 1),
    "environment": (0, 0),
    "filter": (2, 2),
    "guid": (1, 99),
    "join": (2, 2),
    "json": (1, 1),
    "loadJsonContent": (1, 3),
    "map": (2, 2),
    "resourceGroup": (0, 2),
    "skip": (2, 2),
    "split": (2, 2),
    "string": (1, 1),
    "subscription": (0, 1),
    "subscriptionResourceId": (2, 99),
    "tenant": (0, 0),
    "toLower": (1, 1),
    "toObject": (2, 3),
    "trim": (1, 1),
    "union": (2, 99),
    "uniqueString": (1, 99),
}
DECORATORS = {"allowed", "description", "maxLength", "maxValue", "minLength", "minValue", "secure"}


def syntax(file: BicepFile) -> list[str]:
    """Where the text is no Bicep."""
    broken = [node for node in walk(file.root) if node.is_error or node.is_missing]
    return [_at(file, node, f"no Bicep: {text_of(node)[:40]!r}") for node in broken]


def names(file: BicepFile) -> list[str]:
    """Names that are declared twice, not at all, or for nothing; functions and decorators that are not known."""
    declared: dict[str, Declaration] = {}
    found = []
    for each in file.declarations:
        if each.kind != "output":
            found += [_at(file, each.node, f"{each.name} is declared twice")] * (each.name in declared)
            declared[each.name] = each
        for decorator in each.decorators.keys() - DECORATORS:
            found.append(_at(file, each.node, f"unknown decorator {decorator}"))
    used = set()
    for each in file.declarations:
        for node in _references(each.node, frozenset()):
            name = text_of(node)
            used.add(name)
            if name not in declared:
                found.append(_at(file, node, f"{name} is not declared"))
    found += [_at(file, declared[name].node, f"{name} is not used") for name in declared if _idle(declared[name], used)]
    for node in walk(file.root):
        if node.type == "call_expression" and node.parent is not None and node.parent.type != "decorator":
            found += [_at(file, node, told) for told in _call(node)]
    return found


def _idle(each: Declaration, used: set[str]) -> bool:
    return each.kind in {"param", "var"} and each.name not in used


def _call(node: Node) -> Iterator[str]:
    name, count = text_of(node.named_children[0]), len(node.named_children[-1].named_children)
    if name not in FUNCTIONS:
        yield f"unknown function {name}"
    elif not FUNCTIONS[name][0] <= count <= FUNCTIONS[name][1]:
        yield f"{name} takes no {count} arguments"


def _references(node: Node, local: frozenset[str]) -> Iterator[Node]:
    """The identifiers that must be declared somewhere. Loops and lambdas bring names of their own."""
    if node.type == "identifier":
        if text_of(node) not in local:
            yield node
        return
    children = node.named_children
    if node.type == "object_property":
        # A plain name is a member's; a string may hold variables.
        children = children[1:] if children[0].type == "identifier" else children
    elif node.type == "lambda_expression":
        local |= {text_of(child) for child in children[:-1]}
        children = children[-1:]
    elif node.type == "for_statement":
        head = children[0]
        brought = head.named_children if head.type == "for_loop_parameters" else [head]
        yield from _references(children[1], local)
        local |= {text_of(child) for child in brought}
        children = children[2:]
    elif node.type == "call_expression":
        children = children[1:]
    elif node.type in _DECLARING:
        children = [child for child in children[1:] if child.type != "type"]
    for child in children:
        yield from _references(child, local)


_DECLARING = {
    "parameter_declaration",
    "variable_declaration",
    "resource_declaration",
    "module_declaration",
    "output_declaration",
}


def modules(file: BicepFile) -> list[str]:
    """Modules that are not there, parameters that they lack or do not have, outputs that they do not give."""
    found = []
    givers: dict[str, BicepFile] = {}
    for name, module in file.of_kind("module").items():
        path = file.path.parent / module.about
        if not path.is_file():
            found.append(_at(file, module.node, f"there is no {module.about}"))
            continue
        givers[name] = BicepFile.read(path)
        params = givers[name].of_kind("param")
        needed = {each for each, declared in params.items() if declared.given is None}
        given = {each for node in module.at("params") for each in members(node)}
        found += [
            _at(file, module.node, f"{module.about} has no parameter {each}") for each in sorted(given - set(params))
        ]
        found += [_at(file, module.node, f"{module.about} needs {each}") for each in sorted(needed - given)]
    for node in walk(file.root):
        giver, output = _output(node)
        if giver in givers and output not in givers[giver].of_kind("output"):
            found.append(_at(file, node, f"{giver} has no output {output}"))
    return found


def _output(node: Node) -> tuple[str, str]:
    """The module and the name of `module.outputs.name` and `module[index].outputs.name`."""
    if node.type == "member_expression":
        inner, name = node.named_children[0], text_of(node.named_children[-1])
        if inner.type == "member_expression" and text_of(inner.named_children[-1]) == "outputs":
            return text_of(inner.named_children[0]).partition("[")[0], name
    return "", ""


def _at(file: BicepFile, node: Node, told: str) -> str:
    return f"{file.path.name}:{node.start_point[0] + 1}: {told}"
