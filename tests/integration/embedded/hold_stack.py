"""A client to be killed: joins the stack of a folder, says where it is, and stays until standard input ends.

Takes the keyword arguments of EmbeddedStack as JSON, with `folder`.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from zts_core.errors import ZtsError
from zts_producer.embedded import EmbeddedStack


def main() -> int:
    arguments = json.loads(sys.argv[1])
    try:
        with EmbeddedStack(Path(arguments.pop("folder")), **arguments) as address:
            os.write(1, json.dumps(asdict(address)).encode() + b"\n")
            sys.stdin.read()
    except ZtsError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
