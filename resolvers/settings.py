"""The settings at the root of the API."""

from collections.abc import AsyncIterator
from typing import Annotated

import strawberry

from schema.arguments import AfterChange, described
from schema.changes import SettingsChange, told
from schema.context import Info
from schema.inputs import given
from schema.payloads import mutation
from schema.settings import Settings, UpdateSettingsInput, UpdateSettingsPayload


@strawberry.type
class SettingsQuery:
    """The settings."""

    @strawberry.field(description="What is settled for the whole instance. For everybody who is signed in.")
    async def settings(self, info: Info) -> Settings:
        info.context.refuse_strangers()
        return Settings.from_document(await info.context.db.settings.get())


@strawberry.type
class SettingsMutation:
    """Changing the settings."""

    @mutation("Change what is settled for the whole instance. Needs to be an administrator.")
    async def update_settings(
        self, info: Info, input: Annotated[UpdateSettingsInput, described("What to change.")]
    ) -> UpdateSettingsPayload:
        viewer, version = info.context.viewer, given(input.expected_version)
        viewer.require_administrator()
        settings = await info.context.db.settings.update(viewer, input.changes(), expected_version=version)
        return UpdateSettingsPayload(settings=Settings.from_document(settings))


@strawberry.type
class SettingsSubscription:
    """Changes of the settings."""

    @strawberry.subscription(description="Changes of the settings. For everybody who is signed in.")
    async def settings(self, info: Info, after: AfterChange = strawberry.UNSET) -> AsyncIterator[SettingsChange]:
        caller = info.context.caller
        info.context.refuse_strangers()
        return told(info.context.db.settings.changes(lambda: caller.viewer, given(after)))
