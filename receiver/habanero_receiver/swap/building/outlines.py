"""Digests of statements, by which a swap knows what changed between two versions of one.

An *outline* leaves out the bodies of functions and lambdas, docstrings and all positions. Two statements with the same
outline differ in bodies alone: nothing has to run to go from one to the other. The rule it upholds: statements with
equal outlines do the same when they run, apart from what the functions do that they leave behind.
"""

from __future__ import annotations

import ast
import hashlib

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
"""What a ``def`` is in a tree."""


def digest(node: object) -> str:
    """Of a node, or of a list of nodes and plain values: 32 hexadecimal digits."""
    parts: list[str] = []
    _outline(node, parts)
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def class_outline(node: ast.ClassDef) -> str:
    """Four digests, joined by colons: what makes it another class, its bases, its decorators, its keywords."""
    fixed = [node.name, [k for k in node.keywords if k.arg == "metaclass"], getattr(node, "type_params", [])]
    keywords = [k for k in node.keywords if k.arg != "metaclass"]
    return ":".join(map(digest, (fixed, node.bases, node.decorator_list, keywords)))


def docstring(body: list[ast.stmt]) -> tuple[str | None, list[ast.stmt]]:
    """The docstring of a module's or class's body, and the body without it."""
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        text = body[0].value.value
        if isinstance(text, str):
            return text, body[1:]
    return None, body


def _outline(node: object, parts: list[str]) -> None:
    """Writes the shape of ``node``: everything but bodies of functions and lambdas, docstrings and positions."""
    if isinstance(node, ast.AST):
        parts.append(type(node).__name__ + "(")
        for field in node._fields:
            if field in ("ctx", "type_comment", "kind") or (
                field == "body" and isinstance(node, (*FUNCTIONS, ast.Lambda))
            ):
                continue
            value = getattr(node, field, None)
            if field == "body" and isinstance(node, ast.ClassDef):
                value = docstring(node.body)[1]
            _outline(value, parts)
        parts.append(")")
    elif isinstance(node, list):
        parts.append("[")
        for item in node:
            _outline(item, parts)
        parts.append("]")
    else:
        parts.append(f"{type(node).__name__}:{node!r}")
