"""The page of figures on the invisible watermark."""

from dataclasses import dataclass, field

from geneface.media.watermark_reader import FALSE_ALARM, HYPOTHESES, SCALES, THRESHOLD, WatermarkReading
from research.watermark_changes import CHANGES

AS_WRITTEN = "as written (H.264, CRF 18)"


@dataclass
class Survival:
    """Of one video."""

    video: str
    psnr: float
    """dB, of the marked frames against the unmarked, before any encoding; the lowest of all frames"""
    bit_rate: float
    """Of the picture, against the unmarked one's"""
    readings: dict[str, WatermarkReading | None] = field(default_factory=dict)
    """By what was done to it; None if not found, or read as another number"""


@dataclass
class FalseAlarms:
    """Of real videos."""

    clips: int = 0
    windows: int = 0
    readings: int = 0
    """Searches for a watermark, with all keys."""
    found: int = 0


TEXT = """\
# The invisible watermark

The frames of every video that `geneface generate`, `generate_video` and the page make (its comparisons and its preview
while it speaks, too) carry an invisible number of 32 bits. Unlike signature and metadata it survives
re-encoding; unlike the label it cannot be cropped away. `geneface verify` and the tab **Check a video** read it.

```bash no-run: it needs recordings, and real videos
python -m research.watermark RECORDING --clips DIR -o docs/watermark.md
```

wrote this page.

## What it survives

{videos} videos of {count} frames at 512x512 ({names}),
each altered and encoded again with x264 (preset `medium`). The score must reach {threshold:.1f} for the watermark to
be taken for real, and the number must be right.

{table}

Below the line is what was tried to find the limits; nothing is promised there. At CRF 35 an encoder wipes out what
little there is in even areas, and on pure white only the darker half of the pattern fits.

## What it costs

| | |
| --- | --- |
| PSNR of the marked frames, the lowest of all frames | {psnr:.1f} dB |
| time to mark a frame of 512x512, median | {milliseconds:.2f} ms |
| bits of the picture at the quality that is written, against without | {rate} |

In red and green the pattern is at most one level of 255, in blue six, where eyes are dull. It stands still: nothing
flickers. Enlarged three times, beside the unmarked frame, a faint grain can be made out in even areas; alone and at
its own size it is not seen.

## How often it is found by mistake

{hypotheses:.1e} combinations of scale, place and number are looked at in a video. For a picture that does not know the
key, each has a score of z or more with a probability of at most exp(-z^2/2), because the key's phases are independent
and uniform; this holds whatever the picture shows. So a score from {threshold:.2f} on comes up in at most one of
{rarity:,.0f} videos. {measured}

## What it proves, and what not

- **Found: pictures in the file come from GeneFace**, or from somebody who copied the watermark on purpose. The key is
  in the open package, so anybody can put any number on any picture. It is no signature: only Content Credentials tell
  who made a file and that it is unaltered.
- **Not found: nothing is proved.** Who wants to remove it can: the key says what to subtract, and blurring, turning,
  or a change of the sides' ratio are enough.
- Found does not mean that all of it is from GeneFace: one generated part of a longer film is enough. Nothing is said
  of the sound.
- The number follows from person and seed (SHA-256), which stand in the Content Credentials: `verify` says whether they
  fit. Two recordings with the same person and seed have the same number. No name can be read out of it; who knows or
  guesses both can compute it.
- Below 256 pixels a side it survives little, below 128 next to nothing. In a transparent video it lies in the colours,
  and is lost where they are covered or fully transparent.
- The raw frames of `pipe(...)` and `pipe.stream(...)` do not have it.

## How it works

`geneface/media/watermark.py` adds a fixed pattern, most of it in the blue, some in the luma: a sum of waves, 8 to 32
pixels long at 512 (in proportion at larger sizes), with phases from the key. A quarter of them is the same in all
videos; by these `geneface/media/watermark_reader.py` finds scale and place. The others carry the number and a checksum
of 16 bits in a Golay code. Each frame is marked by itself in the same way, so live frames and any cut carry it. To
read it, frames are flattened and averaged, their Fourier sums at the waves are taken for {scales} scales, and all
places are tried by an inverse FFT. No model, no weights, and no library beside numpy and scipy are needed.

Of the libraries, VideoSeal and TrustMark need models to download (and torchvision or timm), and many times the time of
the rendering on a CPU; invisible-watermark does not survive scaling or cropping, and is no longer kept up, as
blind-video-watermark is not.
"""


def page(videos: list[Survival], frames: int, milliseconds: float, alarms: FalseAlarms | None) -> str:
    """Markdown."""
    ratios = [video.bit_rate - 1 for video in videos]
    return TEXT.format(
        videos=len(videos),
        count=frames,
        names="; ".join(video.video for video in videos),
        threshold=THRESHOLD,
        table=_table(videos),
        psnr=min(video.psnr for video in videos),
        milliseconds=milliseconds,
        rate=f"{min(ratios):+.0%} to {max(ratios):+.0%}",
        hypotheses=HYPOTHESES,
        scales=len(SCALES),
        rarity=1 / FALSE_ALARM,
        measured=_measured(alarms),
    )


def _table(videos: list[Survival]) -> str:
    rows = ["| what was done | read | lowest score | median score |", "| --- | --- | --- | --- |"]
    promised = [AS_WRITTEN, *(change.name for change in CHANGES if change.promised)]
    others = [change.name for change in CHANGES if not change.promised]
    rows += [_row(name, videos) for name in promised]
    rows.append("| | | | |")
    rows += [_row(name, videos) for name in others]
    return "\n".join(rows)


def _row(name: str, videos: list[Survival]) -> str:
    readings = [video.readings[name] for video in videos]
    scores = sorted(reading.score if reading else 0.0 for reading in readings)
    lowest, median = (f"{score:.1f}" if score else "not found" for score in (scores[0], scores[len(scores) // 2]))
    missed = [video.video for video in videos if video.readings[name] is None]
    which = f" (not {'; '.join(missed)})" if 0 < len(missed) < len(videos) else ""
    return f"| {name} | {len(videos) - len(missed)} of {len(videos)}{which} | {lowest} | {median} |"


def _measured(alarms: FalseAlarms | None) -> str:
    if alarms is None:
        return "No real videos were read for this page."
    told = (
        f"Measured: {alarms.clips} real clips of persons and {alarms.windows} windows of 2 s of them, with the key\n"
        f"and with others, {alarms.readings} searches in all: {alarms.found} watermarks found."
    )
    # The rule of three: 95% confidence after no event in so many tries.
    return told if alarms.found else f"{told} (By itself that shows only a rate under {3 / alarms.readings:.2%}.)"
