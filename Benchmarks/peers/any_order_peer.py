"""The any-order transformer (the decoder of LPD, arXiv:2507.01957) in PyTorch, to compare par-sample and par-train with.

Usage: python any_order_peer.py sample [--preset L] [--dtype f32|bf16] [--grid 16] --group-sizes 1,2,…
       python any_order_peer.py train [--layers 6 …] --group-sizes 1,2,…
       python any_order_peer.py check WEIGHTS EXPECTED

sample draws one image without guidance, with a cache of keys and values and one pass of r + s rows for each step.
train times whole steps in Float32: both streams under one mask in scaled_dot_product_attention, the head on the queries
alone, dropout on what layers add, cross-entropy, gradient norm clipped to 1, AdamW (foreach).
check compares logits, loss, gradients and greedy codes with a model's reference vectors, so that what is timed is known
to be right.
"""

import argparse
import json
import time

import torch
import torch.nn.functional as F

from par_peer import read_safetensors

PRESETS = {"L": (24, 16, 1024), "XL": (36, 20, 1280), "XXL": (48, 24, 1536)}


class Attention(torch.nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = torch.nn.Linear(width, 3 * width), torch.nn.Linear(width, width)

    def split(self, x):
        batch, rows, width = x.shape
        return self.qkv(x).view(batch, rows, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)

    def forward(self, q, k, v, mask):
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.proj(attended.transpose(1, 2).flatten(2))


class MLP(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1, self.fc2 = torch.nn.Linear(width, 4 * width), torch.nn.Linear(4 * width, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(torch.nn.Module):
    def __init__(self, width, heads, dropout):
        super().__init__()
        self.norm1, self.norm2 = torch.nn.LayerNorm(width, eps=1e-6), torch.nn.LayerNorm(width, eps=1e-6)
        self.attn, self.mlp = Attention(width, heads), MLP(width)
        self.dropout = torch.nn.Dropout(dropout)

    def forward(self, x, mask=None, cache=None, first=0):
        """With a cache of (keys, values): rows follow its first `first` positions and see all of them and each other, or
        what `mask` allows."""
        q, k, v = self.attn.split(self.norm1(x))
        if cache is not None:
            last = first + x.shape[1]
            cache[0][:, :, first:last], cache[1][:, :, first:last] = k, v
            k, v = cache[0][:, :, :last], cache[1][:, :, :last]
        x = x + self.dropout(self.attn(q, k, v, mask))
        return x + self.dropout(self.mlp(self.norm2(x)))


class AnyOrder(torch.nn.Module):
    def __init__(self, layers, heads, width, codes, classes, cells, dropout=0.0):
        super().__init__()
        self.heads, self.cells, self.classes = heads, cells, classes
        self.class_emb, self.token_emb = torch.nn.Embedding(classes, width), torch.nn.Embedding(codes, width)
        self.fake_latent = torch.nn.Parameter(torch.randn(1, width) * 0.02)
        self.pos_embed = torch.nn.Parameter(torch.randn(1, cells + 1, width) * 0.02)
        self.mask_token = torch.nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.z_proj_ln = torch.nn.LayerNorm(width, eps=1e-6)
        self.blocks = torch.nn.ModuleList([Block(width, heads, dropout) for _ in range(layers)])
        self.norm = torch.nn.LayerNorm(width, eps=1e-6)
        self.head = torch.nn.Linear(width, codes, bias=False)

    def class_rows(self, labels):
        return torch.cat([self.class_emb.weight, self.fake_latent])[labels]

    def teacher(self, codes, labels, orders, group_sizes):
        """Logits of all tokens by place in the sequence. codes and orders: images × cells; one list of sizes for each."""
        images, cells = codes.shape
        known = 1 + cells - min(sizes[-1] for sizes in group_sizes)
        sequence = torch.gather(codes, 1, orders)
        places = self.pos_embed[0][1 + orders]
        x = torch.cat(
            [(self.class_rows(labels) + self.pos_embed[0, 0])[:, None],
             (self.token_emb(sequence) + places)[:, : known - 1], self.mask_token + places], 1)
        steps = torch.stack([torch.repeat_interleave(torch.tensor(sizes)) for sizes in group_sizes])
        # A query sees the class, tokens of earlier steps and the queries of its own; a token also those of its own step.
        of_known = torch.cat([torch.full((images, 1), -1), steps], 1)[:, :known]
        sees = torch.cat(
            [torch.cat([of_known[:, None, :] <= of_known[:, :, None],
                        torch.zeros(images, known, cells, dtype=torch.bool)], 2),
             torch.cat([of_known[:, None, :] < steps[:, :, None], steps[:, None, :] == steps[:, :, None]], 2)], 1)
        x = self.z_proj_ln(x)
        for block in self.blocks:
            x = block(x, sees[:, None])
        return self.head(self.norm(x[:, known:])), sequence

    @torch.inference_mode()
    def sample(self, labels, orders, group_sizes, draw, guidance=None, linear=True):
        """Codes by place in the sequence, images × cells, all images with the same group sizes. With guidance the second
        half of the batch is unconditional."""
        images, dtype = len(labels), self.head.weight.dtype
        both = images if guidance is None else 2 * images
        if guidance is not None:
            labels = torch.cat([labels, torch.full_like(labels, self.classes)])
            orders = torch.cat([orders, orders])
        width = self.head.weight.shape[1]
        shape = (both, self.heads, self.cells + 1, width // self.heads)
        caches = [(torch.zeros(shape, dtype=dtype), torch.zeros(shape, dtype=dtype)) for _ in self.blocks]
        previous = self.class_rows(labels)[:, None] + self.pos_embed[0, 0]
        codes, first, done = [], 0, 0
        for size in group_sizes:
            places = self.pos_embed[0][1 + orders[:, done : done + size]]
            x = self.z_proj_ln(torch.cat([previous, self.mask_token + places], 1))
            r = previous.shape[1]
            # Tokens of the step before do not see the queries.
            mask = torch.ones(r + size, first + r + size, dtype=torch.bool)
            mask[:r, first + r :] = False
            for block, cache in zip(self.blocks, caches):
                x = block(x, mask, cache, first)
            logits = self.head(self.norm(x[:, r:])).float()
            if guidance is not None:
                conditional, unconditional = logits.chunk(2)
                place = torch.arange(done, done + size)[:, None]
                weight = 1 + (guidance - 1) * place / self.cells if linear else guidance
                logits = unconditional + weight * (conditional - unconditional)
            drawn = draw(logits)
            codes.append(drawn)
            repeated = drawn if guidance is None else torch.cat([drawn, drawn])
            previous = self.token_emb(repeated) + places
            first, done = first + r, done + size
        return torch.cat(codes, 1)


def check(weights, expected):
    tensors, metadata = read_safetensors(weights)
    reference, facts = read_safetensors(expected)
    metadata |= facts
    tensors = {name.removeprefix("model."): value for name, value in tensors.items()}
    layers = sum(name.endswith("attn.proj.weight") for name in tensors)
    codes, width = tensors["head.weight"].shape
    model = AnyOrder(layers, int(metadata["heads"]), width, codes, len(tensors["class_emb.weight"]),
                     tensors["pos_embed"].shape[1] - 1)
    model.load_state_dict(tensors)
    labels, orders = reference["teacher.class"].long(), reference["teacher.orders"].long()
    sizes = reference["teacher.group_sizes"].tolist()
    raster = reference["teacher.codes_raster"].long()
    logits, sequence = model.teacher(raster, labels, orders, [sizes] * len(labels))
    loss = F.cross_entropy(logits.flatten(0, 1), sequence.flatten())
    loss.backward()
    print("logits:", (logits - reference["teacher.logits_sequence"]).abs().max().item())
    print("loss:", abs(loss.item() - reference["teacher.loss"].item()))
    worst = 0.0
    for name, parameter in model.named_parameters():
        if f"grad.{name}" in reference:
            of = reference[f"grad.{name}"]
            worst = max(worst, ((parameter.grad - of).abs().max() / of.abs().max().clamp(min=1e-12)).item())
    print("gradients, relative to each tensor's largest:", worst)
    for name, guidance, linear in [("cfg1", None, True), ("cfg_linear", True, True), ("cfg_constant", True, False)]:
        if guidance:
            guidance = float(next(value for key, value in metadata.items() if key in ("guidance", "cfg")))
        drawn = model.sample(labels, orders, sizes, lambda logits: logits.argmax(-1), guidance, linear)
        expected_codes = torch.gather(reference[f"greedy.{name}.codes_raster"].long(), 1, orders)
        print(f"greedy {name}:", "equal" if torch.equal(drawn, expected_codes) else "DIFFERENT")


def sample(options):
    layers, heads, width = PRESETS[options.preset]
    cells = options.grid ** 2
    torch.manual_seed(0)
    model = AnyOrder(layers, heads, width, 16384, 1000, cells).eval()
    model.to(torch.float32 if options.dtype == "f32" else torch.bfloat16)
    order = torch.randperm(cells)[None]
    draw = lambda logits: torch.multinomial(torch.softmax(logits, -1).flatten(0, 1), 1).view(logits.shape[:2])
    start = time.perf_counter()
    model.sample(torch.zeros(1, dtype=torch.long), order, options.group_sizes, draw)
    print(json.dumps({"preset": options.preset, "dtype": options.dtype, "steps": len(options.group_sizes),
                      "threads": torch.get_num_threads(), "seconds": time.perf_counter() - start}))


def train(options):
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    cells = options.side ** 2
    model = AnyOrder(options.layers, options.heads, options.width, options.codes, options.classes, cells,
                     options.dropout)
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}], lr=1e-3,
        betas=(0.9, 0.95), foreach=True)
    codes = torch.randint(options.codes, (options.batch, cells))
    labels = torch.randint(options.classes, (options.batch,))
    seconds, losses = [], []
    for _ in range(options.steps + 1):
        start = time.perf_counter()
        orders = torch.stack([torch.randperm(cells) for _ in range(options.batch)])
        dropped = torch.where(torch.rand(options.batch) < 0.1, options.classes, labels)
        logits, sequence = model.teacher(codes, dropped, orders, [options.group_sizes] * options.batch)
        loss = F.cross_entropy(logits.flatten(0, 1), sequence.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - start)
    # The first step also allocates.
    print(json.dumps({"seconds": seconds[1:], "loss": losses[-1]}))


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    sizes = lambda text: [int(size) for size in text.split(",")]
    sampling = commands.add_parser("sample")
    sampling.add_argument("--preset", default="L", choices=PRESETS)
    sampling.add_argument("--dtype", default="f32", choices=["f32", "bf16"])
    sampling.add_argument("--grid", type=int, default=16)
    sampling.add_argument("--group-sizes", type=sizes, required=True)
    training = commands.add_parser("train")
    for name, default in [("layers", 6), ("heads", 8), ("width", 256), ("codes", 1024), ("classes", 6), ("side", 16),
                          ("batch", 16), ("steps", 4), ("threads", 2)]:
        training.add_argument(f"--{name}", type=int, default=default)
    training.add_argument("--dropout", type=float, default=0.1)
    training.add_argument("--group-sizes", type=sizes, required=True)
    checking = commands.add_parser("check")
    checking.add_argument("weights")
    checking.add_argument("expected")
    options = parser.parse_args()
    if options.command == "check":
        check(options.weights, options.expected)
    elif options.command == "sample":
        sample(options)
    else:
        train(options)


if __name__ == "__main__":
    main()
