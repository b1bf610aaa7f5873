"""The product's command line, computing vectors in float32 whatever the processor can do faster.

usage: python -m tests.bench.float32 ARGUMENTS_OF_SUPPORT_COPILOT
"""

import torch

from app.cli import main
from ingest import backbone

if __name__ == "__main__":
    backbone.fast_dtype = lambda: torch.float32
    main()
