"""Fields that lead from an entity to another one, which a list fetches ahead for all of its entries at once."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from functools import cache
from inspect import isawaitable
from typing import Any, NamedTuple, get_origin

import strawberry
from graphql import FieldNode, FragmentSpreadNode, GraphQLResolveInfo, Undefined, value_from_ast_untyped
from strawberry.types.nodes import get_variable_values
from strawberry.utils.str_converters import to_camel_case

from schema.connections import in_turns
from schema.context import Context, Info

RELATION = "relation"


class Relation(NamedTuple):
    """The loader that gives the other entity, and the attribute that holds its id or their ids.

    Without a loader the attribute holds the others themselves. `cost` says what an entity's part of what is fetched
    costs, as fields of the answer, when that is not known before. `wanted` gives the ids for a field whose arguments
    say what it leads to. `paged` tells that it leads to pages of entities.
    """

    loader: str | None
    key: str
    cost: Callable[[Any], int] | None = None
    wanted: "Wanted | None" = None
    paged: bool = False


Wanted = Callable[[Any, Mapping[str, Any], Context], Iterable[Hashable]]
"""Gives the ids of what an entity's field leads to, by its arguments."""


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


def related_parts(  # noqa: PLR0913, PLR0917 - a relation, what there is without it, and what it costs
    loader: str, key: str, shown: Any, at_hand: str, cost: Callable[[Any], int], description: str
) -> Any:
    """Make the field that leads to a part of the entity, or to its parts: `at_hand` unless that is None, else by `key`.

    What is not there is left out; a single part may be null then.
    """
    relation = Relation(loader, key, cost)

    async def resolve(self: Any, info: Any) -> Any:
        there, ids = getattr(self, at_hand), getattr(self, key)
        info.context.spend(cost(self))
        if there is not None:
            return there
        parts = getattr(info.context.loaders, loader)
        if not parts.are_at_hand(_several(ids)):
            raw = info._raw_info  # noqa: SLF001 # as in listings
            await _fetch(raw, relation, [self], raw.field_nodes)
        return [each for each in parts.all_at_hand(ids) if each is not None] if _is_list(shown) else parts.at_hand(ids)

    resolve.__annotations__ = {"info": Info, "return": shown}
    return strawberry.field(resolve, description=description, metadata={RELATION: relation})


def _is_list(shown: Any) -> bool:
    return get_origin(shown) is list


def related_list(loader: str, key: str, shown: Any, cost: Callable[[Any], int], description: str) -> Any:
    """Make the field that leads to a list of which the loader knows by the id in `key`."""
    relation = Relation(loader, key, cost)

    async def resolve(self: Any, info: Any) -> Any:
        lists, id = getattr(info.context.loaders, loader), getattr(self, key)
        if not lists.are_at_hand((id,)):
            raw = info._raw_info  # noqa: SLF001 # as in listings
            await _fetch(raw, relation, [self], raw.field_nodes)
        return in_turns(lists.at_hand(id))

    resolve.__annotations__ = {"info": Info, "return": list[shown] | None}
    return strawberry.field(resolve, description=description, metadata={RELATION: relation})


def held(key: str, shown: Any, description: str) -> Any:
    """Make the field of an object that the entity itself holds at `key`, or of the objects in a tuple there."""

    async def resolve(self: Any, info: Any) -> Any:
        there = getattr(self, key)
        raw = info._raw_info  # noqa: SLF001 # as in listings
        objects = _several(there)
        info.context.spend(len(objects))
        await fetch_ahead(raw, objects, raw.field_nodes)
        return in_turns(objects) if _is_list(shown) else there

    resolve.__annotations__ = {"info": Info, "return": shown}
    return strawberry.field(resolve, description=description, metadata={RELATION: Relation(None, key)})


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
    if relation.cost is not None:
        info.context.spend(sum(map(relation.cost, entries)))
    held = _held(info, relation, entries, fields)
    if relation.loader is None:
        found = held
    else:
        found = await getattr(info.context.loaders, relation.loader).fetch_ahead(set(held))
    if relation.paged:
        await fetch_nodes_ahead(info, [entry for page in found for entry in page.entries], fields)
    else:
        await fetch_ahead(info, _flat(found), fields)


def _flat(found: Iterable[Any]) -> list[Any]:
    """Give entities, and those in lists of them."""
    return [entity for each in found for entity in (each if isinstance(each, list) else (each,))]


async def fetch_nodes_ahead(info: Raw, entries: Sequence[Any], fields: Iterable[FieldNode]) -> None:
    """Fetch what the fields, which are connections, select beside the entries of their pages."""
    below = selected(info, fields)
    await fetch_ahead(info, entries, [*below["nodes"], *selected(info, below["edges"])["node"]])


def _held(info: Raw, relation: Relation, entries: Sequence[Any], fields: Iterable[FieldNode]) -> list[Any]:
    """Give the ids that the entries hold, or that the arguments of the fields make of them."""
    if relation.wanted is None:
        return [each for entry in entries for each in _several(getattr(entry, relation.key))]
    given = [_arguments(info, field) for field in fields]
    return [id for entry in entries for arguments in given for id in relation.wanted(entry, arguments, info.context)]


def _arguments(info: Raw, field: FieldNode) -> dict[str, Any]:
    variables = get_variable_values(info)
    given = ((each.name.value, value_from_ast_untyped(each.value, variables)) for each in field.arguments or ())
    return {name: value for name, value in given if value is not Undefined}


def _several(held: Any) -> tuple[Any, ...]:
    if held is None:
        return ()
    return held if isinstance(held, tuple) else (held,)


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
