"""Measures on pictures, uint8 RGB [H, W, 3]."""

from typing import NamedTuple

import numpy as np

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
WINDOW, SIGMA = 11, 1.5
"""Of SSIM's Gaussian (Wang et al. 2004)."""
LUMINANCE_FLOOR, CONTRAST_FLOOR = (0.01 * 255) ** 2, (0.03 * 255) ** 2
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of MS-SSIM's five scales (Wang et al. 2003)."""
LEAST_SIDE = (WINDOW - 1) * 2 ** (len(SCALE_WEIGHTS) - 1) + 1
"""Pixels: the coarsest scale must hold one window."""


def mouth_box(points: np.ndarray, size: tuple[int, int] = (512, 512), grow: int = 12) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) in pixels: the box of MediaPipe's 61, 291, 0, 17, grown, within (width, height)."""
    corners = np.asarray(points)[[61, 291, 0, 17], :2]
    low = np.floor(corners.min(axis=0)).astype(int) - grow
    high = np.ceil(corners.max(axis=0)).astype(int) + grow
    return max(0, low[0]), max(0, low[1]), min(size[0], high[0]), min(size[1], high[1])


def squared_error(reference: np.ndarray, generated: np.ndarray, region: np.ndarray | None = None) -> float:
    """Mean squared error of two uint8 arrays over the entries where `region` is true, or over all.

    `region` has the pictures' shape, or [..., H, W] for pictures [..., H, W, 3].
    """
    if region is not None:
        reference, generated = reference[region], generated[region]
    # float32 holds squares of bytes exactly; the mean is taken in float64.
    squared = (reference.astype(np.float32) - generated.astype(np.float32)) ** 2
    return float(squared.mean(dtype=np.float64))


def error_to_psnr(error: float) -> float:
    """dB of a mean squared error of bytes; infinite for none."""
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def psnr(reference: np.ndarray, generated: np.ndarray, region: np.ndarray | None = None) -> float:
    """PSNR in dB of two uint8 arrays; `region` as in `squared_error`."""
    return error_to_psnr(squared_error(reference, generated, region))


class Similarity(NamedTuple):
    ssim: float
    ms_ssim: float


def structural_similarity(
    reference: np.ndarray, generated: np.ndarray, regions: list[np.ndarray] | None = None
) -> list[Similarity]:
    """SSIM and MS-SSIM on the luma of two pictures, over each of `regions` [H, W] bool, or over all.

    Windows that would reach beyond the picture are left out. A region is an average of the whole picture's maps over
    its pixels, at each scale; NaN where it has none.
    """
    if min(reference.shape[:2]) < LEAST_SIDE:
        raise ValueError(
            f"pictures of {reference.shape[:2]} are too small for MS-SSIM; {LEAST_SIDE} pixels are needed"
        )
    pair = np.stack([reference @ LUMA, generated @ LUMA])
    weights = np.ones((1, *pair.shape[1:]), np.float32) if regions is None else np.stack(regions).astype(np.float32)
    ssim = np.full(len(weights), np.nan)
    product = np.ones(len(weights))
    for scale, exponent in enumerate(SCALE_WEIGHTS):
        if scale:
            pair, weights = _halve(pair), _halve(weights)
        luminance, contrast = _similarity_maps(*pair)
        edge = WINDOW // 2
        inner = weights[:, edge:-edge, edge:-edge]
        whole = _averages(luminance * contrast, inner)
        if scale == 0:
            ssim = whole
        last = scale == len(SCALE_WEIGHTS) - 1
        product *= np.maximum(whole if last else _averages(contrast, inner), 0) ** exponent
    return [Similarity(float(one), float(many)) for one, many in zip(ssim, product, strict=True)]


def _similarity_maps(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The luminance and the contrast-structure term of SSIM at each window of two lumas [H, W]."""
    mean_a, mean_b, square_a, square_b, product = _blur(np.stack([a, b, a * a, b * b, a * b]))
    mean_ab = mean_a * mean_b
    mean_squares = mean_a * mean_a + mean_b * mean_b
    luminance = (2 * mean_ab + LUMINANCE_FLOOR) / (mean_squares + LUMINANCE_FLOOR)
    variances = square_a + square_b - mean_squares
    return luminance, (2 * (product - mean_ab) + CONTRAST_FLOOR) / (variances + CONTRAST_FLOOR)


def _blur(maps: np.ndarray) -> np.ndarray:
    """[N, H, W] -> [N, H - 10, W - 10] under SSIM's Gaussian."""
    # One map at a time stays in the cache.
    return np.stack([_weigh(_weigh(single).T).T for single in maps])


def _weigh(rows: np.ndarray) -> np.ndarray:
    """[H, W] -> [H - 10, W]: sums of neighbouring rows under the Gaussian, which is symmetric."""
    edge = WINDOW // 2
    kernel = np.exp(-0.5 * (np.arange(-edge, 1) / SIGMA) ** 2)
    kernel = (kernel / (2 * kernel.sum() - 1)).astype(np.float32)
    height = len(rows) - 2 * edge
    total = kernel[edge] * rows[edge : edge + height]
    for index in range(edge):
        pair = rows[index : index + height] + rows[2 * edge - index : 2 * edge - index + height]
        pair *= kernel[index]
        total += pair
    return total


def _averages(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """[R] means of a map [H, W] under weights [R, H, W]."""
    totals = weights.sum(axis=(1, 2))
    return np.where(totals > 0, (weights * values).sum(axis=(1, 2)) / np.where(totals > 0, totals, 1), np.nan)


def _halve(maps: np.ndarray) -> np.ndarray:
    """[N, H, W] -> [N, H // 2, W // 2], averages of four."""
    height, width = maps.shape[1] // 2 * 2, maps.shape[2] // 2 * 2
    rows = maps[:, 0:height:2] + maps[:, 1:height:2]
    return (rows[:, :, 0:width:2] + rows[:, :, 1:width:2]) / 4


def frechet_distance(reference: np.ndarray, generated: np.ndarray) -> float:
    """Of two sets of features [N, D] and [M, D], as normal distributions (FID, Heusel et al. 2017); 2 or more each."""
    a, b = np.asarray(reference, np.float64), np.asarray(generated, np.float64)
    apart = a.mean(axis=0) - b.mean(axis=0)
    a, b = ((x - x.mean(axis=0)) / np.sqrt(len(x) - 1) for x in (a, b))
    # The trace of the root of the product of both covariances, without forming [D, D].
    shared = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return float(max(apart @ apart + (a**2).sum() + (b**2).sum() - 2 * shared, 0.0))


def seam_energy(picture: np.ndarray, head: np.ndarray, torso: np.ndarray, reach: int = 3) -> float:
    """Mean squared gradient of the luma within `reach` pixels of where head and torso [H, W] bool meet.

    NaN where they do not. Over the real video's, well above 1 where a head pasted onto a torso shows.
    """
    from scipy import ndimage

    border = ndimage.binary_dilation(head) & ndimage.binary_dilation(torso)
    if not border.any():
        return float("nan")
    border = ndimage.binary_dilation(border, iterations=reach - 1)
    down, right = np.gradient(picture @ LUMA, axis=(0, 1))
    energy = np.asarray(down**2 + right**2)
    return float(energy[border].mean())


def frame_change(before: np.ndarray, picture: np.ndarray, region: np.ndarray) -> float:
    """Mean absolute difference of the lumas of two neighbouring frames [H, W, 3], in grey levels, over a region."""
    return float(np.abs((picture.astype(np.float32) - before) @ LUMA)[region].mean())
