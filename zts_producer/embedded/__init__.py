"""The embedded stack: a bundled Redis and workers as child processes, for machines where nothing runs."""

from zts_producer.embedded.address import StackAddress
from zts_producer.embedded.server_binary import ServerBinary, find_server
from zts_producer.embedded.stack import EmbeddedStack, default_folder, running

__all__ = ["EmbeddedStack", "ServerBinary", "StackAddress", "default_folder", "find_server", "running"]
