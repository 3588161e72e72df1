"""PSNR, SSIM, MS-SSIM and the seam, against values worked out by hand and by scikit-image and pytorch-msssim."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import linalg, ndimage

from geneface import metrics


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """uint8 [256, 320, 3]: soft blobs."""
    rng = np.random.default_rng(0)
    blobs = ndimage.gaussian_filter(rng.normal(size=(256, 320, 3)), (6, 6, 0))
    return np.clip(blobs * 900 + 128, 0, 255).astype(np.uint8)


def blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    return ndimage.gaussian_filter(picture.astype(float), (sigma, sigma, 0)).astype(np.uint8)


def test_squared_error_and_psnr_of_a_region() -> None:
    a, b = np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8)
    b[0, 0] = 10
    region = np.zeros((4, 4), bool)
    region[0, :2] = True
    assert metrics.squared_error(a, b) == pytest.approx(100 / 16)
    assert metrics.squared_error(a, b, region) == pytest.approx(50.0)
    assert metrics.psnr(a, b, region) == pytest.approx(10 * np.log10(255**2 / 50))
    assert metrics.psnr(a, b, ~region) == float("inf")
    white = np.full_like(a, 255)
    assert metrics.psnr(a, white) == 0.0  # bytes must not wrap around


def test_ssim_of_two_even_pictures_is_its_luminance_term() -> None:
    a, b = np.full((200, 200, 3), 100, np.uint8), np.full((200, 200, 3), 120, np.uint8)
    floor = (0.01 * 255) ** 2
    expected = (2 * 100 * 120 + floor) / (100**2 + 120**2 + floor)
    [found] = metrics.structural_similarity(a, b)
    assert found.ssim == pytest.approx(expected, abs=1e-4)
    assert found.ms_ssim == pytest.approx(expected**0.1333, abs=1e-4)  # luminance counts at the last scale only


def test_ssim_agrees_with_the_libraries(picture: np.ndarray) -> None:
    noise = np.random.default_rng(1).normal(size=picture.shape) * 12
    [found] = metrics.structural_similarity(picture, np.clip(picture + noise, 0, 255).astype(np.uint8))
    # skimage 0.26: gaussian_weights=True, sigma=1.5, use_sample_covariance=False; pytorch-msssim 1.0 gives both.
    assert found.ssim == pytest.approx(0.67941, abs=2e-4)
    assert found.ms_ssim == pytest.approx(0.96458, abs=2e-4)


def test_blur_lowers_psnr_and_ssim_step_by_step(picture: np.ndarray) -> None:
    series = [picture, *(blurred(picture, sigma) for sigma in (1.0, 3.0, 6.0))]
    psnr = [metrics.psnr(picture, other) for other in series]
    similarity = [metrics.structural_similarity(picture, other)[0] for other in series]
    assert psnr[0] == float("inf") and similarity[0] == pytest.approx((1.0, 1.0))
    for figures in (psnr, [s.ssim for s in similarity], [s.ms_ssim for s in similarity]):
        assert all(better > worse for better, worse in pairwise(figures))


def test_regions_see_only_their_own_part(picture: np.ndarray) -> None:
    other = picture.copy()
    other[:, 160:] = blurred(picture, 4.0)[:, 160:]
    left, right, none = np.zeros((3, 256, 320), bool)
    left[60:200, 10:120] = right[60:200, 200:310] = True
    whole = metrics.structural_similarity(picture, other)[0]
    here, there, nowhere = metrics.structural_similarity(picture, other, [left, right, none])
    assert here.ssim == pytest.approx(1.0, abs=1e-5)
    assert there.ssim < whole.ssim < here.ssim and there.ms_ssim < here.ms_ssim
    assert np.isnan(nowhere.ssim)
    with pytest.raises(ValueError, match="too small"):
        metrics.structural_similarity(picture[:100], other[:100])


def test_seam_energy_rises_with_an_edge_between_head_and_torso_and_nowhere_else() -> None:
    head, torso = np.zeros((2, 64, 64), bool)
    head[10:32, 20:44] = torso[32:60, 8:56] = True
    smooth = np.full((64, 64, 3), 128, np.uint8)
    seam, elsewhere = smooth.copy(), smooth.copy()
    seam[32:] = 138
    elsewhere[50:] = 255
    assert metrics.seam_energy(smooth, head, torso) == 0.0 == metrics.seam_energy(elsewhere, head, torso)
    # A step of 10 has a central difference of 5 on the two rows beside it, of the six rows looked at.
    inner = np.zeros_like(head)
    assert metrics.seam_energy(seam, head, torso) == pytest.approx(25 * 2 / 6, rel=0.15)
    assert np.isnan(metrics.seam_energy(smooth, head, inner))


def test_frechet_distance_of_normal_distributions() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(40, 6)), rng.normal(size=(30, 6)) @ rng.normal(size=(6, 6)) + 1
    covariances = np.cov(a.T), np.cov(b.T)
    root = linalg.sqrtm(covariances[0] @ covariances[1]).real
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert metrics.frechet_distance(a, b) == pytest.approx(expected)
    assert metrics.frechet_distance(a, a[::-1]) == pytest.approx(0.0, abs=1e-9)
    assert metrics.frechet_distance(a, a + 2) == pytest.approx(4.0 * 6)
    line = np.array([[-1.0], [1.0]])  # standard deviations of root 2 and 3 root 2
    assert metrics.frechet_distance(line, 3 * line) == pytest.approx((2 * 2**0.5) ** 2)


def test_frame_change_is_of_the_region_alone() -> None:
    before, after = np.full((2, 8, 8, 3), 200, np.uint8)
    after[:, :4] = 190
    after[:, 4:] = 0
    region = np.arange(8) < 4
    assert metrics.frame_change(before, after, np.tile(region, (8, 1))) == pytest.approx(10.0, rel=1e-3)
