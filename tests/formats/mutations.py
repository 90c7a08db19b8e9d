"""Damage to documents, repeatable by its seed: what a broken disk, a bad tool or an attacker would do."""

import io
import random
import zipfile

_HOSTILE = (
    b"<", b">", b"&", b'"', b"'", b"]]>", b"<!--", b"<![CDATA[", b"<?x", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&#0;", b"&#xD800;", b"{", b"[", b"\\u", b"-->", b"\n\n", b"*a", b"&a ",
    "\U000f0000".encode(), "\U000f4000".encode(), b"\x1e", "\ufffe".encode(), b"<w:p>", b"</w:p>", b"<a:p/>",
)  # fmt: skip


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return the document with some damage; of an archive mostly inside one of its parts."""
    if data.startswith(b"PK") and chance.random() < 0.8:
        return _inside(data, chance)
    return _damaged(data, chance)


def _inside(data: bytes, chance: random.Random) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(output, "w") as target:
        infos = [info for info in source.infolist() if not info.is_dir()]
        chosen = chance.choice(infos)
        for info in infos:
            content = source.read(info)
            target.writestr(info, _damaged(content, chance) if info is chosen else content)
    return output.getvalue()


def _damaged(data: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randint(0, len(data)), chance.randint(1, 40)
        match chance.randrange(6):
            case 0:
                data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
            case 1:
                data = data[:at] + data[at + length :]
            case 2:
                data = data[:at] + chance.choice(_HOSTILE) + data[at:]
            case 3:
                data = data[: at + length] + data[at:]
            case 4:
                data = data[:at]
            case 5:
                other = chance.randint(0, len(data))
                data = data[:at] + data[other : other + length] + data[at + length :]
    return data
