"""Whether a path lies on a disk of another machine."""

from __future__ import annotations

import os
import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "gpfs", "beegfs"),
        *("glusterfs", "ocfs2", "gfs2", "pvfs2", "orangefs", "panfs", "virtiofs", "davfs"),
        *("fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.rclone", "fuse.juicefs"),
        *("fuse.gcsfuse", "fuse.davfs2", "fuse.beegfs", "fuse.lizardfs", "fuse.moosefs"),
    }
)
_ESCAPED = re.compile(r"\\([0-7]{3})")


def on_network(path: Path) -> bool:
    """Return whether a file, or its folder where it is not there yet, lies on a network disk.

    Known on Linux, and on Windows for names that begin with two backslashes; elsewhere False.
    """
    try:
        real = os.path.realpath(path)
    except OSError:
        return False
    if os.name == "nt":
        return real.startswith(("\\\\", "//")) and not real.startswith("\\\\?\\")
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    return _kind(mounts, real) in _NETWORK


def _kind(mounts: str, path: str) -> str:
    r"""Return the kind of the file system that holds a path: of the longest mount above it.

    >>> _kind("1 0 8:1 / / rw - ext4 a rw\n2 1 0:5 / /data rw - nfs4 b rw", "/data/ann/store.db")
    'nfs4'
    """
    found, longest = "", -1
    for line in mounts.splitlines():
        place, _, source = line.partition(" - ")
        fields = place.split(" ")
        if len(fields) < 5 or not source:
            continue
        point = _ESCAPED.sub(lambda code: chr(int(code.group(1), 8)), fields[4])
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= longest:  # a later mount on the same place hides the earlier
            found, longest = source.split(" ")[0], len(point)
    return found
