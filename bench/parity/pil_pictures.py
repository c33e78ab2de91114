"""Writes test/pictures/fixtures/pil-pictures.json: small pictures of every mode and format, and the pixels that
Pillow gives of each: Image.open(...).convert('RGB'). Needs Pillow 11.3 or newer and numpy.

    python bench/parity/pil_pictures.py
"""

import base64
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, __version__

W, H = 21, 14
y, x = np.mgrid[0:H, 0:W]
colours = np.stack([(x * 12) % 256, (y * 18) % 256, (x * y * 7) % 256], -1).astype(np.uint8)
clear = np.clip((x - 3) * 15, 0, 255).astype(np.uint8)
deep = np.stack([x * 3000, y * 4500, (x * y * 229) % 65536], -1)
inks = np.concatenate([colours, ((x * 9) % 256)[..., None].astype(np.uint8)], -1)
rgb = Image.fromarray(colours)
grey = rgb.convert("L")
rgba = Image.merge("RGBA", (*rgb.split(), Image.fromarray(clear)))
grey_alpha = Image.merge("LA", (grey, Image.fromarray(clear)))
palette = rgb.quantize(29)
cmyk = Image.fromarray(inks, "CMYK")


def swapped_profile() -> bytes:
    """sRGB with red and green exchanged: whoever applies it is seen."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {}
    for index in range(struct.unpack(">I", profile[128:132])[0]):
        name, offset, _ = struct.unpack(">4sII", profile[132 + 12 * index : 144 + 12 * index])
        tags[name] = offset
    red, green = tags[b"rXYZ"], tags[b"gXYZ"]
    kept = profile[red : red + 20]
    profile[red : red + 20] = profile[green : green + 20]
    profile[green : green + 20] = kept
    return bytes(profile)


def saved(image, kind, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png16(colour_type: int, samples, more: bytes = b"") -> bytes:
    rows = samples.astype(">u2").reshape(H, -1)
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", W, H, 16, colour_type, 0, 0, 0)
    body = chunk(b"IHDR", header) + more + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def with_marker(jpeg: bytes, transform: int | None) -> bytes:
    """The JPEG with its first marker replaced by Adobe's, or removed."""
    length = struct.unpack(">H", jpeg[4:6])[0]
    adobe = b"\xff\xee" + struct.pack(">H5sHHHB", 14, b"Adobe", 100, 0, 0, transform or 0)
    return jpeg[:2] + (b"" if transform is None else adobe) + jpeg[4 + length :]


def on_larger_screen(gif: bytes) -> bytes:
    return gif[:6] + struct.pack("<HH", W + 5, H + 3) + gif[10:]


exif = Image.Exif()
exif[0x112] = 6
profile = swapped_profile()
jpeg = saved(rgb, "JPEG", quality=85)
inked = saved(cmyk, "JPEG", quality=95)
cases = {
    "rgb.png": saved(rgb, "PNG"),
    "rgb with a profile.png": saved(rgb, "PNG", icc_profile=profile),
    "rgb with a clear colour.png": saved(rgb, "PNG", transparency=(24, 36, 28)),
    "rgba.png": saved(rgba, "PNG"),
    "grey.png": saved(grey, "PNG"),
    "grey with a clear tone.png": saved(grey, "PNG", transparency=77),
    "grey and alpha.png": saved(grey_alpha, "PNG"),
    "palette.png": saved(palette, "PNG"),
    "palette with a clear colour.png": saved(palette, "PNG", transparency=3),
    "palette with alphas.png": saved(palette, "PNG", transparency=bytes(range(0, 116, 4))),
    "one bit.png": saved(rgb.convert("1"), "PNG"),
    "rgb of 16 bits.png": png16(2, deep),
    "rgba of 16 bits.png": png16(6, np.concatenate([deep, (x * 3100)[..., None]], -1)),
    "grey of 16 bits.png": png16(0, x * 11 + y),
    "grey of 16 bits with a clear tone.png": png16(0, x * 11 + y, chunk(b"tRNS", struct.pack(">H", 11))),
    "grey and alpha of 16 bits.png": png16(4, np.stack([deep[..., 0], x * 3100], -1)),
    "4 4 4.jpg": saved(rgb, "JPEG", quality=85, subsampling=0),
    "4 2 2.jpg": saved(rgb, "JPEG", quality=85, subsampling=1),
    "4 2 0.jpg": jpeg,
    "progressive.jpg": saved(rgb, "JPEG", quality=85, progressive=True),
    "with a profile.jpg": saved(rgb, "JPEG", icc_profile=profile),
    "turned by EXIF.jpg": saved(rgb, "JPEG", exif=exif.tobytes()),
    "grey.jpg": saved(grey, "JPEG"),
    "without markers.jpg": with_marker(jpeg, None),
    "Adobe's YCC.jpg": with_marker(jpeg, 1),
    "Adobe's RGB.jpg": with_marker(saved(rgb, "JPEG", quality=85, subsampling=0), 0),
    "inks.jpg": inked,
    "inks with a profile.jpg": saved(cmyk, "JPEG", icc_profile=profile),
    "inks without Adobe's marker.jpg": with_marker(inked, None),
    "YCCK.jpg": with_marker(inked, 2),
    "palette.gif": saved(palette, "GIF"),
    "with a clear colour.gif": saved(palette, "GIF", transparency=3),
    "moving.gif": saved(palette, "GIF", save_all=True, append_images=[palette.rotate(180)]),
    "smaller than its screen.gif": on_larger_screen(saved(palette, "GIF")),
    "smaller than its screen, clear.gif": on_larger_screen(saved(palette, "GIF", transparency=3)),
    "rgb.webp": saved(rgb, "WEBP", quality=80),
    "rgba.webp": saved(rgba, "WEBP", quality=80, exact=True),
    "with a profile.webp": saved(rgb, "WEBP", lossless=True, icc_profile=profile),
    "rgba.tif": saved(rgba, "TIFF", compression="tiff_lzw"),
    "inks.tif": saved(cmyk, "TIFF", compression="tiff_lzw"),
    "grey of 16 bits.tif": saved(Image.fromarray((x * 11 + y).astype(np.uint16)), "TIFF"),
    "JPEG.tif": saved(rgb, "TIFF", compression="jpeg"),
    "grey.avif": saved(grey, "AVIF", quality=80),
}


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


entries = []
for name, data in cases.items():
    with Image.open(io.BytesIO(data)) as opened:
        pixels = opened.convert("RGB")
    entries.append(
        {"name": name, "file": text(data), "width": pixels.width, "height": pixels.height}
        | {"pixels": text(zlib.compress(pixels.tobytes(), 9))}
    )
path = Path(__file__).parents[2] / "test/pictures/fixtures/pil-pictures.json"
path.write_text(json.dumps({"pillow": __version__, "pictures": entries}, indent=1) + "\n")
