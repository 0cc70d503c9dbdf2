"""The VQ-16 tokenizer in PyTorch: what `vq-benchmark` is compared with.

Reads the weights and the image that the benchmark wrote, then obeys lines on standard input: "encode" and "decode" run
once and print the seconds; "output" writes what was computed beside the weights, as safetensors would hold it.
"""
import json
import struct
import sys
import time

import numpy
import torch
import torch.nn.functional as F


def load(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    data = numpy.memmap(path, dtype=numpy.uint8, mode="c", offset=8 + length)
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            tensors[name] = torch.from_numpy(
                data[start:end].view(numpy.float32).reshape(entry["shape"]).copy())
    return tensors


class VQ:
    """The network as functions of its tensors; levels and blocks are read off the names."""

    def __init__(self, tensors, channels_last):
        self.t = tensors
        if channels_last:
            for name, tensor in tensors.items():
                if tensor.dim() == 4:
                    tensors[name] = tensor.contiguous(memory_format=torch.channels_last)
        self.codebook = F.normalize(tensors["quantize.embedding.weight"], dim=-1)

    def has(self, name):
        return name + ".weight" in self.t

    def conv(self, name, x, **options):
        return F.conv2d(x, self.t[name + ".weight"], self.t[name + ".bias"], **options)

    def norm(self, name, x):
        return F.group_norm(x, 32, self.t[name + ".weight"], self.t[name + ".bias"], eps=1e-6)

    def residual(self, name, x):
        h = self.conv(name + ".conv1", F.silu(self.norm(name + ".norm1", x)), padding=1)
        h = self.conv(name + ".conv2", F.silu(self.norm(name + ".norm2", h)), padding=1)
        if self.has(name + ".nin_shortcut"):
            x = self.conv(name + ".nin_shortcut", x)
        return x + h

    def attention(self, name, x):
        h = self.norm(name + ".norm", x)
        q, k, v = (self.conv(f"{name}.{part}", h).flatten(2) for part in "qkv")
        w = torch.softmax(torch.bmm(q.transpose(1, 2), k) * q.shape[1] ** -0.5, dim=2)
        h = torch.bmm(v, w.transpose(1, 2)).reshape(x.shape)
        return x + self.conv(name + ".proj_out", h)

    def middle(self, name, x):
        x = self.residual(name + ".0", x)
        return self.residual(name + ".2", self.attention(name + ".1", x))

    def level(self, name, x):
        block = 0
        while self.has(f"{name}.res.{block}.conv1"):
            x = self.residual(f"{name}.res.{block}", x)
            if self.has(f"{name}.attn.{block}.q"):
                x = self.attention(f"{name}.attn.{block}", x)
            block += 1
        return x

    def levels(self, prefix):
        level = 0
        while self.has(f"{prefix}.conv_blocks.{level}.res.0.conv1"):
            yield f"{prefix}.conv_blocks.{level}"
            level += 1

    def encode(self, image):
        x = self.conv("encoder.conv_in", image, padding=1)
        for name in self.levels("encoder"):
            x = self.level(name, x)
            if self.has(name + ".downsample.conv"):
                x = self.conv(name + ".downsample.conv", F.pad(x, (0, 1, 0, 1)), stride=2)
        x = F.silu(self.norm("encoder.norm_out", self.middle("encoder.mid", x)))
        x = self.conv("quant_conv", self.conv("encoder.conv_out", x, padding=1))
        z = F.normalize(x.permute(0, 2, 3, 1).reshape(-1, self.codebook.shape[1]), dim=-1)
        distance = ((z ** 2).sum(1, keepdim=True) + (self.codebook ** 2).sum(1)
                    - 2 * z @ self.codebook.T)
        return x, distance.argmin(1)

    def decode(self, codes, height, width):
        x = self.codebook[codes].reshape(1, height, width, -1).permute(0, 3, 1, 2)
        x = self.conv("decoder.conv_in", self.conv("post_quant_conv", x), padding=1)
        x = self.middle("decoder.mid", x)
        for name in self.levels("decoder"):
            x = self.level(name, x)
            if self.has(name + ".upsample.conv"):
                x = F.interpolate(x, scale_factor=2.0, mode="nearest")
                x = self.conv(name + ".upsample.conv", x, padding=1)
        return self.conv("decoder.conv_out", F.silu(self.norm("decoder.norm_out", x)), padding=1)


def main():
    path, layout = sys.argv[1:3]
    tensors = load(path)
    image = tensors.pop("benchmark.image")
    if layout == "channels_last":
        image = image.contiguous(memory_format=torch.channels_last)
    network = VQ(tensors, layout == "channels_last")
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads, {layout}", flush=True)
    side = image.shape[2] // 16
    with torch.inference_mode():
        projected, codes = network.encode(image)
        for line in sys.stdin:
            start = time.perf_counter()
            if line.strip() == "encode":
                projected, codes = network.encode(image)
            elif line.strip() == "decode":
                decoded = network.decode(codes, side, side)
            else:
                numpy.ascontiguousarray(projected.permute(0, 2, 3, 1).numpy()).tofile(path + ".projected")
                codes.to(torch.int32).numpy().tofile(path + ".codes")
                numpy.ascontiguousarray(decoded.permute(0, 2, 3, 1).numpy()).tofile(path + ".decoded")
            print(time.perf_counter() - start, flush=True)


main()
