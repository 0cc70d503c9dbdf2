"""One training step of a PAR transformer in PyTorch, eager, in Float32: what par-train is compared with.

The same model, loss and optimizer: embeddings of class, tokens and transition tokens with dropout, RMSNorm, rotary
embedding on the grid, scaled_dot_product_attention with the group-wise mask, SwiGLU, dropout on what layers add,
cross-entropy, gradient norm clipped to 1, AdamW (foreach). Prints the seconds of each step as JSON.
"""

import argparse
import json
import time

import torch
import torch.nn.functional as F


class RMSNorm(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.weight


def rotate(x, cosines, sines):
    # x: batch × heads × positions × head width; pairs (2i, 2i + 1).
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cosines - odd * sines, odd * cosines + even * sines), -1).flatten(-2)


class Block(torch.nn.Module):
    def __init__(self, width, heads, hidden, dropout):
        super().__init__()
        self.heads = heads
        self.attention_norm, self.ffn_norm = RMSNorm(width), RMSNorm(width)
        self.wqkv = torch.nn.Linear(width, 3 * width, bias=False)
        self.wo = torch.nn.Linear(width, width, bias=False)
        self.w1 = torch.nn.Linear(width, hidden, bias=False)
        self.w3 = torch.nn.Linear(width, hidden, bias=False)
        self.w2 = torch.nn.Linear(hidden, width, bias=False)
        self.dropout = torch.nn.Dropout(dropout)

    def forward(self, x, cosines, sines, mask):
        batch, positions, width = x.shape
        q, k, v = self.wqkv(self.attention_norm(x)).view(batch, positions, 3, self.heads, -1).permute(
            2, 0, 3, 1, 4)
        q, k = rotate(q, cosines, sines), rotate(k, cosines, sines)
        a = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.dropout(self.wo(a.transpose(1, 2).reshape(batch, positions, width)))
        y = self.ffn_norm(x)
        return x + self.dropout(self.w2(F.silu(self.w1(y)) * self.w3(y)))


class PAR(torch.nn.Module):
    def __init__(self, layers, heads, width, codes, classes, side, n, dropout):
        super().__init__()
        hidden = (8 * width // 3 + 255) // 256 * 256
        tokens = side * side
        self.n, self.classes = n, classes
        self.cls = torch.nn.Embedding(classes + 1, width)
        self.tok = torch.nn.Embedding(codes, width)
        self.spe = torch.nn.Embedding(max(1, n - 1), width)
        self.blocks = torch.nn.ModuleList([Block(width, heads, hidden, dropout) for _ in range(layers)])
        self.norm = RMSNorm(width)
        self.output = torch.nn.Linear(width, codes, bias=False)
        self.dropout = torch.nn.Dropout(dropout)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter, std=0.02)
        torch.nn.init.zeros_(self.output.weight)
        # Prefix mask: rows 0 … n−1 causal, then groups of n.
        rows = torch.arange(tokens)
        seen = torch.where(rows < n, rows + 1, n + (rows - n) // n * n + n)
        self.register_buffer("mask", rows[None, :] < seen[:, None])
        # The angles of each token's cell (here in raster order); none for class and transition tokens.
        head = width // heads
        frequencies = 10000.0 ** (-torch.arange(head // 4) / (head // 4))
        cells = torch.stack((rows // side, rows % side), -1).float()
        angles = (cells[:, :, None] * frequencies).flatten(1)
        place = torch.cat((torch.full((1,), -1), torch.arange(n), torch.full((n - 1,), -1), torch.arange(n, tokens)))[
            :tokens]
        known = (place >= 0).float()[:, None]
        self.register_buffer("cosines", angles[place.clamp(min=0)].cos() * known)
        self.register_buffer("sines", angles[place.clamp(min=0)].sin() * known)

    def forward(self, codes, labels):
        batch, tokens = codes.shape
        t = self.tok(codes)
        parts = [self.cls(labels)[:, None], t[:, :self.n]]
        if self.n > 1:
            parts.append(self.spe.weight[None].expand(batch, -1, -1))
        x = torch.cat(parts + [t[:, self.n:]], 1)[:, :tokens]
        x = self.dropout(x)
        for block in self.blocks:
            x = block(x, self.cosines, self.sines, self.mask)
        logits = self.output(self.norm(x))
        return F.cross_entropy(logits.flatten(0, 1), codes.flatten())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in [("layers", 6), ("heads", 8), ("width", 256), ("codes", 1024), ("classes", 6),
                          ("side", 16), ("n", 4), ("batch", 16), ("steps", 4), ("threads", 2)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--dropout", type=float, default=0.1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    model = PAR(options.layers, options.heads, options.width, options.codes, options.classes, options.side,
                options.n, options.dropout)
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}], lr=1e-3,
        betas=(0.9, 0.95), foreach=True)
    codes = torch.randint(options.codes, (options.batch, options.side ** 2))
    labels = torch.randint(options.classes, (options.batch,))
    seconds, losses = [], []
    for _ in range(options.steps + 1):
        start = time.perf_counter()
        dropped = torch.rand(options.batch) < 0.1
        loss = model(codes, torch.where(dropped, options.classes, labels))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - start)
    # The first step also allocates.
    print(json.dumps({"seconds": seconds[1:], "loss": losses[-1]}))


main()
