"""All that a received file tells of its making: its Content Credentials, and the watermark in its pictures."""

import os
from dataclasses import dataclass
from pathlib import Path

from geneface.errors import InputError
from geneface.media.intake import on_disk
from geneface.media.provenance import Provenance, read_provenance
from geneface.media.watermark import video_number
from geneface.media.watermark_reader import FALSE_ALARM, WatermarkReading, read_watermark


@dataclass(frozen=True)
class Check:
    """What `check_file` found."""

    provenance: Provenance
    watermark: WatermarkReading | None
    unread: str = ""
    """Why its pictures could not be looked at."""

    @property
    def watermark_fits(self) -> bool | None:
        """Whether the watermark is the one of the video that the credentials speak of; None if that cannot be told."""
        seed = self.provenance.settings.get("seed")
        if self.watermark is None or not self.provenance.person or not isinstance(seed, int):
            return None
        return self.watermark.payload == video_number(self.provenance.person, seed)

    def report(self) -> dict[str, object]:
        """For JSON: `Provenance`'s fields, `watermark` (null if none was found) and `watermark_unread`."""
        mark = self.watermark
        found = mark and {
            "number": f"{mark.payload:08x}",
            "fits_credentials": self.watermark_fits,
            "score": round(mark.score, 2),
            "false_alarm": mark.false_alarm,
        }
        return vars(self.provenance) | {"watermark": found, "watermark_unread": self.unread}


def check_file(path: str | os.PathLike, anchor: str | Path | None = None) -> Check:
    """Arguments and errors as of `read_provenance`; a signed recording or picture, without frames, is no error."""
    with on_disk(path) as file:
        provenance = read_provenance(file, anchor)
        try:
            return Check(provenance, read_watermark(file))
        except InputError as error:
            return Check(provenance, None, str(error))


def watermark_words(check: Check) -> str:
    """What to say of the watermark."""
    if check.unread:
        return f"not looked for: {check.unread}"
    if check.watermark is None:
        return "none found"
    fits = {None: "", True: ", as the credentials say", False: ", which is not that of the credentials"}
    rate = f"false alarms: under 1 in {1 / FALSE_ALARM:,.0f} videos"
    return f"GeneFace's, number {check.watermark.payload:08x}{fits[check.watermark_fits]} ({rate})"
