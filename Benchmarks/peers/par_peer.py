"""A PAR sampler in PyTorch, to compare par-sample with: the same architecture, key and value cache, batch 1, no guidance.

Usage: python par_peer.py [--preset L] [--tokens-per-step 4] [--dtype f32|bf16] [--grid 24]
       python par_peer.py --check WEIGHTS EXPECTED
       python par_peer.py --compare MODEL SAMPLES

--check reads a model's reference vectors and compares the greedy codes, so that what is timed is known to be right.
--compare reads a model of par-train and what `par-sample --model MODEL --greedy --json` printed, and compares the codes.
"""

import argparse
import json
import struct
import time

import numpy as np
import torch
import torch.nn.functional as F

PRESETS = {"B": (12, 12, 768), "L": (24, 16, 1024), "XL": (36, 20, 1280), "XXL": (48, 24, 1536), "3B": (24, 32, 3200)}


def read_safetensors(path):
    data = open(path, "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    types = {"F32": np.float32, "I32": np.int32}
    tensors = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        array = np.frombuffer(data[8 + length + first : 8 + length + last], types[entry["dtype"]])
        tensors[name] = torch.from_numpy(array.reshape(entry["shape"]).copy())
    return tensors, metadata


class Sampler:
    def __init__(self, tensors, layers, heads, n, cells, grid, dtype):
        self.t = {name: value.to(dtype) for name, value in tensors.items()}
        self.layers, self.heads, self.n, self.cells, self.dtype = layers, heads, n, cells, dtype
        self.width = tensors["tok_embeddings.weight"].shape[1]
        self.head_width = self.width // heads
        count = len(cells)
        # Positions: class, n single tokens, n - 1 transition tokens, the other tokens. Class and transition tokens
        # have no rotation at all: cosine and sine are zero.
        quarter = self.head_width // 4
        frequencies = 10000.0 ** (-torch.arange(quarter) / quarter)
        angles = torch.zeros(count, self.head_width // 2)
        known = torch.zeros(count, dtype=torch.bool)
        for position in range(1, count):
            if position > n and position < 2 * n:
                continue
            cell = cells[position - 1 if position <= n else position - n]
            angles[position] = torch.cat([cell // grid * frequencies, cell % grid * frequencies])
            known[position] = True
        self.cosines = torch.where(known[:, None], torch.cos(angles), 0.0)
        self.sines = torch.where(known[:, None], torch.sin(angles), 0.0)
        shape = (layers, heads, count, self.head_width)
        self.keys, self.values = torch.zeros(shape, dtype=dtype), torch.zeros(shape, dtype=dtype)

    def norm(self, x, name):
        y = x.float()
        return (y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + 1e-5)).to(self.dtype) * self.t[name]

    def rotate(self, x, first):
        rows = x.shape[0]
        pairs = x.float().view(rows, self.heads, -1, 2)
        c, s = self.cosines[first : first + rows, None], self.sines[first : first + rows, None]
        even, odd = pairs[..., 0], pairs[..., 1]
        return torch.stack([even * c - odd * s, odd * c + even * s], -1).flatten(2).to(self.dtype).transpose(0, 1)

    def forward(self, x, first):
        rows = x.shape[0]
        last = first + rows
        for i in range(self.layers):
            p = f"layers.{i}."
            qkv = F.linear(self.norm(x, p + "attention_norm.weight"), self.t[p + "attention.wqkv.weight"])
            q, k, v = qkv.view(rows, 3, self.heads, self.head_width).unbind(1)
            self.keys[i, :, first:last] = self.rotate(k, first)
            self.values[i, :, first:last] = v.transpose(0, 1)
            # All rows of a step see all of it, so that no mask is needed.
            attended = F.scaled_dot_product_attention(
                self.rotate(q, first)[None], self.keys[None, i, :, :last], self.values[None, i, :, :last]
            )[0]
            x = x + F.linear(attended.transpose(0, 1).reshape(rows, self.width), self.t[p + "attention.wo.weight"])
            y = self.norm(x, p + "ffn_norm.weight")
            gate = F.silu(F.linear(y, self.t[p + "feed_forward.w1.weight"]))
            x = x + F.linear(
                gate * F.linear(y, self.t[p + "feed_forward.w3.weight"]), self.t[p + "feed_forward.w2.weight"]
            )
        return F.linear(self.norm(x, "norm.weight"), self.t["output.weight"]).float()

    @torch.inference_mode()
    def sample(self, label, greedy=False):
        n, tokens = self.n, []
        embed = lambda codes: F.embedding(torch.tensor(codes), self.t["tok_embeddings.weight"])
        x = self.t["cls_embedding.embedding_table.weight"][label : label + 1]
        position = 0
        while True:
            logits = self.forward(x, position)
            position += x.shape[0]
            if greedy:
                drawn = logits.argmax(-1)
            else:
                drawn = torch.multinomial(torch.softmax(logits, -1), 1)[:, 0]
            tokens += drawn.tolist()
            if len(tokens) == len(self.cells):
                return tokens
            if len(tokens) < n or n == 1:
                x = embed(tokens[-1:])
            elif len(tokens) == n:
                x = torch.cat([embed(tokens[-1:]), self.t["spe_tok_embeddings.special_embeddings.weight"]])
            else:
                x = embed(tokens[-n:])


def random_tensors(layers, heads, width, n, dtype):
    hidden = -(-(8 * width // 3) // 256) * 256
    shapes = {
        "cls_embedding.embedding_table.weight": (1001, width),
        "tok_embeddings.weight": (16384, width),
        "spe_tok_embeddings.special_embeddings.weight": (n - 1, width),
        "output.weight": (16384, width),
    }
    tensors = {}
    for i in range(layers):
        p = f"layers.{i}."
        shapes |= {
            p + "attention.wqkv.weight": (3 * width, width),
            p + "attention.wo.weight": (width, width),
            p + "feed_forward.w1.weight": (hidden, width),
            p + "feed_forward.w3.weight": (hidden, width),
            p + "feed_forward.w2.weight": (width, hidden),
        }
        tensors |= {p + "attention_norm.weight": torch.ones(width), p + "ffn_norm.weight": torch.ones(width)}
    tensors["norm.weight"] = torch.ones(width)
    for name, shape in shapes.items():
        tensors[name] = (torch.randn(shape) * 0.02).to(dtype)
    return tensors


def compare(model, samples):
    tensors, metadata = read_safetensors(model)
    heads, n = int(metadata["heads"]), int(metadata["tokens_per_step"])
    extents = [int(extent) for extent in metadata["grid"].split("x")]
    assert len(extents) == 2, f"{model}: a grid of {metadata['grid']}; only images are compared, not videos"
    rows, columns = extents
    cells = [row * columns + column for step in json.loads(metadata["order_steps"])["steps"] for row, column in step]
    layers = sum(name.endswith("attention.wo.weight") for name in tensors)
    images = json.load(open(samples))["samples"]
    for index, image in enumerate(images):
        sampler = Sampler(tensors, layers, heads, n, cells, columns, torch.float32)
        codes = [0] * (rows * columns)
        for cell, code in zip(cells, sampler.sample(image["class"], greedy=True)):
            codes[cell] = code
        different = sum(a != b for a, b in zip(codes, np.ravel(image["codes"]).tolist()))
        assert different == 0, f"image {index}: {different} of {len(codes)} codes differ"
    print(f"all codes of {len(images)} images are equal")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--preset", default="L", choices=PRESETS)
    parser.add_argument("--tokens-per-step", "-n", type=int, default=4)
    parser.add_argument("--dtype", default="f32", choices=["f32", "bf16"])
    parser.add_argument("--grid", type=int, default=24)
    parser.add_argument("--check", nargs=2, metavar=("WEIGHTS", "EXPECTED"))
    parser.add_argument("--compare", nargs=2, metavar=("MODEL", "SAMPLES"))
    options = parser.parse_args()
    torch.manual_seed(0)
    dtype = torch.float32 if options.dtype == "f32" else torch.bfloat16
    if options.compare:
        compare(*options.compare)
        return
    if options.check:
        tensors, metadata = read_safetensors(options.check[0])
        expected, _ = read_safetensors(options.check[1])
        layers, heads, n, grid = (int(metadata[key]) for key in ("layers", "heads", "tokens_per_step", "grid"))
        cells = expected["order.permutation"].tolist()
        for label, codes in zip(expected["teacher.class"], expected["greedy.cfg1.codes_sequence_order"]):
            sampler = Sampler(tensors, layers, heads, n, cells, grid, torch.float32)
            assert sampler.sample(int(label), greedy=True) == codes.tolist(), "greedy codes differ"
        print("greedy codes equal the reference")
        return
    layers, heads, width = PRESETS[options.preset]
    n, count = options.tokens_per_step, options.grid**2
    tensors = random_tensors(layers, heads, width, n, dtype)
    sampler = Sampler(tensors, layers, heads, n, list(range(count)), options.grid, dtype)
    start = time.perf_counter()
    sampler.sample(0)
    seconds = time.perf_counter() - start
    print(json.dumps({"preset": options.preset, "dtype": options.dtype, "tokens_per_step": n,
                      "threads": torch.get_num_threads(), "seconds": seconds}))


if __name__ == "__main__":
    main()
