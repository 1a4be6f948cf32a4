"""Mounts that nobody else sees and that are gone with the command that made them."""

import os
import shutil
import subprocess
import tempfile

OWN_MOUNTS = ("unshare", "--mount")
"""In front of a command: it gets a mount namespace of its own."""


def may_mount() -> bool:
    """Tell whether this machine lets us mount something in a namespace of our own."""
    if os.geteuid() != 0 or shutil.which(OWN_MOUNTS[0]) is None:
        return False
    command = [*OWN_MOUNTS, "mount", "-t", "tmpfs", "none", tempfile.gettempdir()]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
