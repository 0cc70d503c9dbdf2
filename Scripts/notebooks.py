"""Runs the notebooks and compares what they print with the outputs that are kept in them.

    python Scripts/notebooks.py            runs, compares numbers, changes nothing
    python Scripts/notebooks.py --update   keeps the new outputs

Numbers in texts may differ by a thousandth, which other processors do not reach; pictures are only required to be there.
What is no number must be the same.
"""

import re
import sys
from pathlib import Path

import nbclient
import nbformat

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e-?\d+)?")
FOLDER = Path(__file__).resolve().parent.parent / "Notebooks"
LARGEST = 1_000_000


def texts(cell: dict) -> list[tuple[str, str]]:
    """The kinds and texts of a cell's outputs; of pictures only their kinds. Lines printed at once may come in pieces."""
    result: list[tuple[str, str]] = []
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream":
            if result and result[-1][0] == output["name"]:
                result[-1] = (output["name"], result[-1][1] + output["text"])
            else:
                result.append((output["name"], output["text"]))
        else:
            # A figure's text is its size, its table is compared by the text beside it.
            picture = "image/png" in output.get("data", {})
            result.append(("picture", "") if picture else ("value", output.get("data", {}).get("text/plain", "")))
    return result


def compare(kept: list[tuple[str, str]], found: list[tuple[str, str]], place: str) -> int:
    """Compare the outputs of a cell; return how many numbers were compared."""
    if [kind for kind, _ in kept] != [kind for kind, _ in found]:
        raise SystemExit(f"{place}: has the outputs {[k for k, _ in found]}, and {[k for k, _ in kept]} are kept")
    count = 0
    for (_, a), (_, b) in zip(kept, found):
        if NUMBER.sub("#", a) != NUMBER.sub("#", b):
            raise SystemExit(f"{place}: prints\n{b}\nand in the notebook stands\n{a}")
        for x, y in zip(NUMBER.findall(a), NUMBER.findall(b)):
            if abs(float(x) - float(y)) > 1e-3 * max(1.0, abs(float(x))):
                raise SystemExit(f"{place}: prints {y}, and in the notebook stands {x}")
            count += 1
    return count


def main() -> None:
    update = "--update" in sys.argv[1:]
    passed, numbers = 0, 0
    for path in sorted(FOLDER.glob("*.ipynb")):
        kept = nbformat.read(path, as_version=4)
        fresh = nbformat.read(path, as_version=4)
        nbclient.NotebookClient(fresh, timeout=600, resources={"metadata": {"path": str(FOLDER)}}).execute()
        if update:
            for cell in fresh.cells:
                # When a cell ran is nobody's business, and would change the file every time.
                cell.metadata.pop("execution", None)
            fresh.metadata["language_info"] = {"name": "python"}
            nbformat.write(fresh, path)
            kept = fresh
        if path.stat().st_size > LARGEST:
            raise SystemExit(f"{path.name}: has {path.stat().st_size:,} bytes; at most {LARGEST:,} are kept")
        for index, (a, b) in enumerate(zip(kept.cells, fresh.cells)):
            numbers += compare(texts(a), texts(b), f"{path.name}, cell {index + 1}")
        passed += 1
    if passed == 0 or numbers == 0:
        raise SystemExit("notebooks: nothing was compared")
    print(f"Notebooks: {passed} executed, {numbers} numbers agree")


main()
