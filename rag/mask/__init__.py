"""Personal data out of a ticket before a hosted model reads it, and back into its reply."""

from rag.mask.finds import Kind
from rag.mask.masking import Masking, Unmasked, left_in
from rag.mask.thread import Masked, find, mask

__all__ = ["Kind", "Masked", "Masking", "Unmasked", "find", "left_in", "mask"]
