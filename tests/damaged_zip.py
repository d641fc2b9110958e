"""A zip file with damaged data."""

import zipfile


def damaged_zip(file, name, packing):
    """Write a zip file that holds ``name``, whose packed data are damaged."""
    with zipfile.ZipFile(file, "w", packing) as packed:
        packed.writestr(name, b"x" * 1000)
        begin = packed.getinfo(name).header_offset + 30 + len(name)
    content = bytearray(file.read_bytes())
    content[begin + 4 : begin + 24] = b"\xa5" * 20
    file.write_bytes(content)
