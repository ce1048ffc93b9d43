"""What a learner without a browser sends to Streamlit."""

from __future__ import annotations

from streamlit.proto.BackMsg_pb2 import BackMsg


def rerun_of(url: str, path: str, query: str, page: str, fragment: str = "") -> BackMsg:
    """Run the page again, or a fragment of it; `page` is its hash, empty until the server has told it."""
    message = BackMsg()
    asked = message.rerun_script
    asked.query_string, asked.page_script_hash = query, page
    asked.page_name = "" if page else path
    asked.fragment_id = fragment
    asked.context_info.timezone, asked.context_info.locale = "UTC", "en"
    asked.context_info.url = f"{url}/{path}?{query}"
    return message


def press(message: BackMsg, button: str) -> None:
    """With this button pressed."""
    widget = message.rerun_script.widget_states.widgets.add()
    widget.id, widget.trigger_value = button, True
