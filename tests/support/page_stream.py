"""A tab of the page without a browser: what its websocket brings, and what a click sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection


class PageStream:
    """The widgets that a page has drawn, by the key that our scripts give them."""

    def __init__(self, stream: ClientConnection) -> None:
        self._stream = stream
        self._script = ""
        self._query = ""
        self.widgets: dict[str, str] = {}
        """Keys and what Streamlit calls the widgets; the ids of another tab of the same page are the same."""
        self.text = ""

    def open(self, page: str = "", **query: str) -> Self:
        """Go to a page, and read it to its end."""
        self._query = "&".join(f"{name}={value}" for name, value in query.items())
        self._send(ClientState(page_name=page, query_string=self._query))
        return self.read()

    def press(self, key: str, typed: Mapping[str, str] | None = None) -> None:
        """Send the click of a button, with what stands in text fields."""
        fields = [
            WidgetState(id=self.widgets[name], string_value=text) for name, text in (typed or {}).items()
        ]
        click = WidgetState(id=self.widgets[key], trigger_value=True)
        self._send(
            ClientState(
                page_script_hash=self._script,
                query_string=self._query,
                widget_states=WidgetStates(widgets=[*fields, click]),
            )
        )

    def read(self) -> Self:
        """Read what is drawn until the script has ended, or the other side ends the connection."""
        self.text = ""
        try:
            while self._take(self._stream.recv(timeout=60, decode=False)):
                pass
        except ConnectionClosed:
            self.text += "closed"
        return self

    def _send(self, state: ClientState) -> None:
        self._stream.send(BackMsg(rerun_script=state).SerializeToString())

    def _take(self, frame: bytes | str) -> bool:
        message = ForwardMsg()
        message.ParseFromString(bytes(frame, "utf-8") if isinstance(frame, str) else frame)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._script = message.new_session.page_script_hash or self._script
        elif kind == "navigation":
            self._script = message.navigation.page_script_hash
        elif kind == "delta":
            element = message.delta.new_element
            drawn = getattr(element, element.WhichOneof("type") or "empty")
            self.text += getattr(drawn, "body", "")
            if identity := getattr(drawn, "id", ""):
                self.widgets[identity.split("-", 2)[-1]] = identity
        return kind != "script_finished"
