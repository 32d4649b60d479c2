"""Goldens of src/image: picture files and what PIL reads from them, PIL's resizing, scikit-image's quality measures.

    pip install pillow==13.0.0 scikit-image piexif
    python tools/parity/images.py tests/parity/image

Writes read/NAME.{png,jpg,webp} with NAME.raw beside it ("width height channels\\n" and the pixels), resize.raw.gz (one
picture after the other, in the order that tests/unit/image_resize.c asks for them) and quality.txt.
"""

import gzip
import io
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import piexif
import piexif.helper
from PIL import Image, PngImagePlugin
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

RNG = np.random.default_rng(7)
PARAMETERS = "a cat, naïve\nNegative prompt: dog\nSteps: 20, Sampler: Euler"
UNICODE_PARAMETERS = "猫 🙂, a cat\nSteps: 20"


def raw(im):
    if im.mode == "1":
        im = im.convert("L")
    if im.mode not in ("L", "RGB", "RGBA"):
        im = im.convert("RGBA" if "transparency" in im.info or "A" in im.mode else "RGB")
    return f"{im.width} {im.height} {len(im.getbands())}\n".encode() + im.tobytes()


def smooth(width, height, channels):
    y, x = np.mgrid[0:height, 0:width]
    planes = [127 + 120 * np.sin(x / (2 + c) + c) * np.cos(y / (3 + c)) for c in range(channels)]
    return np.stack(planes, -1).astype(np.uint8)


def png(width, height, depth, colour, rows, interlace=0, extra=b""):
    """A PNG by hand: what PIL does not write."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def adam7(pixels):
    for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        for row in pixels[y0::dy, x0::dx]:
            if len(row):
                yield row.tobytes()


def files(out):
    a = RNG.integers(0, 256, (9, 13, 4), dtype=np.uint8)
    a[2, 3, 3], a[4, 5, 3] = 0, 255
    rgb, grey = a[..., :3].copy(), a[..., 0].copy()
    made = {}

    def save(name, im, **options):
        extension = name.rsplit(".")[-1]
        buffer = io.BytesIO()
        im.save(buffer, {"jpg": "JPEG"}.get(extension, extension.upper()), **options)
        made[name] = buffer.getvalue()

    save("rgb.png", Image.fromarray(rgb))
    save("rgba.png", Image.fromarray(a))
    save("grey.png", Image.fromarray(grey))
    save("grey-alpha.png", Image.fromarray(a[..., :2].copy(), "LA"))
    palette = Image.fromarray(rgb).quantize(11)
    save("palette.png", palette)
    save("palette-alpha.png", palette, transparency=bytes(range(0, 220, 20)))
    save("bits.png", Image.fromarray(grey > 127))
    made["interlaced.png"] = png(13, 9, 8, 2, adam7(rgb), interlace=1)
    deep = RNG.integers(0, 65536, (9, 13, 3), dtype=np.uint16)
    made["deep.png"] = png(13, 9, 16, 2, (row.astype(">u2").tobytes() for row in deep))
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", PARAMETERS)
    save("a1111.png", Image.fromarray(rgb), pnginfo=text)
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", UNICODE_PARAMETERS)
    save("a1111-unicode.png", Image.fromarray(rgb), pnginfo=text)
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", PARAMETERS, zip=True)
    text.add_itxt("cauldron", '{"seed": 7}', zip=True)
    save("zipped.png", Image.fromarray(rgb), pnginfo=text)

    picture = Image.fromarray(smooth(13, 9, 3))
    save("rgb.jpg", picture, quality=90, subsampling=0)
    save("subsampled.jpg", picture, quality=75)
    save("progressive.jpg", picture, progressive=True)
    save("grey.jpg", picture.convert("L"))
    save("cmyk.jpg", picture.convert("CMYK"))
    for orientation in range(1, 9):
        exif = piexif.dump({"0th": {piexif.ImageIFD.Orientation: orientation}})
        save(f"turned-{orientation}.jpg", picture, exif=exif, quality=95, subsampling=0)
    comment = piexif.helper.UserComment.dump(UNICODE_PARAMETERS, encoding="unicode")
    exif = piexif.dump({"Exif": {piexif.ExifIFD.UserComment: comment}})
    save("a1111.jpg", picture, exif=exif)
    save("a1111.webp", picture, exif=exif)
    save("lossless.webp", Image.fromarray(rgb), lossless=True)
    save("alpha.webp", Image.fromarray(a), lossless=True, exact=True)
    save("lossy.webp", picture, quality=80)

    (out / "read").mkdir(parents=True, exist_ok=True)
    for name, data in made.items():
        (out / "read" / name).write_bytes(data)
        im = Image.open(io.BytesIO(data))
        if name.startswith("turned"):
            from PIL import ImageOps

            im = ImageOps.exif_transpose(im)
        (out / "read" / f"{name}.raw").write_bytes(raw(im))


def resizes(out):
    data = b""
    for channels in (1, 3, 4):
        pixels = smooth(37, 23, channels)
        pixels[5:9, 7:13] = RNG.integers(0, 256, (4, 6, channels))
        im = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
        data += raw(im)
        for size in ((16, 16), (50, 31), (37, 11), (80, 23), (5, 3), (1, 1)):
            for resample in (Image.NEAREST, Image.BOX, Image.LANCZOS):
                data += raw(im.resize(size, resample))
    (out / "resize.raw.gz").write_bytes(gzip.compress(data, 9, mtime=0))


def pattern(width, height, channels, seed):
    """tests/unit/image_quality.c makes the same pictures."""
    y, x, c = np.mgrid[0:height, 0:width, 0:channels].astype(np.int64)
    return ((x * 3 + y * 5 + c * 40 + (x // 8 * y // 8) % 97 + (x * y * (seed + 3) + seed * x) % 41) % 256).astype(np.uint8)


def ms_ssim(a, b):
    products = []
    for c in range(a.shape[2]):
        p, q, product = a[..., c].astype(float), b[..., c].astype(float), 1.0
        for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
            from scipy.ndimage import gaussian_filter

            def blur(x):
                return gaussian_filter(x, 1.5, truncate=3.5)[5:-5, 5:-5]

            mp, mq = blur(p), blur(q)
            vp, vq, pq = blur(p * p) - mp * mp, blur(q * q) - mq * mq, blur(p * q) - mp * mq
            c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
            cs = (2 * pq + c2) / (vp + vq + c2)
            term = cs * (2 * mp * mq + c1) / (mp * mp + mq * mq + c1) if scale == 4 else cs
            product *= max(term.mean(), 0) ** weight
            h, w = p.shape[0] // 2 * 2, p.shape[1] // 2 * 2
            p, q = (z[:h, :w].reshape(h // 2, 2, w // 2, 2).mean((1, 3)) for z in (p, q))
        products.append(product)
    return np.mean(products)


def quality(out):
    from scipy.ndimage import laplace

    a, b = pattern(193, 180, 3, 1), pattern(193, 180, 3, 2)
    luma = a.astype(float) @ [0.299, 0.587, 0.114]
    r, g, bl = (a[..., c].astype(float) for c in range(3))
    rg, yb = r - g, (r + g) / 2 - bl
    values = {
        "psnr": peak_signal_noise_ratio(a, b, data_range=255),
        "ssim": structural_similarity(a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255,
                                      channel_axis=2),
        "ms_ssim": ms_ssim(a, b),
        "sharpness": laplace(luma)[1:-1, 1:-1].var(),
        "contrast": (luma / 255).std(),
        "colourfulness": np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()),
    }
    (out / "quality.txt").write_text("".join(f"{k} {v:.12g}\n" for k, v in values.items()))


def main(out):
    files(out)
    resizes(out)
    quality(out)


main(Path(sys.argv[1]))
