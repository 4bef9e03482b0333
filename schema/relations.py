"""Fields that lead from an entity to another one, which a list fetches ahead for all of its entries at once."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from functools import cache
from inspect import isawaitable
from typing import Any, NamedTuple

import strawberry
from graphql import FieldNode, FragmentSpreadNode, GraphQLResolveInfo
from strawberry.utils.str_converters import to_camel_case

from schema.context import Context, Info

RELATION = "relation"


class Relation(NamedTuple):
    """The loader that gives the other entity, and the attribute that holds its id or their ids."""

    loader: str
    key: str


def related(loader: str, key: str, shown: Any, description: str) -> Any:
    """Make the field that leads to the entity whose id is in `key`; null when there is no id."""

    def resolve(self: Any, info: Any) -> Any:
        id = getattr(self, key)
        return getattr(info.context.loaders, loader).at_hand(id) if id else None

    resolve.__annotations__ = {"info": Info, "return": shown | None}
    return strawberry.field(resolve, description=description, metadata={RELATION: Relation(loader, key)})


def related_many(loader: str, key: str, shown: Any, by: str | None, description: str) -> Any:
    """Make the field that leads to the entities whose ids are in `key`: those that are there.

    They come in the order of `by`, or of their ids in `key` when that is None.
    """

    def in_order(found: Iterable[Any]) -> list[Any]:
        there = [each for each in found if each is not None]
        return sorted(there, key=lambda each: (getattr(each, by), each.id)) if by else there

    async def loaded(found: Awaitable[list[Any]]) -> list[Any]:
        return in_order(await found)

    def resolve(self: Any, info: Any) -> Any:
        info.context.spend(len(getattr(self, key)))
        found = getattr(info.context.loaders, loader).all_at_hand(getattr(self, key))
        return loaded(found) if isawaitable(found) else in_order(found)

    resolve.__annotations__ = {"info": Info, "return": list[shown] | None}
    return strawberry.field(resolve, description=description, metadata={RELATION: Relation(loader, key)})


Raw = GraphQLResolveInfo[Context]


async def fetch_ahead(info: Raw, entries: Sequence[Any], fields: Iterable[FieldNode]) -> None:
    """Fetch what the fields select beside the entries: one statement for each relation, and no task for each entry."""
    asked = selected(info, fields)
    if not asked:
        return
    relations = _relations(entries[0].__class__) if entries else {}
    wanted = [(relation, asked[name]) for name, relation in relations.items() if name in asked]
    await asyncio.gather(*(_fetch(info, relation, entries, below) for relation, below in wanted))


async def _fetch(info: Raw, relation: Relation, entries: Sequence[Any], fields: list[FieldNode]) -> None:
    held = [getattr(entry, relation.key) for entry in entries]
    ids = {id for one in held for id in (one if isinstance(one, tuple) else (one,))} - {None}
    found = await getattr(info.context.loaders, relation.loader).fetch_ahead(ids)
    await fetch_ahead(info, found, fields)


@cache
def _relations(shown: type[Any]) -> Mapping[str, Relation]:
    fields = shown.__strawberry_definition__.fields
    return {
        to_camel_case(field.python_name): field.metadata[RELATION] for field in fields if RELATION in field.metadata
    }


def selected(info: Raw, fields: Iterable[FieldNode]) -> dict[str, list[FieldNode]]:
    """Give the fields that are selected below some fields, through fragments, whatever their directives say."""
    below: defaultdict[str, list[FieldNode]] = defaultdict(list)
    stack: list[Any] = list(fields)
    spread: set[str] = set()
    while stack:
        node = stack.pop()
        for selection in node.selection_set.selections if node.selection_set else ():
            if isinstance(selection, FieldNode):
                below[selection.name.value].append(selection)
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name not in spread:  # fragments that spread fragments twice would double the work at each depth
                    spread.add(name)
                    stack.append(info.fragments[name])
            else:
                stack.append(selection)
    return below
