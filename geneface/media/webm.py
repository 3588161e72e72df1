"""Video with a transparent background: VP9 with opacity and Opus in a webm, which browsers and editors play."""

from typing import TYPE_CHECKING

from geneface.media.video import VideoWriter

if TYPE_CHECKING:
    from av import AudioFrame, AudioStream, VideoStream
    from av.container import OutputContainer

OPUS_RATE = 48000
OPUS_BIT_RATE = 96_000
CRF_SHIFT = 8
"""VP9's scale of quality goes to 63 where x264's goes to 51: 26 looks like its 18."""


class TransparentWriter(VideoWriter):
    """A `VideoWriter` of uint8 frames [N, H, W, 4]: colours that are not multiplied by the opacity beside them.

    `preset` has no effect.
    """

    suffix, channels, pixel_format = ".webm", 4, "yuva420p"

    def _open(self) -> "OutputContainer":
        import av

        return av.open(str(self._partial), "w", format="webm")

    def _video_stream(self, crf: int, preset: str) -> "VideoStream":
        options = {"crf": str(crf + CRF_SHIFT), "b:v": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"}
        # Frames that are referred to but not shown carry no opacity.
        return self._container.add_stream("libvpx-vp9", rate=self._fps, options={**options, "auto-alt-ref": "0"})

    def _sound_stream(self, rate: int, layout: str) -> "AudioStream":
        import av

        self._resampler = av.AudioResampler("s16", layout, OPUS_RATE)
        return self._container.add_stream("libopus", rate=OPUS_RATE, layout=layout, bit_rate=OPUS_BIT_RATE)

    def _encode_sound(self, sound: "AudioStream", frame: "AudioFrame | None") -> None:
        for part in self._resampler.resample(frame):
            self._container.mux(sound.encode(part))
        if frame is None:
            self._container.mux(sound.encode())
