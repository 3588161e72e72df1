"""The times of a file's tracks, put right: pauses are kept, jumps are taken as cuts, all tracks stay in step."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av import Packet

PAUSE = 10.0
"""Seconds for which a track may have nothing while the others have nothing either; a longer gap is a jump."""
FALL, DECODED_FALL = 2.0, 1.0
"""Seconds by which the times when something is seen or heard may fall back, since pictures do not come in that order;
and those when it is decoded."""
NEAR = 1.0
"""Seconds by which a track may be apart from where another track's jump leads."""
LONGEST_STEP = 1.0
KNOWN = 8
"""So many shifts are remembered."""


@dataclass
class Jump:
    """A place where times do not go on."""

    time: float
    """Where it is, in seconds on the clock that is put right."""
    shift: float
    """Seconds that are added to the times behind it."""
    tracks: set[int] = field(default_factory=set)
    """Indices of the tracks that jumped there."""


@dataclass
class _Track:
    end: float
    shift: float
    decoded: float | None
    """When the last packet was to be decoded, by its own clock."""


class Clock:
    """Puts the times of packets right, in the order in which they lie in the file.

    Whoever reads a file sees to it that the packets of its picture and sound tracks all pass through here: so the
    picture's reader and the sound's come to the same result, though each decodes but one of them.

    Attributes:
        jumps: where the times of a track jumped.
    """

    def __init__(self) -> None:
        self.jumps: list[Jump] = []
        self._tracks: dict[int, _Track] = {}

    def put_right(self, packet: "Packet") -> None:
        """Shift a packet's times in place."""
        unit = float(packet.time_base or 0)
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is None or not unit:
            return
        far = packet.pts is not None and packet.dts is not None and abs(packet.pts - packet.dts) * unit > PAUSE
        # Matroska has no decoding times; those that are guessed from the others come too late where these jump.
        decoded = None if packet.dts is None or far else packet.dts * unit
        shift = self._shift(packet.stream_index, stamp * unit, decoded, (packet.duration or 0) * unit)
        moved = round(shift / unit)
        if packet.pts is not None:
            packet.pts += moved
        if packet.dts is not None:
            packet.dts = None if far else packet.dts + moved

    def cuts(self) -> list[float]:
        """Where all tracks jumped together, in seconds: what is before and behind was not recorded in one go."""
        return [jump.time for jump in self.jumps if len(jump.tracks) == len(self._tracks)]

    def notes(self) -> list[str]:
        """What there is to say of the jumps, in one sentence."""
        if not self.jumps:
            return []
        places = ", ".join(f"{jump.time:.1f}" for jump in self.jumps[:3]) + " ..." * (len(self.jumps) > 3)
        return [f"the times in the file jump at {places} s: what is behind follows at once, without a pause"]

    def _shift(self, index: int, time: float, decoded: float | None, duration: float) -> float:
        """The shift of a packet at `time` of its own clock, to be `decoded` then if that is known; seconds."""
        track = self._tracks.get(index)
        if track is None:
            others = [other for other in self._tracks.values() if other.shift]
            here = next((other.shift for other in others if abs(time + other.shift - other.end) < PAUSE), 0.0)
            track = self._tracks[index] = _Track(time + here, here, decoded)
        onward, fell = track.end - time, False
        if decoded is not None and track.decoded is not None:
            # As if it were to be decoded just behind the last one.
            onward = track.decoded + track.shift + min(duration, LONGEST_STEP) - decoded
            fell = decoded - track.decoded < -DECODED_FALL
        track.decoded = decoded
        gap = time + track.shift - track.end
        if (gap > PAUSE and not self._others_went_on(index, time + track.shift)) or gap < -FALL or (fell and gap < 0):
            self._jump(index, track, time, onward)
        elif gap > NEAR and (jump := self._followed(track, time, gap / 4)):
            track.shift = jump.shift
            jump.tracks.add(index)
        begin = time + track.shift
        # In mp4 the sample before a jump lasts until behind it.
        track.end = max(track.end, begin + min(duration, LONGEST_STEP)) if begin > track.end - FALL else begin
        return track.shift

    def _others_went_on(self, index: int, time: float) -> bool:
        return any(other.end > time - PAUSE for key, other in self._tracks.items() if key != index)

    def _jump(self, index: int, track: _Track, time: float, onward: float) -> None:
        """Go on by the shift `onward`, or where another track's jump leads if that is about the end of the track."""
        if jump := self._followed(track, time, NEAR):
            jump.tracks.add(index)
            track.shift = jump.shift
        elif abs(time - track.end) < NEAR:
            track.shift = 0.0
        else:
            track.shift = onward
            self.jumps.append(Jump(track.end, track.shift, {index}))

    def _followed(self, track: _Track, time: float, tolerance: float) -> Jump | None:
        """The latest jump that, followed, puts `time` close to the track's end."""
        for jump in reversed(self.jumps[-KNOWN:]):
            if jump.shift != track.shift and abs(time + jump.shift - track.end) < tolerance:
                return jump
        return None
