"""Conditions that SQLite and PostgreSQL write differently: a column is one of many texts, or fits a pattern.

All texts are one parameter: SQLAlchemy's `in_` writes a parameter for each. For the hundreds of keys of a look-up, in
each of thirty day files, that takes longer than the query itself.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Boolean, ColumnElement, Dialect, Text, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

_TO_LIKE = str.maketrans("?*", "_%")


def one_of(column: ColumnElement[str], texts: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that the column holds one of these texts."""
    return _OneOf(column, bindparam(None, sorted(texts), type_=_Texts()))


def fits(column: ColumnElement[str], pattern: str) -> ColumnElement[bool]:
    """Return the condition that the column fits a pattern of letters, digits, `?` and `*`."""
    return _Fits(column, bindparam(None, pattern, type_=_Pattern()))


class _Texts(TypeDecorator[list[str]]):
    """Several texts: an array of PostgreSQL, a JSON text of SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(Text()) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" else msgspec.json.encode(value).decode()


class _Pattern(TypeDecorator[str]):
    """A pattern as LIKE of PostgreSQL has it, and as GLOB of SQLite, which finds a beginning by the index."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        return value.translate(_TO_LIKE) if value and dialect.name == "postgresql" else value


class _Condition(FunctionElement[bool]):
    type = Boolean()

    def self_group(self, against: Any = None) -> "_Condition":  # noqa: ARG002  the interface
        # Without this, SQLAlchemy compares the condition with 1, and SQLite then uses no index.
        return self


class _OneOf(_Condition):
    inherit_cache = True


class _Fits(_Condition):
    inherit_cache = True


def _sides(element: _Condition, compiler: SQLCompiler, options: Any) -> Iterable[str]:
    """Return the column and the parameter as SQL."""
    return (compiler.process(clause, **options) for clause in element.clauses)


@compiles(_OneOf, "sqlite")
def _of_json(element: _OneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = _sides(element, compiler, options)
    return f"{column} IN (SELECT value FROM json_each({texts}))"  # noqa: S608  a column and a parameter


@compiles(_OneOf, "postgresql")
def _of_array(element: _OneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = _sides(element, compiler, options)
    return f"{column} = ANY ({texts})"


@compiles(_Fits, "sqlite")
def _by_glob(element: _Fits, compiler: SQLCompiler, **options: Any) -> str:
    column, pattern = _sides(element, compiler, options)
    return f"{column} GLOB {pattern}"


@compiles(_Fits, "postgresql")
def _by_like(element: _Fits, compiler: SQLCompiler, **options: Any) -> str:
    column, pattern = _sides(element, compiler, options)
    return f"{column} LIKE {pattern}"
