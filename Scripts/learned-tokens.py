#!/usr/bin/env python3
"""Tokens of a learned encoder: how `learned-24x24.h5` and `learned-12x12.h5` in Notebooks-data are made.

    python3 -m venv venv && venv/bin/pip install torch numpy h5py pillow
    venv/bin/python Scripts/learned-tokens.py scenes --weights taef2-encoder.safetensors --output learned-24x24.h5
    venv/bin/python Scripts/learned-tokens.py scenes --weights taef2-encoder.safetensors --grid 12x12 --codes 1024 \\
        --output learned-12x12.h5

Images go through the encoder of TAEF2, a tiny auto-encoder whose latent has 32 channels and one place for every 8x8
pixels (https://github.com/madebyollin/taesd; MIT License, Copyright (c) 2023 Ollin Boer Bohan). The leading principal
components of the latents are the features of the tokens, and k-means over them makes the codebook. Sub-folders of the
image folder are classes; the images stand in the file in the order in which `tokenize --images` puts them.

The encoder takes a fifth of a second for a 192x192 image on one core, k-means of 16,384 codes 20 seconds an iteration.
The same seed gives the same tokens on the same machine, whatever the number of threads.
"""
import argparse
import json
import math
import os
import signal
import struct
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

try:
    import h5py
    import numpy as np
    import torch
    from PIL import Image, ImageOps
    from torch.nn import functional as F
except ImportError as error:
    sys.exit(f"learned-tokens.py: {error}; install torch, numpy, h5py and pillow")

LATENT_CHANNELS = 32
PIXELS_PER_TOKEN = 8


class Problem(Exception):
    """What is wrong with the input, in one sentence."""


# Weights and encoder


def read_safetensors(path):
    """The tensors of a .safetensors file of float16 or float32 numbers, as float32: {name: tensor}."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Problem(f"{path}: cannot be read: {error.strerror}")
    if len(data) < 8 or struct.unpack("<Q", data[:8])[0] > len(data) - 8:
        raise Problem(f"{path}: is not a safetensors file, or was cut short")
    end = 8 + struct.unpack("<Q", data[:8])[0]
    try:
        header = json.loads(data[8:end])
        header.pop("__metadata__", None)
        tensors = {}
        for name, entry in header.items():
            kind = {"F16": "<f2", "F32": "<f4"}.get(entry["dtype"])
            if kind is None:
                raise Problem(f"{path}: {name} holds {entry['dtype']}; F16 or F32 is expected")
            first, last = entry["data_offsets"]
            if not 0 <= first <= last <= len(data) - end:
                raise Problem(f"{path}: {name} ends behind the end of the file, which was cut short")
            values = np.frombuffer(data[end + first:end + last], kind).astype(np.float32)
            tensors[name] = torch.from_numpy(values.reshape(entry["shape"]))
        return tensors
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem(f"{path}: the header is not that of a safetensors file: {error}")


class Encoder:
    """TAEF2's encoder: RGB in [0, 1], (b, 3, 8h, 8w), becomes latents (b, 32, h, w).

    Layer 0 is a convolution and 1 a block; then, three times, a convolution of stride 2 and three blocks, the last
    three of them with a pooled branch; 14 is a convolution. All convolutions are 3x3 but those of the pooled branches.
    """

    STRIDED = (2, 6, 10)
    POOLED = (11, 12, 13)
    LAST = 14

    def __init__(self, path):
        self.tensors = read_safetensors(path)
        missing = sorted(self.shapes().keys() - self.tensors.keys())
        if missing:
            raise Problem(f"{path}: there is no tensor {missing[0]}; the encoder of TAEF2 is expected")
        strange = sorted(self.tensors.keys() - self.shapes().keys())
        if strange:
            raise Problem(f"{path}: the encoder of TAEF2 has no tensor {strange[0]}")
        for name, expected in self.shapes().items():
            found = tuple(self.tensors[name].shape)
            if found != expected:
                raise Problem(f"{path}: {name} has the shape {found}; {expected} is expected")
            if not torch.isfinite(self.tensors[name]).all():
                raise Problem(f"{path}: {name} holds a number that is not finite")

    def shapes(self):
        """The tensors that must be there, and their shapes."""
        shapes = {"0.weight": (64, 3, 3, 3), "0.bias": (64,)}
        for layer in range(1, self.LAST):
            if layer in self.STRIDED:
                shapes[f"{layer}.weight"] = (64, 64, 3, 3)
                continue
            for i in (0, 2, 4):
                shapes[f"{layer}.conv.{i}.weight"] = (64, 64, 3, 3)
                shapes[f"{layer}.conv.{i}.bias"] = (64,)
            if layer in self.POOLED:
                shapes[f"{layer}.pool.0.weight"] = (256, 64, 1, 1)
                shapes[f"{layer}.pool.1.weight"] = shapes[f"{layer}.pool.1.bias"] = (256,)
                shapes[f"{layer}.pool.3.weight"] = (64, 256, 1, 1)
        shapes[f"{self.LAST}.weight"] = (LATENT_CHANNELS, 64, 3, 3)
        shapes[f"{self.LAST}.bias"] = (LATENT_CHANNELS,)
        return shapes

    def convolve(self, name, x, stride=1):
        weight = self.tensors[name + ".weight"]
        return F.conv2d(
            x, weight, self.tensors.get(name + ".bias"), stride, padding=weight.shape[-1] // 2)

    def block(self, layer, x):
        if layer in self.POOLED:
            pool = self.convolve(f"{layer}.pool.0", x)
            pool = F.group_norm(
                pool, 4, self.tensors[f"{layer}.pool.1.weight"], self.tensors[f"{layer}.pool.1.bias"])
            x = x + self.convolve(f"{layer}.pool.3", F.relu(pool))
        y = F.relu(self.convolve(f"{layer}.conv.0", x))
        y = F.relu(self.convolve(f"{layer}.conv.2", y))
        return F.relu(self.convolve(f"{layer}.conv.4", y) + x)

    def __call__(self, x):
        x = self.convolve("0", x)
        for layer in range(1, self.LAST):
            x = self.convolve(str(layer), x, 2) if layer in self.STRIDED else self.block(layer, x)
        return self.convolve(str(self.LAST), x)


# Images


def list_images(folder):
    """The images, their labels and the names of the classes, mixed as `tokenize --images` mixes them.

    Image i of the n of a class, by name, comes at the place (i + 1/2)/n, so that the first images of the list hold
    every class in proportion.
    """
    if not folder.is_dir():
        raise Problem(f"{folder}: there is no such folder")

    def images(directory, pattern):
        found = [p for p in directory.glob(pattern) if p.suffix.lower() in (".jpg", ".jpeg", ".png")]
        visible = [p for p in found if not any(part.startswith(".") for part in p.relative_to(folder).parts)]
        return sorted(visible, key=lambda p: os.fsencode(p))

    folders = sorted((p for p in folder.iterdir() if p.is_dir()), key=lambda p: os.fsencode(p.name))
    classes = [(p.name, found) for p in folders if (found := images(p, "**/*"))]
    direct = images(folder, "*")
    if direct and classes:
        raise Problem(f"{folder}: holds images both directly and in sub-folders, which would be classes")
    if not direct and not classes:
        raise Problem(f"{folder}: holds no .jpg, .jpeg or .png images")
    if direct:
        return direct, None, []
    placed = [
        ((i + 0.5) / len(found), label, path)
        for label, (_, found) in enumerate(classes) for i, path in enumerate(found)]
    placed.sort(key=lambda entry: entry[:2])
    return [entry[2] for entry in placed], [entry[1] for entry in placed], [name for name, _ in classes]


def read_image(path, width, height):
    """An image cropped around its centre to the aspect of the grid and brought to its size: (3, height, width)."""
    try:
        with Image.open(path) as image:
            image = ImageOps.exif_transpose(image).convert("RGB")
            image = ImageOps.fit(image, (width, height), Image.Resampling.BICUBIC)
    except (OSError, ValueError, SyntaxError) as error:
        raise Problem(f"{path}: cannot be read as an image: {error}")
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 255


def encode(encoder, paths, rows, columns, threads):
    """The latents of all images: float32, (m, rows * columns, 32)."""
    latents = np.empty((len(paths), rows * columns, LATENT_CHANNELS), np.float32)

    def encode_one(i):
        image = read_image(paths[i], columns * PIXELS_PER_TOKEN, rows * PIXELS_PER_TOKEN)
        latent = encoder(image[None].contiguous(memory_format=torch.channels_last))
        latents[i] = latent[0].flatten(1).T.numpy()

    for done in in_threads(encode_one, range(len(paths)), threads):
        progress("encoding", done, len(paths))
    return latents


def in_threads(work, items, threads):
    """Does independent work on every item and yields how many are done.

    Every item has one thread to itself: that wastes no waiting, and no sum depends on the number of threads.
    """
    def alone(item):
        torch.set_num_threads(1)
        with torch.inference_mode():
            work(item)

    pool = ThreadPoolExecutor(threads)
    try:
        for done, _ in enumerate(pool.map(alone, items), 1):
            yield done
    finally:
        pool.shutdown(cancel_futures=True)


# Features and codebook


def leading_components(latents, count):
    """The features on the leading principal components, and the share of the variance that these hold.

    The largest number of each component is positive, so that the signs do not depend on the machine.
    """
    x = latents.reshape(-1, LATENT_CHANNELS)
    mean = x.mean(0, dtype=np.float64)
    scatter = np.zeros((LATENT_CHANNELS, LATENT_CHANNELS))
    for first in range(0, len(x), 1 << 18):
        part = x[first:first + (1 << 18)] - mean
        scatter += part.T @ part
    values, vectors = np.linalg.eigh(scatter)
    values, vectors = values[::-1], vectors[:, ::-1][:, :count]
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(0), np.arange(count)])
    features = np.empty((len(x), count), np.float32)
    for first in range(0, len(x), 1 << 18):
        features[first:first + (1 << 18)] = (x[first:first + (1 << 18)] - mean) @ vectors
    return features, float(values[:count].sum() / values.sum())


def nearest(features, codebook, threads):
    """The nearest codes of features and their squared distances; O(tokens * codes * channels)."""
    codes = torch.empty(len(features), dtype=torch.int64)
    distances = torch.empty(len(features))
    half_norms = (codebook * codebook).sum(1) / 2
    # As many products as stay in the caches of a processor, and enough of them for a thread's while.
    chunk = max(1, (1 << 20) // len(codebook))
    run = 64 * chunk

    def find(start):
        for first in range(start, min(start + run, len(features)), chunk):
            part = features[first:first + chunk]
            least, codes[first:first + chunk] = torch.addmm(half_norms, part, codebook.T, alpha=-1).min(1)
            distances[first:first + chunk] = (2 * least + (part * part).sum(1)).clamp_(min=0)

    for _ in in_threads(find, range(0, len(features), run), threads):
        pass
    return codes, distances


def k_means(features, count, iterations, generator, threads):
    """A codebook from Lloyd's iterations that start from tokens; they end where the error falls by less than 0.1%.

    A code that no token chooses moves to one of the tokens that lie farthest from their codes.
    """
    start = torch.randperm(len(features), generator=generator)[:count]
    codebook, error = features[start].clone(), math.inf
    for iteration in range(iterations):
        codes, distances = nearest(features, codebook, threads)
        last, error = error, float(distances.double().mean())
        progress("k-means", iteration + 1, iterations)
        if error > 0.999 * last:
            break
        sizes = torch.bincount(codes, minlength=count)
        sums = torch.zeros(codebook.shape, dtype=torch.float64).index_add_(0, codes, features.double())
        codebook = (sums / sizes.clamp(min=1)[:, None]).float()
        empty = (sizes == 0).nonzero()[:, 0]
        codebook[empty] = features[distances.topk(len(empty)).indices]
    return numbered_by_halves(codebook)


def numbered_by_halves(codebook):
    """The same codes in an order that gives neighbours near numbers, so that the file's compression finds them.

    The codes are split in halves along the channel in which they vary most, and the halves again.
    """
    order, stack = [], [torch.arange(len(codebook))]
    while stack:
        part = stack.pop()
        if len(part) == 1:
            order.append(int(part[0]))
            continue
        channel = codebook[part].var(0, correction=0).argmax()
        part = part[codebook[part, channel].argsort(stable=True)]
        # The lower half is on top of the stack, so it comes first.
        stack += [part[len(part) // 2:], part[:len(part) // 2]]
    return codebook[order]


# The file


def write_tokens(path, codes, codebook, labels, names, attributes):
    """Writes a token dataset beside its final name and renames it; nothing half-written is left."""
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
        os.close(handle)
        with h5py.File(temporary, "w") as file:
            kind = "uint8" if len(codebook) <= 1 << 8 else "uint16" if len(codebook) <= 1 << 16 else "uint32"
            images_per_chunk = max(1, min(len(codes), (1 << 17) // codes[0].size))
            file.create_dataset(
                "codes", data=codes.astype(kind), chunks=(images_per_chunk, *codes.shape[1:]), compression="gzip",
                compression_opts=9, shuffle=True)
            file["codebook"] = codebook
            if labels is not None:
                file["labels"] = np.array(labels, np.min_scalar_type(max(labels)))
                file["label_names"] = np.array(names, h5py.string_dtype())
            file.attrs.update(format="token-dataset", format_version=1, **attributes)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise Problem(f"{path}: cannot be written: {error.strerror or error}")
    finally:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)


def progress(what, done, total):
    if sys.stderr.isatty():
        print(f"\r{what} {done:,} of {total:,}\033[K", end="\n" if done == total else "", file=sys.stderr, flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)

    def positive(text):
        if not text.isascii() or not text.isdigit() or int(text) < 1:
            raise argparse.ArgumentTypeError(f"{text}: a whole number from 1 is expected")
        return int(text)

    def whole(text):
        if not text.isascii() or not text.isdigit() or int(text) >= 1 << 63:
            raise argparse.ArgumentTypeError(f"{text}: a whole number from 0 is expected")
        return int(text)

    def grid(text):
        try:
            rows, columns = (positive(part) for part in text.split("x"))
        except (ValueError, argparse.ArgumentTypeError):
            raise argparse.ArgumentTypeError(f"{text}: HxW is expected, as in 24x24")
        return rows, columns

    add = parser.add_argument
    add("images", type=Path, help="the folder of images; sub-folders are classes")
    add("--weights", type=Path, required=True, metavar="FILE", help="the encoder of TAEF2 (.safetensors)")
    add("--output", type=Path, required=True, metavar="FILE.h5", help="the file to write")
    add("--grid", type=grid, default=(24, 24), metavar="HxW", help="the grid of tokens, 8x8 pixels each (24x24)")
    add("--codes", type=positive, default=16384, metavar="K", help="the entries of the codebook (16384)")
    add("--channels", type=positive, default=8, metavar="D", help="the principal components of a feature (8)")
    add("--training-tokens", type=positive, default=1_000_000, metavar="N",
        help="how many tokens, drawn at random, the codebook is learned from (1000000)")
    add("--iterations", type=positive, default=50, metavar="N", help="iterations of k-means at most (50)")
    add("--limit", type=positive, metavar="N", help="use only the first N images, which hold all classes in proportion")
    add("--threads", type=positive, default=os.cpu_count(), metavar="N", help="threads (one for each processor)")
    add("--seed", type=whole, default=0, metavar="N", help="the seed of everything random (0)")
    add("--source", default="", help="where the images come from, for the file's record")
    add("--license", default="", help="the licence of the images, for the file's record")
    options = parser.parse_args()
    if options.channels > LATENT_CHANNELS:
        parser.error(f"argument --channels: {options.channels}: the latent has {LATENT_CHANNELS} channels")
    return options


@torch.inference_mode()
def main():
    options = parse_arguments()
    torch.set_num_threads(1)
    rows, columns = options.grid
    if not options.output.parent.is_dir():
        raise Problem(f"{options.output}: there is no folder {options.output.parent}")
    if options.output.is_dir():
        raise Problem(f"{options.output}: is a folder; a file is to be written")
    encoder = Encoder(options.weights)
    paths, labels, names = list_images(options.images)
    if options.limit:
        paths, labels = paths[:options.limit], labels and labels[:options.limit]
    tokens = min(options.training_tokens, len(paths) * rows * columns)
    if options.codes > tokens:
        raise Problem(
            f"{options.codes} codes cannot be learned from {tokens} tokens; give more images or a smaller --codes")

    latents = encode(encoder, paths, rows, columns, options.threads)
    features, share = leading_components(latents, options.channels)
    features = torch.from_numpy(features)
    generator = torch.Generator().manual_seed(options.seed)
    training = features[torch.randperm(len(features), generator=generator)[:tokens]]
    codebook = k_means(training, options.codes, options.iterations, generator, options.threads)
    codes, distances = nearest(features, codebook, options.threads)
    # The features are centred, so their mean square is their variance.
    error = float(distances.double().mean() / features.double().square().sum(1).mean())

    source = "; ".join(filter(None, [
        options.source, "encoder: TAEF2 (MIT License, Copyright (c) 2023 Ollin Boer Bohan)"]))
    created_by = (
        f"images of {columns * PIXELS_PER_TOKEN}x{rows * PIXELS_PER_TOKEN} pixels (bicubic), "
        f"{LATENT_CHANNELS} channels, {options.channels} leading principal components ({share:.3f} of the variance), "
        f"k-means with {options.codes} codes (quantisation error {error:.3f} of their variance), seed {options.seed}")
    write_tokens(
        options.output, codes.numpy().reshape(len(paths), rows, columns), codebook.numpy(), labels, names,
        dict(tokenizer="taef2-encoder-pca-kmeans", source=source, license=options.license, created_by=created_by))
    used = torch.bincount(codes, minlength=options.codes)
    frequencies = used[used > 0].double() / len(codes)
    perplexity = float((-frequencies * frequencies.log()).sum().exp())
    print(f"{options.output}: {len(paths):,} images of {rows}x{columns} tokens")
    print(f"features: {options.channels} of {LATENT_CHANNELS} principal components, {share:.3f} of the variance")
    print(f"codebook: {options.codes:,} entries, {len(frequencies):,} used, perplexity {perplexity:.0f}, "
          f"quantisation error {error:.3f} of the features' variance")


def stop(signal_number, _):
    # Raised where the program is, so that the temporary file is removed.
    raise SystemExit(128 + signal_number)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        main()
    except Problem as problem:
        sys.exit(f"learned-tokens.py: {problem}")
