"""What is settled for the whole instance."""

from virtool_gql.models.settings import Settings
from virtool_gql.stores.documents import Documents

SETTINGS_ID = "settings"


class SettingsWrapper:
    """The one settings document, which everybody may read."""

    def __init__(self, store: Documents) -> None:
        self._store = store

    async def get(self) -> Settings:
        """Give the settings; defaults when nothing is stored."""
        return await self._store.get(Settings, SETTINGS_ID) or Settings(id=SETTINGS_ID)
