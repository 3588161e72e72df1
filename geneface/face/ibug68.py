"""The 68 landmarks of iBUG (300-W): which of them lie where. Right and left are the person's own."""

JAW = slice(0, 17)
CHIN = 8
BROWS = slice(17, 27)
NOSE = slice(27, 36)
NOSE_ROOT, NOSE_BASE = 27, 33
EYES = slice(36, 48)
RIGHT_EYE, LEFT_EYE = slice(36, 42), slice(42, 48)
"""Each from a corner along the upper lid to the other corner, and back along the lower lid."""
OUTER_EYE_CORNERS = (36, 45)
LIPS, OUTER_LIPS, INNER_LIPS = slice(48, 68), slice(48, 60), slice(60, 68)
MOUTH_CORNERS, INNER_CORNERS = (48, 54), (60, 64)
MOUTH_TOP, MOUTH_BOTTOM = 51, 57
"""The middles of the outer lips."""
LIP_GAPS = ((61, 67), (62, 66), (63, 65))
"""Points of the inner lips that lie above each other, upper and lower."""
UPPER_LIP, LOWER_LIP = (list(side) for side in zip(*LIP_GAPS, strict=True))
UPPER_FACE = slice(17, 48)
"""Brows, nose and eyes."""
LINES = (JAW, slice(17, 22), slice(22, 27), slice(27, 31), slice(31, 36))
LOOPS = (RIGHT_EYE, LEFT_EYE, OUTER_LIPS, INNER_LIPS)
"""What a drawing joins: jaw, brows, bridge and base of the nose; closed: eyes and lips."""
