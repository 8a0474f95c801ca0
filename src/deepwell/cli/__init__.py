"""The command line: one short file a command. `deepwell --help` loads none of the machinery."""

from ._main import main as main
from ._main import run as run
