"""Changes to batches of recordings on the training's device: rooms, lines, noise, other voices, hum, level.

As `datasets.augment`, without what changes the timing; everything takes and gives float32 samples [B, N] at 16 kHz.
"""

import math

import torch
from torch.nn import functional

from geneface.utils.units import SAMPLING_RATE

ECHO_SECONDS = 0.6


class RoughSound:
    """Draws what is random from a generator of its own, on the device of the samples."""

    def __init__(self, device: torch.device):
        self.device = device
        self.random = torch.Generator(device)

    def uniform(self, low: float, high: float, *shape: int) -> torch.Tensor:
        return low + (high - low) * torch.rand(shape, generator=self.random, device=self.device)

    def chance(self, share: float, rows: int) -> torch.Tensor:
        """[B, 1] bool"""
        return torch.rand((rows, 1), generator=self.random, device=self.device) < share

    def normal(self, *shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=self.random, device=self.device)

    def __call__(self, samples: torch.Tensor, seed: int) -> torch.Tensor:
        """The same seed gives the same changes on the same device."""
        self.random.manual_seed(seed)
        rows = len(samples)
        samples = self.through_room_and_line(samples)
        power = samples.square().mean(1, keepdim=True).sqrt().clamp_min(1e-5)
        others = samples.roll(1, 0) * self.decibels(-25, -6, rows)
        samples = samples + torch.where(self.chance(0.12, rows), others, 0.0)
        noise = self.noise(*samples.shape) * power * self.decibels(-45, -3, rows)
        samples = samples + torch.where(self.chance(0.6, rows), noise, 0.0)
        samples = samples + torch.where(self.chance(0.2, rows), self.hum(*samples.shape), 0.0)
        samples = samples * torch.where(
            self.chance(0.3, rows), self.decibels(-45, 15, rows), self.decibels(-12, 8, rows)
        )
        samples = samples + torch.where(self.chance(0.15, rows), self.normal(rows, 1) * 0.02, 0.0)
        samples = samples.clamp(-1, 1)
        return torch.where(self.chance(0.1, rows), mu_law(samples), samples)

    def decibels(self, low: float, high: float, rows: int) -> torch.Tensor:
        """[B, 1] factors"""
        return 10 ** (self.uniform(low, high, rows, 1) / 20)

    def through_room_and_line(self, samples: torch.Tensor) -> torch.Tensor:
        """Decaying noise as an echo, a slope of the spectrum, and nothing beyond the band of a line."""
        rows, length = samples.shape
        echo = round(ECHO_SECONDS * SAMPLING_RATE)
        size = 1 << (length + echo).bit_length()
        times = torch.arange(echo, device=self.device) / SAMPLING_RATE
        decay = 0.1 * 7 ** torch.rand((rows, 1), generator=self.random, device=self.device)
        response = self.normal(rows, echo) * 10 ** (-3 * times / decay)
        response = response * (times > self.uniform(0.001, 0.01, rows, 1))
        response = response / response.norm(dim=1, keepdim=True) * self.decibels(-15, 0, rows)
        response = torch.where(self.chance(0.4, rows), response, 0.0)
        response[:, 0] = 1
        frequencies = torch.fft.rfftfreq(size, 1 / SAMPLING_RATE, device=self.device)[None]
        slope = (frequencies.clamp_min(50) / 1000) ** self.uniform(-0.4, 0.4, rows, 1)
        highest = 2500 * 3 ** torch.rand((rows, 1), generator=self.random, device=self.device)
        highest = torch.where(self.chance(0.4, rows), 3600.0, highest)  # a telephone
        lowest = 20 * 17 ** torch.rand((rows, 1), generator=self.random, device=self.device)
        line = 1 / ((1 + (frequencies / highest) ** 16) * (1 + (lowest / frequencies.clamp_min(1e-3)) ** 4)).sqrt()
        shape = torch.where(self.chance(0.4, rows), slope, 1.0) * torch.where(self.chance(0.3, rows), line, 1.0)
        spectrum = torch.fft.rfft(samples, size) * torch.fft.rfft(response, size) * shape
        return torch.fft.irfft(spectrum, size)[:, :length]

    def noise(self, rows: int, length: int) -> torch.Tensor:
        """Of any colour from blue to brown, of power 1, steady or swelling."""
        size = 1 << length.bit_length()
        frequencies = torch.fft.rfftfreq(size, 1 / SAMPLING_RATE, device=self.device).clamp_min(50)
        spectrum = torch.fft.rfft(self.normal(rows, size)) * frequencies ** self.uniform(-1, 0.5, rows, 1)
        noise = torch.fft.irfft(spectrum, size)[:, :length]
        noise = noise / noise.square().mean(1, keepdim=True).sqrt()
        knots = self.uniform(0, 1, rows, 1, 2 + length // 8000)
        swell = functional.interpolate(knots, length, mode="linear", align_corners=True)[:, 0]
        return noise * torch.where(self.chance(0.4, rows), swell, 1.0)

    def hum(self, rows: int, length: int) -> torch.Tensor:
        """Of the mains, with its overtones, -60 to -35 dB of full scale."""
        times = torch.arange(length, device=self.device) / SAMPLING_RATE
        mains = torch.where(self.chance(0.5, rows), 50.0, 60.0)
        tones = sum(
            torch.sin(2 * torch.pi * number * mains * times + number) * self.uniform(0, 1, rows, 1) / number
            for number in (1, 2, 3, 5, 7)
        )
        return tones * self.decibels(-60, -35, rows)


def mu_law(samples: torch.Tensor) -> torch.Tensor:
    """As 8 bits of a telephone line give them back."""
    pressed = samples.sign() * torch.log1p(255 * samples.abs()) / math.log(256)
    pressed = (pressed * 127).round() / 127
    return pressed.sign() * (256 ** pressed.abs() - 1) / 255
