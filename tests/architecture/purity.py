"""What a pure module may not do (law 11): no clock, randomness, I/O, await, float or mutable state.

Imports are import-linter's business; this reads what the code says with what it imported, or with builtins.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import MappingProxyType

# An attribute called by one of these names asks the world, whatever the object is called.
IMPURE_METHODS = {
    "now": "reads the clock; `now` is an argument",
    "utcnow": "reads the clock; `now` is an argument",
    "today": "reads the clock; `now` is an argument",
    "uuid1": "is random; ids are arguments or derived from their cause (uuid5)",
    "uuid4": "is random; ids are arguments or derived from their cause (uuid5)",
    "uuid7": "is random; ids are arguments or derived from their cause (uuid5)",
    "environ": "reads the environment",
    "getenv": "reads the environment",
    "read_text": "does I/O",
    "write_text": "does I/O",
}
IMPURE_NAMES = {
    "open": "does I/O",
    "print": "does I/O",
    "input": "does I/O",
    "breakpoint": "does I/O",
    "eval": "runs text",
    "exec": "runs text",
    "__import__": "imports behind the linter's back",
    "float": "money and rates are integers and Decimals (law 10)",
}
IMPURE_MODULES = {"time", "random", "os", "secrets", "socket", "asyncio"}
# What a mutable container can do and an immutable one can not.
MUTATORS = frozenset(dir(list) + dir(dict) + dir(set)) - frozenset(
    dir(tuple) + dir(MappingProxyType) + dir(frozenset)
)
MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
MUTABLE_MAKERS = {"list", "dict", "set", "defaultdict", "deque", "Counter", "OrderedDict", "bytearray"}


def impurities(source: str) -> list[str]:
    """Each impurity of a module's text, as `line: what is wrong`; a pure module has none."""
    module = ast.parse(source)
    rules = (_says, _imports, _writes)
    nodes = (node for node in ast.walk(module) if isinstance(node, ast.stmt | ast.expr))
    found = [(node.lineno, why) for node in nodes for rule in rules for why in rule(node)]
    found += [(node.lineno, why) for node in module.body for why in _state(node)]
    return [f"{line}: {why}" for line, why in sorted(found)]


def _says(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
            yield "waits: the domain has no await"
        case ast.Constant(value=float() as value):
            yield f"{value} is a float: money and rates are integers and Decimals (law 10)"
        case ast.Name(id=name) if name in IMPURE_NAMES:
            yield f"{name} {IMPURE_NAMES[name]}"
        case ast.Attribute(attr=name) if name in IMPURE_METHODS:
            yield f".{name} {IMPURE_METHODS[name]}"
        case _:
            pass


def _imports(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (f"imports {a.name}" for a in names if a.name.partition(".")[0] in IMPURE_MODULES)
        case ast.ImportFrom(module=str(module), names=names):
            if module.partition(".")[0] in IMPURE_MODULES:
                yield f"imports from {module}"
            yield from (f"{a.name} {IMPURE_METHODS[a.name]}" for a in names if a.name in IMPURE_METHODS)
        case _:
            pass


def _writes(node: ast.AST) -> Iterator[str]:
    """A name in capitals is a table, here or in the module it comes from."""
    match node:
        case ast.Global(names=names):
            yield f"rebinds {', '.join(names)}: state is an argument"
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()) if name.isupper():
            yield f"changes {name}: a table is read, never written"
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)):
            if name.isupper() and method in MUTATORS:
                yield f"changes {name}: a table is read, never written"
        case _:
            pass


def _state(node: ast.stmt) -> Iterator[str]:
    """Mutable values at module level are tables, and tables have capital names; anything else is state."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            pass
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            pass
        case _:
            return
    made = (
        isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in MUTABLE_MAKERS
    )
    if (made or isinstance(value, MUTABLE)) and not name.isupper() and name != "__all__":
        yield f"{name} is mutable state of the module"
