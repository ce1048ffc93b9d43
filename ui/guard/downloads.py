"""A file made for a download stays until its browser has had time to ask for it.

Streamlit lets go of it once the pages of any visitors were drawn twice, which in a class is sooner than that.
"""

from __future__ import annotations

import time

from streamlit.runtime import media_file_manager
from streamlit.runtime.media_file_manager import MediaFileMetadata
from streamlit.runtime.media_file_storage import MediaFileKind

STAYS = 20.0  # seconds; what is being sent is kept by its answer


class Stays(MediaFileMetadata):
    """What Streamlit notes of a file, which may be deleted only after a while."""

    def __init__(self, kind: MediaFileKind = MediaFileKind.MEDIA) -> None:
        super().__init__(kind)
        self._until = time.monotonic() + STAYS

    @property
    def is_marked_for_delete(self) -> bool:
        return super().is_marked_for_delete and time.monotonic() > self._until


def stay() -> None:
    media_file_manager.MediaFileMetadata = Stays  # type: ignore[misc]
