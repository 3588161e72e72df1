"""The units that everything shares: frames of pictures and samples of sound, and how many of these a frame has."""

FPS = 25
"""Frames of a video, of landmarks and of a head's poses in a second."""
SAMPLING_RATE = 16000
"""Samples a second of the sound that the models hear."""
SAMPLES_PER_FRAME = SAMPLING_RATE // FPS
