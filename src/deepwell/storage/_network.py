"""Whether a path lies on a disk of another machine."""

from __future__ import annotations

import os
import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "9p", "afs", "auristorfs", "coda"),
        *("ceph", "lustre", "lustre_lite", "gpfs", "beegfs", "fhgfs", "glusterfs", "wekafs"),
        *("ocfs2", "gfs2", "pvfs2", "orangefs", "panfs", "cvfs", "acfs", "davfs"),
        # Folders of the machine around a virtual one.
        *("virtiofs", "vboxsf", "vmhgfs", "prl_fs", "drvfs"),
    }
)
_FUSE = "fuse"
_LOCAL_FUSE = frozenset(
    {
        *("fuseblk", "fuse.ntfs-3g", "fuse.ntfs", "fuse.exfat", "fuse.ext2", "fuse.zfs-fuse"),
        *("fuse.encfs", "fuse.gocryptfs", "fuse.cryfs", "fuse.ecryptfs", "fuse.veracrypt"),
        *("fuse.mergerfs", "fuse.unionfs", "fuse.fuse-overlayfs", "fuse.bindfs", "fuse.lxcfs"),
        *("fuse.apfs-fuse", "fuse.squashfuse"),
    }
)
"""Programs behind such disks that only change what a disk of the machine holds; any other one, as
those of Ceph, SSH and stores of objects, is taken for a network's."""

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
        return _is_share(real)
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    return _is_network(_kind(mounts, real))


def _is_network(kind: str) -> bool:
    """Whether machines may share a file system of this kind, as Linux calls it.

    Where that is not known, the journal that is safe on both is the one to have.
    """
    return kind in _NETWORK or (kind.startswith(_FUSE) and kind not in _LOCAL_FUSE)


def _is_share(path: str) -> bool:
    r"""Whether a full path of Windows lies on another machine.

    >>> _is_share("//server/disk/store.db"), _is_share("\\\\?\\C:\\store.db")
    (True, False)
    """
    plain = path.replace("/", "\\").upper()
    if plain.startswith(("\\\\?\\", "\\\\.\\")):
        return plain[4:].startswith("UNC\\")
    return plain.startswith("\\\\")


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
