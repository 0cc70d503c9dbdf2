"""Which visual tokens can be generated in parallel: entropies of tokens, and what orders of generation lose.

The work is done by the program ``token-entropy``, which is run for each call; arrays go to it and come back in files.

Examples
--------
>>> import token_entropy as te
>>> r = te.order_compare(te.load("scenes-12x12"), ["raster", "distant"], limit=4000)
>>> r.profiles[0]
OrderProfile(raster: 39 steps, total increase ... nats)
"""

from . import distributed
from ._compare import OrderComparison, OrderProfile, order_compare
from ._estimate import Estimate
from ._maps import EntropyMap, entropy_map, entropy_maps
from ._metrics import FeatureDistances, frechet
from ._models import Samples, fid_compare, par_sample, par_train
from ._order import FoundOrder, Order, order, order_search
from ._program import ProgramError, ProgramWarning, UsageError, find_program, run, version
from ._tokens import Tokens, llamagen, load
from ._version import VERSION as __version__

__all__ = [
    "EntropyMap", "Estimate", "FeatureDistances", "FoundOrder", "Order", "OrderComparison", "OrderProfile",
    "ProgramError", "ProgramWarning", "Samples", "Tokens", "UsageError", "__version__", "distributed", "entropy_map",
    "entropy_maps", "fid_compare", "find_program", "frechet", "llamagen", "load", "order", "order_compare",
    "order_search", "par_sample", "par_train", "run", "version",
]
