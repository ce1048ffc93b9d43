"""Tells Streamlit where the scripts of a board lie.

Streamlit reads the folder of a component from the manifest of an installed package; this app runs from a
plain checkout, so we hand the same manifest to the running server ourselves. The browser then loads the
scripts once, by URL, as ordinary ES modules, and a tick does not send them again.
"""

from __future__ import annotations

from pathlib import Path

from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest


def ensure(project: str, folder: Path, *names: str) -> None:
    """Have the server know these components of a project, whose files lie in `folder`/frontend. Asked at
    every drawing: AppTest starts a new server for each test."""
    manager = get_bidi_component_manager()
    if manager.get_component_asset_root(f"{project}.{names[0]}") is None:
        parts = [ComponentConfig(name=name, asset_dir="frontend") for name in names]
        manager.register_from_manifest(ComponentManifest(project, "1", parts), folder)
