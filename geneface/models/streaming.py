"""Run a network of finite receptive field over a stream, as if over the whole sequence at once."""

from collections.abc import Callable, Iterable, Iterator

import torch


def overlapped(
    chunks: Iterable[torch.Tensor],
    apply: Callable[[torch.Tensor, int], torch.Tensor],
    context: int,
    align: int = 1,
) -> Iterator[torch.Tensor]:
    """Apply a function to a stream of chunks with enough context on both sides.

    Args:
        chunks: [n, ...] consecutive frames.
        apply: Gets a window [m, ...] and the absolute number of its first frame, gives [m, ...].
        context: Frames on each side that can influence an output frame.
        align: Windows start at multiples of this.

    Yields:
        The outputs of all frames, in order, in chunks; equal to `apply(whole, 0)`.
    """
    window: torch.Tensor | None = None
    start = done = 0
    for chunk in chunks:
        window = chunk if window is None else torch.cat([window, chunk])
        ready = start + len(window) - context
        if ready > done:
            yield apply(window, start)[done - start : ready - start]
            done = ready
            drop = max(0, done - context - start) // align * align
            window, start = window[drop:], start + drop
    if window is not None and start + len(window) > done:
        yield apply(window, start)[done - start :]


def numbered_batches(chunks: Iterable[torch.Tensor], size: int) -> Iterator[tuple[int, torch.Tensor]]:
    """Parts of at most `size` frames of each chunk, with the number of their first frame."""
    start = 0
    for chunk in chunks:
        for batch in chunk.split(size):
            yield start, batch
            start += len(batch)
