"""What is settled for the whole instance."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Any

from virtool_gql.access import Viewer, readable_settings
from virtool_gql.db.instance import Instance
from virtool_gql.db.listing import CallerViewer, Visibility, visible_changes
from virtool_gql.db.sample_names import give_keys, refuse_duplicates
from virtool_gql.db.settings_inputs import SettingsChanges, cleaned
from virtool_gql.db.updates import check_version, with_values
from virtool_gql.errors import Conflict, DuplicateValue
from virtool_gql.models.changes import Change
from virtool_gql.models.settings import SETTINGS_ID, Settings
from virtool_gql.stores.documents import Documents, modify

__all__ = ["SettingsChanges", "SettingsWrapper", "settings_of"]

logger = logging.getLogger(__name__)


async def settings_of(store: Documents) -> Settings:
    """Give the settings; defaults for what is not stored."""
    return await store.get(Settings, SETTINGS_ID) or Settings(id=SETTINGS_ID)


class SettingsWrapper:
    """The one settings document, which everybody may read and administrators change."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._store = instance.store
        # The many who change it at once in one process take turns, for the store would have them try again and again.
        self._turn = asyncio.Lock()

    async def get(self) -> Settings:
        """Give the settings; defaults for what is not stored."""
        return await settings_of(self._store)

    async def update(
        self, viewer: Viewer, changes: SettingsChanges, *, expected_version: int | None = None
    ) -> Settings:
        viewer.require_administrator()
        values = cleaned(changes)
        before = await self.get()
        if not values.get("sample_unique_names") or before.sample_unique_names:
            return await self._write(values, expected_version)
        check_version(before, expected_version, "settings")
        return await self._make_names_unique(before, values, expected_version)

    async def _make_names_unique(
        self, before: Settings, values: Mapping[str, Any], expected_version: int | None
    ) -> Settings:
        """Give all samples the keys of their names; change nothing when more than one has the same name."""
        await refuse_duplicates(self._store)
        await give_keys(self._store)
        settings = await self._write(values, expected_version)
        try:
            await give_keys(self._store)  # of those that were made or renamed meanwhile
        except Conflict:
            await self._write({name: getattr(before, name) for name in values}, None)
            raise
        return settings

    async def _write(self, values: Mapping[str, Any], expected_version: int | None) -> Settings:
        def changed(settings: Settings) -> Settings:
            check_version(settings, expected_version, "settings")
            return with_values(settings, values)

        async with self._turn:
            if await self._store.get(Settings, SETTINGS_ID) is None:
                defaults = Settings(id=SETTINGS_ID)
                first = changed(defaults)
                if first is defaults:
                    return defaults
                with suppress(DuplicateValue):
                    return (await self._store.insert(first))[0]
            return await modify(self._store, Settings, SETTINGS_ID, changed)

    async def mend_names(self) -> None:
        """Give a key to samples whose creators were killed while names were made unique."""
        if (await self.get()).sample_unique_names:
            try:
                await give_keys(self._store)
            except Conflict as error:
                logger.warning("The names of samples are not unique, although they should be. %s", error.message)

    def changes(self, caller_viewer: CallerViewer, after: str | None = None) -> AsyncGenerator[Change, None]:
        """Give the changes of the settings; end when there is no viewer."""
        visibility = Visibility(self._instance, {Settings: readable_settings})
        return visible_changes(self._instance.hub, visibility, caller_viewer, after)
