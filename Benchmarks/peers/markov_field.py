"""What an any-order model says an order costs, against the exact conditional total correlation of a field whose joint law
is known: a Potts field on 3×4 cells with three codes, all of whose 531,441 configurations are enumerated.

Usage: python markov_field.py [--program token-entropy] [--steps 4000] [--images 100000]

Trains a model with par-train on images drawn from the field, and measures three orders with `par-train likelihood` on images
that hold every configuration as often as its probability says (up to one image), so that no error of sampling is left.
"""

import argparse
import itertools
import json
import subprocess
import tempfile

import numpy as np

ROWS, COLUMNS, CODES = 3, 4, 3
ORDERS = {
    "everything at once": [list(range(12))],
    "rows": [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]],
    "checkerboard": [[0, 2, 5, 7, 8, 10], [1, 3, 4, 6, 9, 11]],
}


def field(coupling=0.9, fields=(0.3, 0.0, -0.2)):
    states = np.array(list(itertools.product(range(CODES), repeat=ROWS * COLUMNS)), dtype=np.uint8)
    energy = np.array(fields)[states].sum(1)
    cells = states.reshape(-1, ROWS, COLUMNS)
    energy += coupling * (cells[:, :, 1:] == cells[:, :, :-1]).sum((1, 2))
    energy += coupling * (cells[:, 1:] == cells[:, :-1]).sum((1, 2))
    p = np.exp(energy - energy.max())
    return states, p / p.sum()


def entropy(states, p, cells):
    if not cells:
        return 0.0
    keys = states[:, cells].astype(np.int64) @ CODES ** np.arange(len(cells))
    marginal = np.bincount(keys, weights=p)
    marginal = marginal[marginal > 0]
    return -(marginal * np.log(marginal)).sum()


def information_lost(states, p, steps):
    known, lost = [], 0.0
    for step in steps:
        before = entropy(states, p, known)
        lost += sum(entropy(states, p, known + [cell]) - before for cell in step)
        lost -= entropy(states, p, known + step) - before
        known = known + step
    return lost


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="token-entropy")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--images", type=int, default=100_000)
    options = parser.parse_args()
    states, p = field()
    cumulative = np.cumsum(p)

    def drawn(places):
        return states[np.searchsorted(cumulative, places * cumulative[-1])].reshape(-1, ROWS, COLUMNS)

    with tempfile.TemporaryDirectory() as folder:
        def run(*arguments):
            return subprocess.run([options.program, *arguments], check=True, stdout=subprocess.PIPE).stdout

        np.save(f"{folder}/codebook.npy", np.arange(CODES, dtype=np.float32)[:, None])
        np.save(f"{folder}/train.npy", drawn(np.random.default_rng(0).random(options.images)))
        np.save(f"{folder}/law.npy", drawn((np.arange(20_000) + 0.5) / 20_000))
        files = []
        for index, steps in enumerate(ORDERS.values()):
            files.append(f"{folder}/order{index}.json")
            with open(files[-1], "w") as file:
                json.dump({"grid": [ROWS, COLUMNS], "steps": steps}, file)
        for count in [options.steps // 20, options.steps]:
            run("par-train", "--architecture", "any-order", "--tokens", f"{folder}/train.npy", "--codebook",
                f"{folder}/codebook.npy", "--orders", "random", "--order-steps", "1:12", "--layers", "3", "--heads", "4",
                "--width", "64", "--batch", "64", "--steps", f"{count}", "--dropout", "0", "--label-dropout", "0",
                "--learning-rate", "2e-3", "--validation-images", "0", "--output-dir", f"{folder}/run{count}")
            result = json.loads(run(
                "par-train", "likelihood", f"{folder}/run{count}", "--tokens", f"{folder}/law.npy", "--codebook",
                f"{folder}/codebook.npy", *sum((["--order", file] for file in files), []), "--json"))
            print(f"after {count} steps of training; all tokens carry {entropy(states, p, list(range(12))):.4f} nats")
            for (name, steps), measured in zip(ORDERS.items(), result["orders"]):
                exact = information_lost(states, p, steps)
                value = measured["lost"]
                print(f"  {name}: exact {exact:.4f} nats, the model {value:.4f}, {100 * (value / exact - 1):+.1f} %")


if __name__ == "__main__":
    main()
